"""The figures of periods from their trades and their stretch of equity: one rule for rows kept and computed, for one
period and for thousands."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.money import ZERO
from portfolio import own_flows
from portfolio.accounting import ratios, statistics
from portfolio.accounting.lines import Stretch
from portfolio.accounting.measure import Measure, Reason, percent, split
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import EquityDay
from portfolio.accounting.statistics import TradeMetrics
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


@dataclass(frozen=True, slots=True)
class Part:
    """What the figures of a period are drawn from."""

    period: Period
    sums: TradeSums
    stretch: Stretch
    exposed: Collection[int] = ()
    """Days (ordinals) with a position."""
    is_part: bool = False
    """Of a symbol or strategy (`lines.attribute`): what belongs to the account as a whole is undefined."""


def figures(parts: Sequence[Part]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """For each part, in order, the columns of its performance metrics, and for every undefined one its reason.

    All parts are measured in one pass, whatever accounts and periods they are of.
    """
    equity = ratios.measure_all([part.stretch for part in parts])
    for place, part in enumerate(parts):
        values, reasons = equity.row(place)
        reasons |= _dates(values, reasons)
        trades = statistics.measure(part.sums, average_capital=values["average_capital"])
        yield _columns(part, values, reasons, trades)


def _columns(
    part: Part, values: dict[str, Any], why: dict[str, Reason], trades: TradeMetrics
) -> tuple[dict[str, Any], dict[str, str]]:
    trade_values, reasons = split(trades)
    values |= trade_values
    reasons |= {name: reason.value for name, reason in why.items()}
    _rename(values, reasons, "total_return_percentage", "return_percentage")
    values["cost_unknown_trades"] = trades.unknown_cost_trades
    values["r_multiple_trades"] = part.sums.multiple_count
    _equity(part, values, reasons)
    if part.is_part:
        for name in OF_THE_WHOLE:
            _put(values, reasons, name, Measure.undefined(Reason.NOT_ATTRIBUTABLE))
    return values, reasons


def _equity(part: Part, values: dict[str, Any], reasons: dict[str, str]) -> None:
    """What the period's days say by themselves."""
    stretch, days = part.stretch, part.stretch.days
    # Only the point that a stretch is measured from may lie before its period.
    valued = days[1:] if days and days[0] < part.period.first_day.toordinal() else days
    _put(values, reasons, "exposure_percentage", _exposure(valued, part.exposed))
    values["total_portfolio_value"] = stretch.line.equity[stretch.stop - 1] if days else None
    values["valued_days"] = len(valued)
    values["first_valued_day"] = date.fromordinal(days[0]) if days else None
    values["last_valued_day"] = date.fromordinal(days[-1]) if days else None
    if part.period.kind is PeriodKind.DAILY and len(days) == 2:
        base = stretch.line.base(stretch.stop - 1)
        values["daily_pnl"] = stretch.made
        values["daily_pnl_percent"] = percent(stretch.made, base).value if base else None


def _exposure(valued: Sequence[int], exposed: Collection[int]) -> Measure:
    """Of the valued days those on which a position was open at the end, or a trade closed, in percent."""
    if not valued:
        return Measure.undefined(Reason.NO_RETURNS)
    return percent(Decimal(sum(map(exposed.__contains__, valued))), Decimal(len(valued)))


def _dates(values: Mapping[str, Any], reasons: Mapping[str, Reason]) -> dict[str, Reason]:
    """Why the deepest fall has no dates."""
    if "max_drawdown" in reasons:
        return dict.fromkeys(_DRAWDOWN_DATES, reasons["max_drawdown"])
    if not values["max_drawdown"]:
        return dict.fromkeys(_DRAWDOWN_DATES, Reason.NO_DRAWDOWN)
    return {} if values["drawdown_recovery_date"] else {"drawdown_recovery_date": Reason.NOT_RECOVERED}


def _rename(values: dict[str, Any], reasons: dict[str, str], old: str, new: str) -> None:
    values[new] = values.pop(old)
    if old in reasons:
        reasons[new] = reasons.pop(old)


def _put(values: dict[str, Any], reasons: dict[str, str], name: str, figure: Measure) -> None:
    values[name] = figure.value
    reasons.pop(name, None)
    if figure.reason is not None:
        reasons[name] = figure.reason.value
