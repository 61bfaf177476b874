"""The tree of a row of performance metrics: sums by day, and the figures that follow from them."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

from django.db.models import F, QuerySet, Sum

from core import clock
from core.errors import NotFound
from core.money import CONTEXT, ZERO
from credentials.models import ExchangeAccount
from credentials.scope import Scope, resolve
from portfolio.accounting import drawdown, ratios
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.metrics import FORMULA_VERSION
from portfolio.models import PerformanceMetric, PeriodType
from portfolio.selectors import curve, performance
from portfolio.selectors.check import Check, check
from portfolio.selectors.performance import WHOLE, Part
from portfolio.selectors.trees import facts, metric_trades, node
from portfolio.selectors.trees.metric_trades import Traded
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree, Rule, texts

_MAX_ID: Final = 2**63 - 1
_OF_RETURNS: Final = (
    ("return_percentage", "Time-weighted return", "product of (equity + paid out) ÷ (equity before + paid in), less 1"),
    ("max_drawdown", "Deepest fall", "largest fall of the flow-adjusted index from a peak"),
    ("sharpe_ratio", "Sharpe", "mean daily return ÷ its deviation × √365"),
    ("sortino_ratio", "Sortino", "mean daily return ÷ its downside deviation × √365"),
)  # fmt: skip


class _Day(NamedTuple):
    """Sums over a day's trades of known cost."""

    day: date
    net: Decimal
    gross: Decimal
    fees: Decimal
    profit: Decimal
    loss: Decimal
    trades: int
    wins: int
    losses: int


def metric_tree(
    *, metric_id: str, account: str | None = None, strategy: str = "", part: str = "", after: int = 0
) -> ExplanationTree:
    """By row id, or by a kind of period (`daily` … `all_time`) of all live accounts or of one: its newest row, or with
    a day, as in `daily:2026-01-31`, the period that holds the day (all time: up to it), kept or not. Of a `strategy`
    alone, if one is named."""
    row = _find(metric_id, account, strategy)
    of = Traded(row, [row.account_id] if row.account_id else resolve().account_ids)
    days = _days(of)
    return node.tree(
        kind="metric",
        row_id=of.name,
        title=f"{row.period_type.replace('_', ' ').capitalize()} from {row.period_start:%Y-%m-%d}",
        currency=row.currency,
        root=_root(of, days, part, after),
        details=_details(row),
        checks=[] if part or row.strategy else list(_measured_anew(of)),
    )


def _measured_anew(of: Traded) -> Iterator[Check]:
    """What follows from the equity of the period's days, once more, from day to day in exact decimals."""
    row = of.row
    period = Period(PeriodKind(row.period_type), row.period_start, row.period_end)
    with localcontext(CONTEXT):
        index = curve.measured(account_ids=of.account_ids, period=period)
        found = {
            "return_percentage": ratios.total_return(index).value,
            "max_drawdown": drawdown.deepest(index).percent.value,
        }
    formulas = {name: formula for name, _, formula in _OF_RETURNS}
    for name, value in found.items():
        yield check(f"total_net_pnl/{name}", "days", formulas[name], getattr(row, name), value)


def _root(of: Traded, days: Sequence[_Day], part: str, after: int) -> ExplanationNode:
    """The whole tree's, or one list's."""
    whole = _net(of, days, after)
    if part == "days":
        return node.summed("total_net_pnl", "Net result", of.row.currency, whole.formula, whole.children)
    if part == "wins":
        return metric_trades.won(of, *_sums(days, "profit", "wins"))
    if part == "losses":
        return metric_trades.lost(of, *_sums(days, "loss", "losses"))
    if part.startswith("trades:"):
        return metric_trades.of_day(of, part.removeprefix("trades:"), after)
    if part:
        raise NotFound("There is no such part of metrics.")
    whole.children.extend(_beside(of, days))
    return whole


def _sums(days: Sequence[_Day], *names: str) -> Any:
    return [sum((getattr(each, name) for each in days), ZERO) for name in names]


