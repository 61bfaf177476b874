"""Connecting an exchange account by hand, and watching the check of its key."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import conditional_page, require_http_methods, require_safe
from rest_framework.exceptions import ValidationError

from accounts import users
from core import clock
from core.errors import DomainError, NotFound
from credentials import accounts
from credentials.accounts import ConnectedAccount
from credentials.models import DATA_SOURCES, Exchange, KeyState
from credentials.serializers import NewAccountSerializer
from exchanges import registry
from web import connections
from web.pages import forms
from web.pages.access import member, member_page, recent_member_page

_FIELDS: Final = ("exchange", "label", "apiKey", "secretKey", "passphrase")
_KEPT: Final = ("exchange", "label")  # a refused form comes back without the key and its secret
_WAITING_SECONDS: Final = 1
_SETTLED_SECONDS: Final = 30
_TONES: Final = {
    KeyState.UNCHECKED: "warn",
    KeyState.GOOD: "good",
    KeyState.FAILING: "warn",
    KeyState.DISABLED: "bad",
}


@sensitive_post_parameters("apiKey", "secretKey", "passphrase")
@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("given", "serializer")
def connect(request: HttpRequest) -> HttpResponse:
    """The form, by the same rules as `POST /api-credentials/save-credentials`; the key's check begins at once."""
    if request.method != "POST":
        return _form(request, {}, {})
    given = forms.read(request, *_FIELDS)
    try:
        users.require_verified(member(request))
        serializer = NewAccountSerializer(data=given)
        serializer.is_valid(raise_exception=True)
        connected = connections.connect(
            user_id=member(request).id, at=clock.now(), **serializer.validated_data
        )
    except accounts.LabelTaken as error:
        return _form(request, given, {"label": error.message})
    except (ValidationError, DomainError) as error:
        return _form(request, given, forms.by_field(error))
    return redirect("web:connection", account_id=connected.account.id)


@member_page
@require_safe
def connection(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """What the exchange says of the key; looks again by itself while that is not known."""
    return render(request, "connection.html", _state(request, account_id))


@member_page
@require_safe
@conditional_page
def connection_state(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The part of it that changes; 304 while it is the same."""
    return render(request, "fragments/connection.html", _state(request, account_id))


def _state(request: HttpRequest, account_id: UUID) -> dict[str, Any]:
    """Raises Http404 for what is not one's own living account."""
    try:
        connected = accounts.show(user_id=member(request).id, account_id=account_id)
    except NotFound:
        raise Http404 from None
    account = connected.account
    return {
        "connected": connected,
        "account": account,
        "exchange": Exchange(account.exchange).label,
        "verdict": _verdict(connected),
        "tone": _tone(connected),
        "pace": _WAITING_SECONDS if connected.is_waiting else _SETTLED_SECONDS,
        "version": f"{account.id} {account.key_state} {account.updated_at}",
    }


def _tone(connected: ConnectedAccount) -> str:
    if connected.is_waiting:
        return "busy"
    return "good" if connected.account.is_data_source else _TONES[KeyState(connected.account.key_state)]


def _verdict(connected: ConnectedAccount) -> str:
    """In a word or two."""
    account = connected.account
    if account.is_data_source:
        return "Saved"
    if connected.is_waiting:
        return "Checking the key"
    return {
        KeyState.UNCHECKED: "Not checked yet",
        KeyState.GOOD: "Accepted",
        KeyState.FAILING: "Refused once",
        KeyState.DISABLED: "Not used",
    }[KeyState(account.key_state)]


def _form(request: HttpRequest, given: Mapping[str, str], errors: Mapping[str, str]) -> HttpResponse:
    context = {
        "exchanges": {name: exchange.title for name, exchange in registry.supported().items()},
        "with_passphrase": [each.title for each in registry.supported().values() if each.needs_passphrase],
        "sources": {name: Exchange(name).label for name in sorted(DATA_SOURCES)},
        "can_save": _can_save(request),
        "given": {name: given.get(name, "") for name in _KEPT},
        "errors": errors,
        "stray": [text for name, text in errors.items() if name not in _FIELDS],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "connect.html", context, status=status)


def _can_save(request: HttpRequest) -> bool:
    try:
        users.require_verified(member(request))
    except DomainError:
        return False
    return True
