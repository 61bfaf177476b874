"""What a request may do besides being somebody's: API tokens by their scopes, sensitive things after a fresh log-in.

Each class is enough by itself: it asks for a log-in, and holds API tokens to their scopes.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from accounts.errors import ScopeMissing, StepUpRequired, TokenNotAllowed
from accounts.sessions import Claims
from core import clock

if TYPE_CHECKING:  # the views import this module, as the default permission
    from rest_framework.views import APIView

TRADE: Final = "trade"


class TokenScope(IsAuthenticated):
    """The default. Sessions may do everything; an API token may read, and trade where the view has
    `token_scope = "trade"` and the token that scope."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            return False
        claims = cast("Claims", request.auth)
        if claims.token_id is not None and request.method not in SAFE_METHODS:
            if getattr(view, "token_scope", None) != TRADE:
                raise TokenNotAllowed("API tokens may not do this: log in.")
            if not claims.can_trade:
                raise ScopeMissing("This API token may only read: make one that may trade.")
        return True


class SessionOnly(TokenScope):
    """No API token may do this, not even read it."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        allowed = super().has_permission(request, view)
        if allowed and cast("Claims", request.auth).token_id is not None:
            raise TokenNotAllowed("API tokens may not do this: log in.")
        return allowed


class RecentLogIn(TokenScope):
    """Password and second factor were shown within STEP_UP_MINUTES. An API token for trading was when it was made;
    to others this is closed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            return False
        claims = cast("Claims", request.auth)
        if claims.token_id is not None:
            if request.method in SAFE_METHODS:
                raise TokenNotAllowed("API tokens may not do this: log in.")
            return True
        if not is_recent(claims.stepped_up_at, at=clock.now()):
            raise StepUpRequired("Confirm your password first: POST /auth/step-up.")
        return True


def is_recent(stepped_up_at: datetime | None, *, at: datetime) -> bool:
    """Whether a session's last step-up still counts."""
    limit = timedelta(minutes=settings.STEP_UP_MINUTES)
    return stepped_up_at is not None and at - stepped_up_at < limit


def takes_api_tokens(view: Any, method: str) -> bool:
    """Whether an API token can ever pass; for the OpenAPI document."""
    asked = [type(permission) for permission in view.get_permissions()]
    if any(issubclass(kind, SessionOnly) for kind in asked):
        return False
    if method.upper() in SAFE_METHODS:
        return not any(issubclass(kind, RecentLogIn) for kind in asked)
    return getattr(view, "token_scope", None) == TRADE
