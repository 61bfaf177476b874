"""Signing up and what keeps and ends a session; logging in is in web.api.session_urls."""

from django.urls import path

from accounts.api.sessions import LogOutView, RefreshView
from accounts.api.users import RegisterView

urlpatterns = [
    path("user/register-user", RegisterView.as_view(), name="register"),
    path("auth/refresh", RefreshView.as_view(), name="refresh"),
    path("auth/logout", LogOutView.as_view(), name="log-out"),
]
