"""Every path. The seeds' routes have no trailing slash and no version prefix."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
handler404 = "core.django.problems.page_not_found"
handler500 = "core.django.problems.server_error"
