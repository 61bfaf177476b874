"""The ways into one's account: password, second factor, sessions, API tokens."""

from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from accounts import api_tokens, page_sessions, passwords, sessions, two_factor
from accounts.models import Session
from accounts.serializers import NewApiTokenSerializer
from core import clock
from core.errors import Conflict, DomainError, NotFound
from web.pages import forms
from web.pages.access import member, member_page, recent_member_page
from web.pages.account import agents

_PASSWORD = "account/password.html"  # noqa: S105  (a template)
_TWO_FACTOR = "account/two_factor.html"
_SESSIONS = "account/sessions.html"
_TOKENS = "account/tokens.html"
_LIFETIMES = ("30", "90", "180", "365")  # days


@sensitive_post_parameters("current_password", "new_password")
@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Changing the password by the current one; this session goes on, every other ends."""
    if request.method != "POST":
        return render(request, _PASSWORD)
    user = member(request)
    given = forms.read(request, "current_password", "new_password")
    try:
        passwords.change(user=user, session_id=_session(request).id, at=clock.now(), **given)
    except DomainError as error:
        return forms.refused(request, _PASSWORD, error, given={})
    user.refresh_from_db(fields=["password"])
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed, and every other session was ended.")
    return redirect("web:account-password")


@sensitive_post_parameters("code")
@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Setting up the authenticator app, new recovery codes, switching it off. Secrets are shown once."""
    user, at, shown = member(request), clock.now(), {}
    try:
        match request.POST.get("do"):
            case "begin":
                shown = _as_picture(two_factor.begin(user=user, at=at))
            case "confirm":
                shown = {
                    "codes": two_factor.confirm(user=user, code=request.POST.get("code", "")[:40], at=at)
                }
            case "renew":
                shown = {"codes": two_factor.renew_recovery_codes(user=user)}
            case "off":
                two_factor.switch_off(user=user)
                messages.success(request, "The second factor is off.")
                return redirect("web:account-two-factor")
    except DomainError as error:
        state = two_factor.state(user_id=user.id)
        asks_code = request.POST.get("do") == "confirm" and not isinstance(error, Conflict)
        return forms.refused(request, _TWO_FACTOR, error, given={}, state=state, asks_code=asks_code)
    return render(request, _TWO_FACTOR, {"state": two_factor.state(user_id=user.id), **shown})


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is logged in; each can be ended, or all but this one."""
    user, at, here = member(request), clock.now(), _session(request)
    if request.method == "POST":
        try:
            if request.POST.get("do") == "others":
                sessions.revoke_all(
                    user_id=user.id, except_session=here.id, reason="revoked by the user", at=at
                )
                messages.success(request, "Every other session was ended.")
            else:
                sessions.revoke(
                    user_id=user.id, session_id=_id(request, "session"), reason="revoked by the user", at=at
                )
                messages.success(request, "The session was ended.")
        except NotFound as error:
            messages.error(request, error.message)
        return redirect("web:account-sessions")
    rows = [
        {"row": row, "agent": agents.describe(row.user_agent), "is_here": row.id == here.id}
        for row in sessions.list_for(user_id=user.id, at=at)
    ]
    return render(request, _SESSIONS, {"rows": rows})


@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """API tokens: made (shown once), listed, revoked; by the same rules as `/auth/api-tokens`."""
    user, at = member(request), clock.now()
    if request.method != "POST":
        return render(request, _TOKENS, _tokens(request))
    if request.POST.get("do") == "revoke":
        try:
            api_tokens.revoke(user_id=user.id, token_id=_id(request, "token"), at=at)
            messages.success(request, "The token opens nothing any more.")
        except NotFound as error:
            messages.error(request, error.message)
        return redirect("web:account-tokens")
    given = forms.read(request, "name", "expires_in_days", "can_trade")
    serializer = NewApiTokenSerializer(data={**given, "can_trade": bool(given["can_trade"])})
    try:
        serializer.is_valid(raise_exception=True)
        made = api_tokens.create(user=user, at=at, **serializer.validated_data)
    except (ValidationError, DomainError) as error:
        return forms.refused(request, _TOKENS, error, given=given, **_tokens(request))
    return render(request, _TOKENS, {**_tokens(request), "made": made})


def _tokens(request: HttpRequest) -> dict[str, Any]:
    rows, at = api_tokens.list_for(user_id=member(request).id), clock.now()
    living = [row for row in rows if row.revoked_at is None and row.expires_at > at]
    ended = [row for row in rows if row not in living]
    return {"living": living, "ended": ended, "lifetimes": _LIFETIMES}


def _as_picture(made: two_factor.SetUp) -> dict[str, Any]:
    """The QR code for the app, and its secret in groups of four for typing."""
    picture = segno.make(made.otpauth_uri, error="m").svg_data_uri(scale=5, border=3, light="#fff")
    groups = [made.secret[start : start + 4] for start in range(0, len(made.secret), 4)]
    return {"picture": picture, "secret": " ".join(groups), "asks_code": True}


def _session(request: HttpRequest) -> Session:
    session = page_sessions.current(request)
    assert session is not None  # a member page
    return session


def _id(request: HttpRequest, name: str) -> UUID:
    """Raises NotFound for what is no id: it is nobody's."""
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound("There is no such thing of yours.") from None
