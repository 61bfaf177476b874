"""The figures of a period from its trades and its part of the equity index: one rule for rows kept and computed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.money import ZERO
from portfolio import own_flows
from portfolio.accounting import ratios, returns, statistics
from portfolio.accounting.measure import Measure, Reason, percent, split
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.ratios import ReturnMetrics
from portfolio.accounting.returns import EquityDay, IndexPoint
from portfolio.accounting.trade_sums import TradeSums

OF_THE_WHOLE: Final = (
    "simple_return_percentage", "money_weighted_return_percentage", "xirr_percentage", "exposure_percentage",
    "total_portfolio_value",
)  # fmt: skip
"""Figures of accounts that no symbol or strategy has a share of."""
_DRAWDOWN_DATES: Final = ("drawdown_peak_date", "drawdown_trough_date", "drawdown_recovery_date")


def equity_day(*, day: date, total: Decimal, flows: Decimal, unexplained: Decimal, doubts: str) -> EquityDay:
    """A snapshot as the returns take it.

    What nobody can explain came or went like a flow: it is no performance. A day whose holdings have no price at
    all is a gap, not a total loss.
    """
    is_unpriced = total == 0 and "unpriced:" in doubts
    return EquityDay.of_flow(day, None if is_unpriced else total, flows + unexplained)


def merge_equity(
    accounts: Sequence[Mapping[date, EquityDay]], sent: Mapping[date, Decimal] | None = None
) -> list[EquityDay]:
    """Several accounts as one line. An account's missing day stands at its last value; before its first it is not
    there, and its first day's equity came in as its own flows say. `sent`: what they sent each other (`own_flows`),
    which is no flow of all together."""
    line = []
    last: dict[int, Decimal] = {}
    for day in sorted({day for days in accounts for day in days}):
        paid_in = paid_out = ZERO
        for index, days in enumerate(accounts):
            row = days.get(day)
            if row is None:
                continue
            paid_in += row.paid_in
            paid_out += row.paid_out
            if row.equity is not None:
                last[index] = row.equity
        paid_in, paid_out = own_flows.external(paid_in, paid_out, day, sent or {})
        line.append(EquityDay(day, sum(last.values(), ZERO) if last else None, paid_in, paid_out))
    return line


def points_in(line: Sequence[EquityDay], period: Period, places: Mapping[date, int]) -> list[IndexPoint]:
    """A period's index out of a whole history, beginning at 1; `places` is each day's place in the line.

    A calendar period is measured from the valued day before it (nothing, if it holds the first of all), a window
    from its own first day, as its curve is.
    """
    inside = [places[day] for day in period.days() if day in places]
    if not inside:
        return []
    first, end = inside[0], inside[-1] + 1
    if period.kind is PeriodKind.WINDOW:
        return returns.chain(line[first:end])
    if first == 0:
        return returns.chain(line[:end], opening=ZERO)
    return returns.chain(line[first - 1 : end])


def exposure(valued: Sequence[date], exposed: Collection[date]) -> Measure:
    """Of the valued days those on which a position was open at the end, or a trade closed, in percent."""
    if not valued:
        return Measure.undefined(Reason.NO_RETURNS)
    return percent(Decimal(sum(day in exposed for day in valued)), Decimal(len(valued)))


def figures(
    *,
    period: Period,
    sums: TradeSums,
    points: Sequence[IndexPoint],
    exposed: Collection[date] = (),
    is_part: bool = False,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns of the performance metrics, and for every undefined one its reason.

    `exposed`: days with a position. `is_part`: the points are a symbol's or strategy's, made by `returns.attribute`;
    what belongs to the account as a whole is undefined then.
    """
    valued = [point.day for point in points if period.first_day <= point.day <= period.last_day]
    equity = ratios.measure(points)
    trades = statistics.measure(sums, average_capital=equity.average_capital.value)
    values, reasons = split(equity)
    trade_values, trade_reasons = split(trades)
    values |= trade_values
    reasons |= trade_reasons
    _rename(values, reasons, "total_return_percentage", "return_percentage")
    values["cost_unknown_trades"] = trades.unknown_cost_trades
    values["r_multiple_trades"] = sums.multiple_count
    _put(values, reasons, "exposure_percentage", exposure(valued, exposed))
    values["total_portfolio_value"] = points[-1].equity if points else None
    values["valued_days"] = len(valued)
    values["first_valued_day"] = points[0].day if points else None
    values["last_valued_day"] = points[-1].day if points else None
    reasons |= _dates(equity)
    if period.kind is PeriodKind.DAILY and len(points) == 2:
        made = points[1].profit - points[0].profit
        values["daily_pnl"] = made
        values["daily_pnl_percent"] = percent(made, points[1].base).value if points[1].base else None
    if is_part:
        for name in OF_THE_WHOLE:
            _put(values, reasons, name, Measure.undefined(Reason.NOT_ATTRIBUTABLE))
    return values, reasons


def _dates(equity: ReturnMetrics) -> dict[str, str]:
    """Why the deepest fall has no dates."""
    depth = equity.max_drawdown
    if depth.reason is not None:
        return dict.fromkeys(_DRAWDOWN_DATES, depth.reason.value)
    if not depth.value:
        return dict.fromkeys(_DRAWDOWN_DATES, Reason.NO_DRAWDOWN.value)
    return {"drawdown_recovery_date": Reason.NOT_RECOVERED.value} if not equity.drawdown_recovery_date else {}


def _rename(values: dict[str, Any], reasons: dict[str, str], old: str, new: str) -> None:
    values[new] = values.pop(old)
    if old in reasons:
        reasons[new] = reasons.pop(old)


def _put(values: dict[str, Any], reasons: dict[str, str], name: str, figure: Measure) -> None:
    values[name] = figure.value
    reasons.pop(name, None)
    if figure.reason is not None:
        reasons[name] = figure.reason.value