def _find(text: str, account: str | None, strategy: str) -> PerformanceMetric:
    kind, _, day = text.partition(":")
    if text.isascii() and text.isdecimal():
        found = PerformanceMetric.objects.filter(id=min(int(text), _MAX_ID))
        if account:
            found = found.filter(account_id=resolve(account=account).account_ids[0])
    elif kind.upper() not in PeriodType.values:
        raise NotFound("Give a row's id, or daily, weekly, monthly or all_time.")
    else:
        scope = resolve(account=account)
        if day:
            return _of_period(kind, _day(day), scope, strategy)
        found = _kept(scope, strategy).filter(period_type=kind.upper()).order_by("-period_start")
    row = found.first()
    if row is None:
        raise NotFound("There are no such metrics.")
    return row


def _kept(scope: Scope, strategy: str) -> QuerySet[PerformanceMetric]:
    return PerformanceMetric.objects.filter(
        strategy=strategy, account_id=None if scope.is_every_live else scope.account_ids[0]
    )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound("A day is written 2026-01-31.") from None
    if not clock.EPOCH.date() <= day < date.max - timedelta(days=366):
        raise NotFound("There are no metrics of that day.")
    return day


def _of_period(kind: str, day: date, scope: Scope, strategy: str) -> PerformanceMetric:
    """The row that is kept, or as what answers say while there is none: of a day that has just begun."""
    period = performance.period_for(kind, scope=scope, at=clock.day_start(day))
    bounds = {"period_type": period.kind, "period_start": period.start, "period_end": period.end}
    row = _kept(scope, strategy).filter(**bounds, formula_version=FORMULA_VERSION).first()
    if row is not None:
        return row
    owner = ExchangeAccount.objects.filter(id__in=scope.account_ids).select_related("user").first()
    if owner is None:
        raise NotFound("There are no such metrics.")
    currency = owner.user.reporting_currency
    part = Part(strategy=strategy) if strategy else WHOLE
    told = performance.compute(
        scope=scope, period=period, currency=currency, at=clock.day_start(day), part=part
    )
    names = {field.attname for field in PerformanceMetric._meta.concrete_fields}
    figures = {field.name: getattr(told, field.name) for field in fields(told) if field.name in names}
    return PerformanceMetric(
        **figures
        | bounds
        | {
            "account_id": None if scope.is_every_live else scope.account_ids[0],
            "strategy": strategy,
            "calculated_at": None,
            "average_hold_duration": None,
            "return_days": told.sample.return_days,
            "first_valued_day": told.sample.first_day,
            "last_valued_day": told.sample.last_day,
            "formula_version": FORMULA_VERSION,
        }
    )


def _days(of: Traded) -> list[_Day]:
    """One row a day, in one statement."""
    names = ("gross", "fees", "profit", "loss", "trades", "wins", "losses")
    made: dict[str, Any] = {"net": Sum(F("profit") - F("loss"))}
    made |= {f"{name}_sum": Sum(name) for name in names}
    return [_Day(*each) for each in of.days().values_list("day").annotate(**made).order_by("day")]


def _net(of: Traded, days: Sequence[_Day], after: int) -> ExplanationNode:
    row = of.row
    shown = [each for each in days if each.day.toordinal() > after]
    page, rest = shown[: node.LIMIT], shown[node.LIMIT :]
    children = [_day_node(of, each) for each in page]
    if rest:
        children.append(
            ExplanationNode(
                name="rest",
                title=f"{len(rest)} more days",
                value=sum((each.net for each in rest), ZERO),
                unit=row.currency,
                count=len(rest),
                link=f"{of.link('days')}&after={page[-1].day.toordinal()}",
            )
        )
    return ExplanationNode(
        name="total_net_pnl",
        title="Net result of closed trades",
        value=row.total_net_pnl,
        unit=row.currency,
        rule=Rule.SUM,
        formula="sum over the days' trades of known cost",
        children=children,
    )


def _day_node(of: Traded, each: _Day) -> ExplanationNode:
    row = of.row
    query = f"?account={row.account_id}" if row.account_id else ""
    return ExplanationNode(
        name=f"day:{each.day}",
        title=f"{each.day}",
        value=each.net,
        unit=row.currency,
        rule=Rule.SUM,
        formula="sum over its trades",
        count=each.trades,
        details=texts(trades=each.trades, wins=each.wins, losses=each.losses),
        link=f"{facts.path_of('day', each.day)}{query}",
        children=[metric_trades.of_day_link(of, each.day, each.net, each.trades)],
    )


