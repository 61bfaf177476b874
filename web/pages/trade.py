"""A trade's own page: how its PnL came about."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.django import tenancy
from core.errors import NotFound
from portfolio.selectors import brackets, trades
from portfolio.selectors.explain import explain
from web.pages.access import member, member_page


@member_page
@require_safe
def trade(request: HttpRequest, trade_id: int) -> HttpResponse:
    """The same tree as `GET /api/trades/{id}/explain`, for people. Somebody else's trade is not there."""
    try:
        with tenancy.acting_as(member(request).id):
            tree = explain(trade_id=trade_id)
            bracket = brackets.of_trade(trades.find(trade_id=trade_id))
    except NotFound:
        raise Http404 from None
    unchecked = sum(check.equal is None for check in tree.checks)
    context = {"tree": tree, "trade": tree.trade, "unchecked": unchecked, "bracket": bracket}
    return render(request, "trade.html", context)
