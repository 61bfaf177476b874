"""The dashboard: one page of fragments, each of which can also be asked for alone and is polled with its ETag.

A fragment's function makes its calls of `portfolio.selectors`, the same ones that answer the API, and returns what
its template shows. All of it is evaluated inside the owner's door, before anything is rendered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import conditional_page, require_POST, require_safe

from accounts.models import User
from core import clock
from core.django import tenancy
from core.errors import DomainError
from credentials import accounts
from pipeline import runs
from pipeline.connectivity import connectivity, known_as_of
from pipeline.models import Trigger
from portfolio import scope as scopes
from portfolio.accounting.periods import PeriodKind
from portfolio.scope import Scope
from portfolio.selectors import brackets
from portfolio.selectors.balances import asset_balances
from portfolio.selectors.curve import CurvePoint, EquityCurve, equity_curve
from portfolio.selectors.performance import performance, period_for, strategies
from portfolio.selectors.positions import open_positions
from portfolio.selectors.reconciliation import open_count
from portfolio.selectors.snapshot import snapshot
from portfolio.selectors.trades import history
from web.pages import lists, trust
from web.pages.access import member, member_page
from web.pages.metric_rows import COMPARED, METRICS
from web.pages.sync_state import sync_card
from web.pages.trust import Trust
from web.templatetags.figures import DASH, day_text, written

_CHANGES: Final[Mapping[str, str]] = {"1 d": "1d", "7 d": "7d", "30 d": "30d"}
_LAST_TRADES: Final = 10
_BENCHMARK: Final = "BTC"


@dataclass(frozen=True)
class Reader:
    """Who looks, at which accounts, when."""

    user_id: UUID
    scope: Scope
    currency: str
    at: datetime
    period: str
    account: str

    @property
    def query(self) -> str:
        """The choice of accounts as a query string, to be carried along."""
        return urlencode({"account": self.account}) if self.account else ""

    @cached_property
    def trust(self) -> Trust | None:
        """How far the totals can be trusted; read once, inside the open door."""
        return trust.of(self.scope, at=self.at)


Context = Mapping[str, Any]


@member_page
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page at once, so that it is complete without scripts."""
    user = member(request)
    with tenancy.acting_as(user.id):
        reader = _reader(request, user)
        context: dict[str, Any] = {"connected": accounts.list_synced(user_id=user.id), "reader": reader}
        for read in FRAGMENTS.values():
            context |= read(reader)
    return render(request, "dashboard.html", context)


@member_page
@require_safe
@conditional_page
def fragment(request: HttpRequest, name: str) -> HttpResponse:
    """One part of the dashboard; 304 while it is the same."""
    if name not in FRAGMENTS:
        raise Http404
    user = member(request)
    with tenancy.acting_as(user.id):
        reader = _reader(request, user)
        context = {"reader": reader, **FRAGMENTS[name](reader)}
    return render(request, f"fragments/{name}.html", context)


@member_page
@require_safe
def equity_table(request: HttpRequest) -> HttpResponse:
    """The curve's points as a table, newest first."""
    user = member(request)
    with tenancy.acting_as(user.id):
        reader = _reader(request, user)
        context = {"reader": reader, **_equity(reader)}
    return render(request, "equity.html", {**context, "points": context["curve"].data_points[::-1]})


@member_page
@require_POST
def sync_now(request: HttpRequest) -> HttpResponse:
    """Ask for a run of every connected account."""
    user_id = member(request).id
    connected = [account.id for account in accounts.list_synced(user_id=user_id)]
    runs.request(user_id=user_id, account_ids=connected, trigger=Trigger.USER, at=clock.now())
    return redirect("web:dashboard")


def _reader(request: HttpRequest, user: User) -> Reader:
    """Raises Http404 for an account that is not this user's. An unknown period is the usual one."""
    account = request.GET.get("account", "")
    try:
        scope = scopes.resolve(account=account or None)
    except DomainError:
        raise Http404 from None
    period = request.GET.get("period", "")
    return Reader(
        user_id=user.id,
        scope=scope,
        currency=user.reporting_currency,
        at=clock.now(),
        period=period if period in lists.PERIODS else lists.DEFAULT_PERIOD,
        account=account,
    )


def _summary(reader: Reader) -> Context:
    all_time = period_for(PeriodKind.ALL_TIME, scope=reader.scope, at=reader.at)
    return {
        "snapshot": snapshot(scope=reader.scope, currency=reader.currency, at=reader.at),
        "all_time": performance(scope=reader.scope, period=all_time, currency=reader.currency, at=reader.at),
        "changes": [_change(reader, label, window) for label, window in _CHANGES.items()],
        "open": open_positions(scope=reader.scope, at=reader.at),
        "trust": reader.trust,
        "open_count": open_count(scope=reader.scope),
        "fresh": known_as_of(user_id=reader.user_id, scope=reader.scope, at=reader.at),
    }


