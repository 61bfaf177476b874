"""What trading cost: totals by month, exchange, coin and type, and every single fee."""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from core.django import tenancy
from credentials import accounts
from portfolio.selectors import fees
from portfolio.selectors.performance import period_for
from web.pages import lists, trust
from web.pages.access import member, member_page

TYPES: Final[Mapping[str, str]] = {
    "": "all",
    "MAKER": "maker",
    "TAKER": "taker",
    "WITHDRAWAL": "withdrawal",
    "CONVERSION": "conversion",
    "FUNDING": "funding",
}


@member_page
@require_safe
def fees_page(request: HttpRequest) -> HttpResponse:
    """The same numbers as `GET /api/fees/summary` and `/api/fees`, for people."""
    user, at = member(request), clock.now()
    known = {"period": [lists.DEFAULT_PERIOD, *lists.PERIODS], "type": TYPES}
    asked = lists.chosen(request, "account", known=known)
    with tenancy.acting_as(user.id):
        scope = lists.scope(asked["account"])
        period = period_for(lists.window(asked["period"]), scope=scope, at=at)
        summary = fees.summary(scope=scope, period=period, currency=user.reporting_currency)
        page = fees.fees_page(
            account_ids=scope.account_ids,
            fee_type=asked["type"] or None,
            since=period.start,
            until=period.end,
            limit=lists.SHOWN,
            after=lists.place(request),
        )
        context = {
            "page": page,
            "summary": summary,
            "funding": -summary.funding.value,
            "groups": {"Month": summary.by_month, "Exchange": summary.by_exchange, "Type": summary.by_type},
            "accounts": accounts.list_synced(user_id=user.id),
            "trust": trust.of(scope, at=at, period=period),
        }
    links = {
        "periods": lists.choices(asked, "period", lists.PERIODS),
        "types": TYPES,
        **lists.pages(request, asked, page.next_cursor),
    }
    return render(request, "fees.html", {"chosen": asked, **context, **links})
