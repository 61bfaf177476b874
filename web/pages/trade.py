"""A trade's own page: how its PnL came about, and what its owner notes on it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core.django import tenancy
from core.errors import NotFound
from orders.serializers import OrderNotesSerializer
from portfolio import statements
from portfolio.selectors import brackets, notes, trades
from portfolio.selectors.explain import explain
from web.pages import forms
from web.pages.access import member, member_page

_PAGE = "trade.html"


class _NotesSerializer(OrderNotesSerializer):
    order = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


@member_page
@require_safe
def trade(request: HttpRequest, trade_id: int) -> HttpResponse:
    """The same tree as `GET /api/trades/{id}/explain`, for people. Somebody else's trade is not there."""
    return render(request, _PAGE, _shown(request, trade_id))


@member_page
@require_POST
def trade_notes(request: HttpRequest, trade_id: int) -> HttpResponse:
    """Note, tags and strategy of one of its orders, by the same rules as `PATCH /api/orders/{id}`."""
    given = forms.read(request, "order", "strategy", "note", "tags")
    tags = [tag.strip() for tag in given["tags"].split(",") if tag.strip()]
    serializer = _NotesSerializer(data={**given, "tags": tags})
    try:
        serializer.is_valid(raise_exception=True)
        said = dict(serializer.validated_data)
        statements.annotate(user_id=member(request).id, order_id=said.pop("order"), **said)
    except ValidationError as error:
        return forms.refused(request, _PAGE, error, given=given, **_shown(request, trade_id))
    except NotFound:
        raise Http404 from None
    messages.success(request, "Saved.")
    return redirect("web:trade", trade_id)


def _shown(request: HttpRequest, trade_id: int) -> dict[str, Any]:
    try:
        with tenancy.acting_as(member(request).id):
            row = trades.find(trade_id=trade_id)
            tree = explain(trade_id=trade_id)
            bracket, noted = brackets.of_trade(row), notes.of_trade(row)
    except NotFound:
        raise Http404 from None
    unchecked = sum(check.equal is None for check in tree.checks)
    return {"tree": tree, "trade": tree.trade, "unchecked": unchecked, "bracket": bracket, "noted": noted}
