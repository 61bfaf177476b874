"""The tree of a row of performance metrics: sums by day, and the figures that follow from them."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import F, Sum

from core.errors import NotFound
from core.money import ZERO
from credentials.scope import resolve
from portfolio.models import PerformanceMetric, PeriodType, TradeDay
from portfolio.selectors.trees import facts, node
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
    *, metric_id: str, account: str | None = None, part: str = "", after: int = 0
) -> ExplanationTree:
    """By row id, or the newest row of a kind of period (`daily` … `all_time`) of all live accounts or of one."""
    row = _find(metric_id, account)
    days = _days(row)
    if part not in ("", "days"):
        raise NotFound("There is no such part of metrics.")
    root = _net(row, days, after)
    if part:
        root = node.summed("total_net_pnl", "Net result", row.currency, root.formula, root.children)
    else:
        root.children.extend(_beside(row, days))
    return node.tree(
        kind="metric",
        row_id=str(row.pk),
        title=f"{row.period_type.replace('_', ' ').capitalize()} from {row.period_start:%Y-%m-%d}",
        currency=row.currency,
        root=root,
        details=_details(row),
    )


def _find(text: str, account: str | None) -> PerformanceMetric:
    rows = PerformanceMetric.objects.all()
    if account:
        rows = rows.filter(account_id=resolve(account=account).account_ids[0])
    if text.isascii() and text.isdecimal():
        found = rows.filter(id=min(int(text), _MAX_ID)).first()
    elif text.upper() in PeriodType.values:
        rows = rows.filter(period_type=text.upper(), strategy="", account__isnull=not account)
        found = rows.order_by("-period_start").first()
    else:
        raise NotFound("Give a row's id, or daily, weekly, monthly or all_time.")
    if found is None:
        raise NotFound("There are no such metrics.")
    return found


def _days(row: PerformanceMetric) -> list[_Day]:
    """One row a day, in one statement."""
    accounts = [row.account_id] if row.account_id else resolve().account_ids
    rows = TradeDay.objects.filter(
        account_id__in=accounts, day__gte=row.period_start.date(), day__lt=row.period_end.date()
    )
    if row.strategy:
        rows = rows.filter(strategy=row.strategy)
    names = ("gross", "fees", "profit", "loss", "trades", "wins", "losses")
    made: dict[str, Any] = {"net": Sum(F("profit") - F("loss"))}
    made |= {f"{name}_sum": Sum(name) for name in names}
    return [_Day(*each) for each in rows.values_list("day").annotate(**made).order_by("day")]


def _net(row: PerformanceMetric, days: Sequence[_Day], after: int) -> ExplanationNode:
    shown = [each for each in days if each.day.toordinal() > after]
    page, rest = shown[: node.LIMIT], shown[node.LIMIT :]
    children = [_day_node(row, each, each.net) for each in page]
    if rest:
        children.append(
            ExplanationNode(
                name="rest",
                title=f"{len(rest)} more days",
                value=sum((each.net for each in rest), ZERO),
                unit=row.currency,
                count=len(rest),
                link=f"{facts.path_of('metric', row.pk)}?part=days&after={page[-1].day.toordinal()}",
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


def _day_node(row: PerformanceMetric, each: _Day, value: Decimal) -> ExplanationNode:
    query = f"?account={row.account_id}" if row.account_id else ""
    return ExplanationNode(
        name=f"day:{each.day}",
        title=f"{each.day}",
        value=value,
        unit=row.currency,
        count=each.trades,
        details=texts(trades=each.trades, wins=each.wins, losses=each.losses),
        link=f"{facts.path_of('day', each.day)}{query}",
    )


def _beside(row: PerformanceMetric, days: Sequence[_Day]) -> Iterator[ExplanationNode]:
    """The other figures, each from the same sums; they stand beside the net result."""
    yield from _totals(row, days)
    wins, losses = sum(each.wins for each in days), sum(each.losses for each in days)
    count = sum(each.trades for each in days)
    net = sum((each.net for each in days), ZERO)
    profit, loss = sum((each.profit for each in days), ZERO), sum((each.loss for each in days), ZERO)
    decided = Decimal(wins + losses)
    divided: tuple[tuple[str, str, str, tuple[Any, Any]], ...] = (
        ("win_rate", Rule.PERCENT, "wins ÷ (wins + losses) × 100", (Decimal(wins), decided)),
        ("profit_factor", Rule.RATIO, "gross profit ÷ gross loss", (profit, loss)),
        ("average_pnl_per_trade", Rule.QUOTIENT, "net result ÷ trades", (net, Decimal(count))),
        ("expectancy", Rule.QUOTIENT, "net result ÷ (wins + losses)", (net, decided)),
        ("roi_percentage", Rule.PERCENT, "net result ÷ average capital × 100", (net, row.average_capital)),
    )
    for name, rule, formula, values in divided:
        yield _figure(row, name, name.replace("_", " ").capitalize(), rule, formula, values)
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


def _figure(
    row: PerformanceMetric, name: str, title: str, rule: str, formula: str, values: tuple[Any, Any]
) -> ExplanationNode:
    value = getattr(row, name)
    parts = [
        ExplanationNode(place, place.capitalize(), each, "")
        for place, each in zip(("dividend", "divisor"), values, strict=True)
    ]
    return ExplanationNode(
        name=name,
        title=title,
        value=value,
        unit="%" if rule == Rule.PERCENT else "",
        rule=rule if value is not None else Rule.FACT,
        formula=formula,
        sign=0,
        details=_sample(row, name) if value is None else {},
        children=parts,
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
