"""What every template may know of the server, and every page of its reader."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from core.django import tenancy
from portfolio import scope as scopes
from portfolio.selectors.reconciliation import open_count

_PARTS: Final = ("fragment", "connection-state", "exports-list")
"""Routes that answer a part of a page, without its navigation."""


def site(request: HttpRequest) -> dict[str, bool]:
    return {"sign_up_open": settings.SIGN_UP_OPEN, "asks_for_verification": settings.VERIFY_EMAIL}


def navigation(request: HttpRequest) -> dict[str, Any]:
    """How many differences are open, for the pages of logged-in people."""
    route = request.resolver_match
    if route is None or route.namespace != "web" or route.url_name in _PARTS:
        return {}
    if not request.user.is_authenticated:
        return {}
    with tenancy.acting_as(request.user.id):
        return {"open_differences": open_count(scope=scopes.resolve())}
