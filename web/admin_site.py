"""The operators' admin site. Logging in, out and changing passwords are the pages' own: no second way in."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import page_sessions
from core import clock
from exchanges import registry
from pipeline import pace


class OperatorSite(AdminSite):
    site_header = "Crypto Graph Trader · operators"
    site_title = "Crypto Graph Trader"
    index_title = "Operations"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Begins with how far the readings of each exchange are behind."""
        loads = pace.find_all(list(registry.supported())).items()
        told = {"rhythms": [(registry.supported()[name].title, state) for name, state in loads]}
        return super().index(request, {**(extra_context or {}), **told})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page everybody logs in by, which counts attempts and asks for the second factor."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:  # a log-in would change nothing
            raise PermissionDenied
        return redirect(f"{reverse('web:login')}?{urlencode({'next': wanted})}")

    def logout(  # type: ignore[override]  # a redirect is an answer, too
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            page_sessions.log_out(request, at=clock.now())
        return redirect("web:login")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where it counts attempts and ends the other sessions."""
        return redirect("web:account-password")
