"""All closed trades of a time, or the positions they closed: filtered, added up, a page at a time."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from core.django import tenancy
from credentials import accounts
from portfolio.selectors import notes, pairs, trades
from portfolio.selectors.performance import period_for
from web.pages import lists, trust
from web.pages.access import member, member_page

VIEWS: Final[Mapping[str, str]] = {"trades": "Trades", "positions": "Closed positions"}
_FILTERS: Final = {"trades": ("symbol", "strategy", "tag"), "positions": ("symbol", "strategy")}


@member_page
@require_safe
def trades_page(request: HttpRequest) -> HttpResponse:
    """The same rows as `GET /api/trades/history` and `/api/trades/pairs`, for people."""
    user, at = member(request), clock.now()
    known = {"view": VIEWS, "period": [lists.DEFAULT_PERIOD, *lists.PERIODS]}
    asked = lists.chosen(request, "account", "symbol", "strategy", "tag", known=known)
    filters = {name: asked[name] for name in _FILTERS[asked["view"]] if asked[name]}
    read: Any = trades.history if asked["view"] == "trades" else pairs.pairs
    with tenancy.acting_as(user.id):
        scope = lists.scope(asked["account"])
        period = period_for(lists.window(asked["period"]), scope=scope, at=at)
        names = trades.names(scope=scope, period=period)
        if "symbol" in filters:
            filters["symbol"] = lists.nearest(filters["symbol"], names.symbols)
        page = read(scope=scope, period=period, limit=lists.SHOWN, after=lists.place(request), **filters)
        context = {
            "page": page,
            "tags": notes.tags_of(page.trades) if asked["view"] == "trades" else {},
            "names": names,
            "accounts": accounts.list_synced(user_id=user.id),
            "trust": trust.of(scope, at=at, period=period),
        }
    links = {
        "views": lists.choices(asked, "view", VIEWS),
        "periods": lists.choices(asked, "period", lists.PERIODS),
        **lists.pages(request, asked, page.next_cursor),
    }
    own = {"chosen": asked, "filters": filters, "currency": user.reporting_currency}
    return render(request, "trades.html", {**own, **context, **links})
