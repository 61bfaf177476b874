"""The figures of a period from its trades and its part of the equity index: one rule for rows kept and computed."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from core.money import ZERO
from portfolio.accounting import ratios, returns, statistics
from portfolio.accounting.measure import percent, split
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import EquityDay, IndexPoint
from portfolio.accounting.trade_sums import TradeSums


def equity_day(*, day: date, total: Decimal, flows: Decimal, unexplained: Decimal, doubts: str) -> EquityDay:
    """A snapshot as the returns take it.

    What nobody can explain came or went like a flow: it is no performance. A day whose holdings have no price at
    all is a gap, not a total loss.
    """
    is_unpriced = total == 0 and "unpriced:" in doubts
    return EquityDay.of_flow(day, None if is_unpriced else total, flows + unexplained)


def merge_equity(accounts: Sequence[Mapping[date, EquityDay]]) -> list[EquityDay]:
    """Several accounts as one line. An account's missing day stands at its last value; before its first it is not
    there, and its first day's equity came in as its own flows say."""
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


def figures(
    *, period: Period, sums: TradeSums, points: Sequence[IndexPoint]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns of the performance metrics, and for every undefined one its reason."""
    equity = ratios.measure(points)
    trades = statistics.measure(sums, average_capital=equity.average_capital.value)
    values, reasons = split(trades)
    equity_values, equity_reasons = split(equity)
    values = {**equity_values, **values}
    reasons = {**equity_reasons, **reasons}
    values["return_percentage"] = values.pop("total_return_percentage")
    if "total_return_percentage" in reasons:
        reasons["return_percentage"] = reasons.pop("total_return_percentage")
    values["cost_unknown_trades"] = trades.unknown_cost_trades
    values["total_portfolio_value"] = points[-1].equity if points else None
    if period.kind is PeriodKind.DAILY and len(points) == 2:
        made = points[1].profit - points[0].profit
        values["daily_pnl"] = made
        values["daily_pnl_percent"] = percent(made, points[1].base).value if points[1].base else None
    return values, reasons