def _change(reader: Reader, label: str, window: str) -> Context:
    """What the trading made over some days; deposits and withdrawals are neutral."""
    period = period_for(window, scope=reader.scope, at=reader.at)
    curve = equity_curve(scope=reader.scope, period=period)
    made = None
    if curve.initial_balance is not None and curve.current_balance is not None and len(curve.data_points) > 1:
        made = curve.current_balance - curve.initial_balance - curve.total_flows
    return {
        "label": label,
        "since": day_text(period.first_day),
        "made": made,
        "percent": curve.total_return_percentage,
        "reason": curve.reasons.get("total_return_percentage", ""),
    }


def _equity(reader: Reader) -> Context:
    period = period_for(lists.window(reader.period), scope=reader.scope, at=reader.at)
    curve = equity_curve(
        scope=reader.scope,
        period=period,
        currency=reader.currency,
        benchmark=_BENCHMARK,
    )
    return {
        "curve": curve,
        "equity_points": [_point(point, reader.currency) for point in curve.data_points],
        "finding": _finding(curve, reader.currency),
        "periods": lists.PERIODS,
        "curve_trust": trust.of(reader.scope, at=reader.at, period=period),
    }


def _point(point: CurvePoint, currency: str) -> dict[str, str | None]:
    """For the chart, which draws from the numbers and reads out the texts."""
    doubt = "" if point.grade == "complete" else f" ({point.grade})"
    return {
        "day": point.date.isoformat(),
        "balance": str(point.balance),
        "drawdown": str(point.drawdown_percent),
        "flow": str(point.flows) if point.flows else None,
        "flow_text": f"{written(point.flows, places=2, signed=True)} {currency}" if point.flows else None,
        "benchmark": None if point.benchmark_balance is None else str(point.benchmark_balance),
        "label": day_text(point.date) + doubt,
        "balance_text": f"{written(point.balance, places=2)} {currency}",
        "drawdown_text": f"{written(-point.drawdown_percent, places=2)} %",
    }


def _finding(curve: EquityCurve, currency: str) -> str:
    """What the chart shows, for those who do not see it."""
    if len(curve.data_points) < 2 or curve.initial_balance is None or curve.current_balance is None:
        return "There are not enough days yet to draw a curve."
    first, last = curve.data_points[0].date, curve.data_points[-1].date
    total, fall = curve.total_return_percentage, curve.max_drawdown
    return (
        f"Equity went from {written(curve.initial_balance, places=2)} to "
        f"{written(curve.current_balance, places=2)} {currency} between {day_text(first)} and {day_text(last)}; "
        f"return {DASH if total is None else written(total, places=2, signed=True)} %, deposits and withdrawals "
        f"taken out; deepest fall {DASH if fall is None else written(fall, places=2)} %."
    )


def _positions(reader: Reader) -> Context:
    left_alone = brackets.brackets(scope=reader.scope, orphaned=True).results
    legs = sum(bool(leg.orphaned) for each in left_alone for leg in (*each.targets, *each.stops))
    return {"open": open_positions(scope=reader.scope, at=reader.at), "orphaned_legs": legs}


def _trades(reader: Reader) -> Context:
    all_time = period_for(PeriodKind.ALL_TIME, scope=reader.scope, at=reader.at)
    return {"trades": history(scope=reader.scope, period=all_time, limit=_LAST_TRADES)}


def _metrics(reader: Reader) -> Context:
    names = {
        "Today": PeriodKind.DAILY,
        "This week": PeriodKind.WEEKLY,
        "This month": PeriodKind.MONTHLY,
        "All time": PeriodKind.ALL_TIME,
    }
    columns = {
        name: performance(
            scope=reader.scope,
            period=period_for(kind, scope=reader.scope, at=reader.at),
            currency=reader.currency,
            at=reader.at,
        )
        for name, kind in names.items()
    }
    periods = columns.values()
    named = strategies(
        scope=reader.scope,
        period=period_for(PeriodKind.ALL_TIME, scope=reader.scope, at=reader.at),
        currency=reader.currency,
        at=reader.at,
    )
    return {
        "metrics": columns,
        "metric_groups": METRICS,
        "sample": list(periods)[-1].sample,
        "fallen": list(periods)[-1],
        "strategies": named if any(row.strategy for row in named) else [],
        "compared": COMPARED,
        "trust": reader.trust,
    }


def _balances(reader: Reader) -> Context:
    found = asset_balances(scope=reader.scope, currency=reader.currency, at=reader.at)
    several = len({row.account_id for row in found.results}) > 1
    return {"balances": found, "several": several, "trust": reader.trust}


def _allocation(reader: Reader) -> Context:
    return {"snapshot": snapshot(scope=reader.scope, currency=reader.currency, at=reader.at)}


def _sync(reader: Reader) -> Context:
    return {"sync": sync_card(user_id=reader.user_id, scope=reader.scope, at=reader.at)}


def _outages(reader: Reader) -> Context:
    return {"connectivity": connectivity(user_id=reader.user_id, at=reader.at)}


FRAGMENTS: Final[Mapping[str, Callable[[Reader], Context]]] = {
    "outages": _outages,
    "summary": _summary,
    "equity": _equity,
    "sync": _sync,
    "allocation": _allocation,
    "positions": _positions,
    "balances": _balances,
    "trades": _trades,
    "metrics": _metrics,
}
