"""Coins that came in: what they cost, and which withdrawal they were."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core.django.serializers import StrictSerializer
from core.errors import DomainError
from core.money import DIGITS, PLACES
from portfolio import statements
from web.pages import forms
from web.pages.access import member, member_page

_PAGE = "transfers.html"
_MAX_ID = 2**63 - 1


class _CostSerializer(StrictSerializer):
    transfer = serializers.IntegerField(min_value=1, max_value=_MAX_ID)
    cost = serializers.DecimalField(max_digits=DIGITS, decimal_places=PLACES, min_value=0, allow_null=True)
    note = serializers.CharField(max_length=1000, allow_blank=True)


class _DeclareSerializer(StrictSerializer):
    outgoing = serializers.IntegerField(min_value=1, max_value=_MAX_ID)
    incoming = serializers.IntegerField(min_value=1, max_value=_MAX_ID)


class _PairSerializer(StrictSerializer):
    pair = serializers.IntegerField(min_value=1, max_value=_MAX_ID)
    decision = serializers.ChoiceField(choices=["confirm", "reject"])


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def transfers(request: HttpRequest) -> HttpResponse:
    """Lists with a form each; by the same rules as `PATCH /api/transfers/{id}` and `/api/own-transfers`."""
    user = member(request)
    if request.method != "POST":
        return render(request, _PAGE, {"asked": statements.asked(user_id=user.id)})
    try:
        if "pair" in request.POST:
            _decide(request)
        elif "incoming" in request.POST:
            _declare(request)
        else:
            _state(request)
    except (ValidationError, DomainError) as error:
        given = forms.read(request, "transfer", "cost", "note", "incoming", "outgoing")
        return forms.refused(request, _PAGE, error, given=given, asked=statements.asked(user_id=user.id))
    messages.success(request, "Saved. The coin's book is folded anew, which takes a moment.")
    return redirect("web:transfers")


def _state(request: HttpRequest) -> None:
    given = forms.read(request, "transfer", "cost", "note")
    serializer = _CostSerializer(data={**given, "cost": given["cost"].strip() or None})
    serializer.is_valid(raise_exception=True)
    told = serializer.validated_data
    statements.state_cost(
        user_id=member(request).id, transfer_id=told["transfer"], cost=told["cost"], note=told["note"]
    )


def _declare(request: HttpRequest) -> None:
    serializer = _DeclareSerializer(data=forms.read(request, "outgoing", "incoming"))
    serializer.is_valid(raise_exception=True)
    told = serializer.validated_data
    statements.declare(user_id=member(request).id, outgoing_id=told["outgoing"], incoming_id=told["incoming"])


def _decide(request: HttpRequest) -> None:
    serializer = _PairSerializer(data=forms.read(request, "pair", "decision"))
    serializer.is_valid(raise_exception=True)
    told = serializer.validated_data
    statements.decide(user_id=member(request).id, pair_id=told["pair"], is_one=told["decision"] == "confirm")
