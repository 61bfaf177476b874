"""Where a number comes from: its tree, to be opened level by level."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from core.django import tenancy
from core.errors import DomainError
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.scope import resolve
from portfolio.selectors.trees.day import day_tree
from portfolio.selectors.trees.metric import metric_tree
from portfolio.selectors.trees.node import ExplanationTree
from portfolio.selectors.trees.position import position_tree
from portfolio.selectors.trees.snapshot import snapshot_tree
from portfolio.selectors.trees.trade import trade_tree
from web.pages import trust
from web.pages.access import member, member_page
from web.pages.trust import Trust

_TREES: Final[Mapping[str, tuple[Callable[..., ExplanationTree], str]]] = {
    "trade": (trade_tree, "trade_id"),
    "position": (position_tree, "position_id"),
    "snapshot": (snapshot_tree, "snapshot_id"),
    "day": (day_tree, "day"),
    "metric": (metric_tree, "metric_id"),
}
_OF_ROWS: Final = ("trade", "position")
_OF_ACCOUNTS: Final = ("day", "metric")
_OF_NOW: Final = ("position",)
_OF_STRATEGIES: Final = ("metric",)
_OF_TOTALS: Final = ("metric",)
"""What the grade of the accounts is of. A day has its own, of what was held then and its prices."""
_MAX_DIGITS: Final = 18


@member_page
@require_safe
def explain(request: HttpRequest, kind: str, row_id: str) -> HttpResponse:
    """The same tree as `GET /api/explain/{kind}/{id}`, for people. What is not theirs is not there."""
    if kind not in _TREES:
        raise Http404
    make, name = _TREES[kind]
    wanted: dict[str, Any] = {
        name: _number(row_id) if kind in _OF_ROWS else row_id,
        "part": request.GET.get("part", ""),
        "after": _number(request.GET.get("after", "0")),
    }
    if kind in _OF_ACCOUNTS:
        wanted["account"] = request.GET.get("account") or None
    if kind in _OF_NOW:
        wanted["at"] = clock.now()
    if kind in _OF_STRATEGIES:
        wanted["strategy"] = request.GET.get("strategy", "").replace("\0", "")
    try:
        with tenancy.acting_as(member(request).id):
            tree = make(**wanted)
            told = _trust(tree) if kind in _OF_TOTALS else None
    except DomainError:
        raise Http404 from None
    unchecked = sum(check.equal is None for check in tree.checks)
    differing = [check for check in tree.checks if check.equal is False]
    context = {"tree": tree, "unchecked": unchecked, "differing": differing, "trust": told}
    return render(request, "explain.html", context)


def _trust(tree: ExplanationTree) -> Trust | None:
    """Of the accounts and the period that metrics are of."""
    told = tree.details
    start, end = (datetime.fromisoformat(told[name]) for name in ("period_start", "period_end"))
    period = Period(PeriodKind(told["period"]), start, end)
    return trust.of(resolve(account=told.get("account")), at=clock.now(), period=period)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise Http404
    return int(text)
