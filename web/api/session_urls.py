"""Logging in and who is logged in; the rest of a session is in accounts.urls."""

from django.urls import path

from web.api.profile import MeView
from web.api.session import LogInView

urlpatterns = [
    path("auth/login", LogInView.as_view(), name="log-in"),
    path("user/me", MeView.as_view(), name="me"),
]