def _beside(of: Traded, days: Sequence[_Day]) -> Iterator[ExplanationNode]:
    """The other figures, each from the same sums; they stand beside the net result."""
    row = of.row
    yield from _totals(row, days)
    wins, losses, count, net, profit, loss = _sums(days, "wins", "losses", "trades", "net", "profit", "loss")
    made, lost = metric_trades.won(of, profit, wins), metric_trades.lost(of, loss, losses)
    decided = _number("divisor", "Won or lost", wins + losses)
    result, capital = _amount("Net result", net, row), _amount("Average capital", row.average_capital, row)
    divided: tuple[tuple[str, str, str, tuple[ExplanationNode, ExplanationNode]], ...] = (
        ("win_rate", Rule.PERCENT, "wins ÷ (wins + losses) × 100", (_won(of, wins), decided)),
        ("profit_factor", Rule.RATIO, "gross profit ÷ gross loss", (made, lost)),
        (
            "average_pnl_per_trade",
            Rule.QUOTIENT,
            "net result ÷ trades",
            (result, _number("divisor", "Trades", count)),
        ),
        ("expectancy", Rule.QUOTIENT, "net result ÷ (wins + losses)", (result, decided)),
        ("roi_percentage", Rule.PERCENT, "net result ÷ average capital × 100", (result, capital)),
    )
    for name, rule, formula, parts in divided:
        yield _figure(row, name, name.replace("_", " ").capitalize(), rule, formula, parts)
    for name, title, formula in _OF_RETURNS:
        yield ExplanationNode(
            name, title, getattr(row, name), "", formula=formula, sign=0, details=_sample(row, name)
        )


def _totals(row: PerformanceMetric, days: Sequence[_Day]) -> Iterator[ExplanationNode]:
    """Sums over the same days, each as one number a side."""
    gross, fees = sum((each.gross for each in days), ZERO), sum((each.fees for each in days), ZERO)
    for name, title, value in (
        ("total_gross_pnl", "Gross result", gross),
        ("total_fees", "Fees", fees),
    ):
        over = ExplanationNode("days", f"{len(days)} days", value, row.currency, count=len(days))
        stored = getattr(row, name)
        words = "sum over the same days"
        yield ExplanationNode(name, title, stored, row.currency, Rule.SUM, words, 0, children=[over])


def _won(of: Traded, wins: Decimal) -> ExplanationNode:
    return replace(_number("dividend", "Won", wins), link=of.link("wins"))


def _number(name: str, title: str, value: Decimal) -> ExplanationNode:
    return ExplanationNode(name, title, Decimal(value), "")


def _amount(title: str, value: Decimal | None, row: PerformanceMetric) -> ExplanationNode:
    return ExplanationNode("amount", title, value, row.currency)


def _figure(
    row: PerformanceMetric, name: str, title: str, rule: str, formula: str, parts: tuple[ExplanationNode, ...]
) -> ExplanationNode:
    value = getattr(row, name)
    return ExplanationNode(
        name=name,
        title=title,
        value=value,
        unit="%" if rule == Rule.PERCENT else "",
        rule=rule if value is not None else Rule.FACT,
        formula=formula,
        sign=0,
        details=_sample(row, name) if value is None else {},
        children=list(parts),
    )


def _sample(row: PerformanceMetric, name: str) -> dict[str, str]:
    return texts(
        reason=row.reasons.get(name),
        first_day=row.first_valued_day,
        last_day=row.last_valued_day,
        return_days=row.return_days,
    )


def _details(row: PerformanceMetric) -> dict[str, str]:
    return texts(
        account=row.account_id,
        exchange=row.exchange,
        strategy=row.strategy,
        period=row.period_type,
        period_start=row.period_start,
        period_end=row.period_end,
        trades=row.total_trades,
        cost_unknown_trades=row.cost_unknown_trades,
        formula_version=row.formula_version,
        calculated_at=row.calculated_at,
    )
