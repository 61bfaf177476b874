"""The inbox of what exchanges report and facts do not explain, and how far the totals can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core import clock
from core.django import tenancy
from core.django.serializers import StrictSerializer
from core.errors import DomainError, Invalid
from credentials import accounts
from pipeline import rereading
from portfolio import reconciliation
from portfolio import scope as scopes
from portfolio.models import ItemKind, ItemState
from portfolio.scope import Scope
from portfolio.selectors import confidence
from portfolio.selectors import reconciliation as selectors
from portfolio.selectors.reconciliation import DifferencePage
from web.pages import forms, trust
from web.pages.access import member, member_page
from web.pages.causes import CAUSES

_PAGE: Final = "reconciliation.html"
_SHOWN: Final = 20
STATES: Final[Mapping[str, str]] = {
    ItemState.OPEN: "Open",
    ItemState.DISMISSED: "Dismissed",
    ItemState.EXPLAINED: "Explained",
}
KINDS: Final[Mapping[str, str]] = dict(ItemKind.choices) | {
    ItemKind.BALANCE: "Balance",
    ItemKind.POSITION: "Position of a contract",
    ItemKind.RESIDUAL: "Day that does not add up",
}
_DONE: Final[Mapping[str, str]] = {
    "dismiss": "Dismissed. It stays so while the difference stays as it is.",
    "reopen": "It is open again.",
    "again": "It is being read again. If the missing fact comes, the difference goes by itself.",
}


class _AnswerSerializer(StrictSerializer):
    item = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    decision = serializers.ChoiceField(choices=list(_DONE))
    reason = serializers.CharField(max_length=500, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["decision"] == "dismiss" and not attrs["reason"].strip():
            raise serializers.ValidationError({"reason": "Say why it is right as it is."})
        return attrs


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the inbox is looked at. Unknown choices are the usual ones; an account that is not there is a 404."""

    state: str
    kind: str
    account: str

    def query(self, **changed: str | None) -> str:
        asked = {"state": self.state, "kind": self.kind, "account": self.account, **changed}
        return urlencode({name: value for name, value in asked.items() if value})


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def inbox(request: HttpRequest) -> HttpResponse:
    """Open differences unless others are chosen, newest first; a form each, by the same rules as the API."""
    if request.method != "POST":
        return render(request, _PAGE, _shown(request))
    given = forms.read(request, "item", "decision", "reason")
    try:
        _answer(request, given)
    except (ValidationError, DomainError) as error:
        return forms.refused(request, _PAGE, error, given=given, **_shown(request))
    messages.success(request, _DONE[given["decision"]])
    return redirect(request.get_full_path())


def _answer(request: HttpRequest, given: Mapping[str, str]) -> None:
    serializer = _AnswerSerializer(data=given)
    serializer.is_valid(raise_exception=True)
    told, user_id, at = serializer.validated_data, member(request).id, clock.now()
    if told["decision"] == "again":
        rereading.read_again(user_id=user_id, item_id=told["item"], at=at)
        return
    with tenancy.acting_as(user_id):
        if told["decision"] == "dismiss":
            reconciliation.dismiss(item_id=told["item"], reason=told["reason"], at=at)
        else:
            reconciliation.reopen(item_id=told["item"], at=at)


def _shown(request: HttpRequest) -> dict[str, Any]:
    user, at = member(request), clock.now()
    choice = _choice(request)
    with tenancy.acting_as(user.id):
        scope = _scope(choice)
        page = _page(scope, choice, request.GET.get("cursor"))
        return {
            "choice": choice,
            "states": {state: (name, choice.query(state=state)) for state, name in STATES.items()},
            "kinds": KINDS,
            "accounts": accounts.list_synced(user_id=user.id),
            "currency": user.reporting_currency,
            "items": [(item, CAUSES[item.cause]) for item in page.results],
            "older": choice.query(cursor=page.next_cursor) if page.next_cursor else "",
            "open_count": selectors.open_count(scope=scope),
            "comparisons": selectors.comparisons(scope=scope),
            "trust": trust.in_words(confidence.confidence(scope=scope, at=at)),
        }


def _choice(request: HttpRequest) -> Choice:
    def known(name: str, values: Sequence[str], usual: str) -> str:
        given = request.GET.get(name, "")
        return given if given in values else usual

    return Choice(
        state=known("state", list(STATES), ItemState.OPEN.value),
        kind=known("kind", list(KINDS), ""),
        account=request.GET.get("account", ""),
    )


def _scope(choice: Choice) -> Scope:
    try:
        return scopes.resolve(account=choice.account or None)
    except DomainError:
        raise Http404 from None


def _page(scope: Scope, choice: Choice, cursor: str | None) -> DifferencePage:
    """A cursor of nobody leads to the newest."""
    read = partial(selectors.items, scope=scope, limit=_SHOWN, state=choice.state, kind=choice.kind or None)
    try:
        return read(cursor=cursor or None)
    except Invalid:
        return read()
