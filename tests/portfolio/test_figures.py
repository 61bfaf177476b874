from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from portfolio.accounting import lines
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import EquityDay
from portfolio.accounting.trade_sums import sum_trades
from portfolio.figures import Part, equity_day, figures, merge_equity

FIRST = date(2026, 2, 1)


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def row(number: int, total: str | None, paid_in: str = "0", paid_out: str = "0") -> EquityDay:
    return EquityDay(
        on(number), None if total is None else Decimal(total), Decimal(paid_in), Decimal(paid_out)
    )


def period(kind: PeriodKind, first: int, last: int) -> Period:
    return Period(kind, clock.day_start(on(first)), clock.day_end(on(last)))


def profits(rows: Sequence[EquityDay], over: Period) -> list[tuple[object, ...]]:
    """Of each point its day, and the money made since the first."""
    line, start, stop = lines.stretch_in(lines.of_days(rows), over)
    return [
        (date.fromordinal(line.days[place]), line.profit[place] - line.profit[start])
        for place in range(start, stop)
    ]


def measured(rows: Sequence[EquityDay], over: Period) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    stretch = lines.stretch_in(lines.of_days(rows), over)
    return figures([Part(period=over, sums=sum_trades([]), stretch=stretch)])


def made(*, flows: str, unexplained: str = "0", total: str = "100", doubts: str = "") -> EquityDay:
    return equity_day(
        day=FIRST, total=Decimal(total), flows=Decimal(flows), unexplained=Decimal(unexplained), doubts=doubts
    )


def test_what_nobody_can_explain_counts_as_paid_in_or_out() -> None:
    assert made(flows="10", unexplained="5") == row(0, "100", paid_in="15")
    assert made(flows="10", unexplained="-25") == row(0, "100", paid_out="15")


def test_holdings_without_any_price_are_a_gap_and_no_total_loss() -> None:
    assert made(flows="0", total="0", doubts="unpriced:BTC") == row(0, None)
    assert made(flows="-50", total="0") == row(0, "0", paid_out="50")


def test_accounts_add_up_by_day() -> None:
    first = {on(0): row(0, "100", paid_in="100"), on(1): row(1, "110")}
    second = {on(1): row(1, "50", paid_in="50")}

    assert merge_equity([first, second]) == [row(0, "100", paid_in="100"), row(1, "160", paid_in="50")]


def test_an_account_without_a_day_stands_at_its_last_value() -> None:
    """Trap: an outage of one account recorded as a drop."""
    first = {on(0): row(0, "100"), on(2): row(2, "120")}
    second = {on(number): row(number, "50") for number in range(3)}

    assert [day.equity for day in merge_equity([first, second])] == [150, 150, 170]


def test_no_accounts_make_no_line() -> None:
    assert merge_equity([]) == []


LINE = [row(0, "100", paid_in="100"), row(1, "110"), row(2, "130")]


def test_a_calendar_period_is_measured_from_the_valued_day_before_it() -> None:
    assert profits(LINE, period(PeriodKind.DAILY, 2, 2)) == [(on(1), 0), (on(2), 20)]


def test_a_period_that_holds_the_first_day_begins_with_nothing() -> None:
    assert profits(LINE, period(PeriodKind.MONTHLY, 0, 27)) == [
        (on(-1), 0),
        (on(0), 0),
        (on(1), 10),
        (on(2), 30),
    ]


def test_a_window_is_measured_from_its_own_first_day() -> None:
    assert profits(LINE, period(PeriodKind.WINDOW, 1, 2)) == [(on(1), 0), (on(2), 20)]


def test_a_period_without_valued_days_has_no_points() -> None:
    assert profits(LINE, period(PeriodKind.DAILY, 9, 9)) == []


def test_a_day_after_a_gap_carries_what_happened_since() -> None:
    line = [row(0, "100"), row(3, "130", paid_in="10")]

    assert profits(line, period(PeriodKind.DAILY, 3, 3)) == [(on(0), 0), (on(3), 20)]


def test_an_empty_period_is_all_reasons() -> None:
    ((values, reasons),) = measured([], period(PeriodKind.DAILY, 0, 0))

    undefined = {name for name, value in values.items() if value is None}
    assert values["total_trades"] == 0
    assert {"win_rate", "profit_factor", "sharpe_ratio", "return_percentage", "max_drawdown"} <= undefined
    assert (reasons["profit_factor"], reasons["return_percentage"]) == ("no_trades", "no_returns")
    assert "total_return_percentage" not in values.keys() | reasons.keys()


def test_only_days_tell_a_daily_result() -> None:
    for kind, last in ((PeriodKind.DAILY, 2), (PeriodKind.WEEKLY, 4)):
        over = period(kind, 2, last)
        ((values, _),) = measured(LINE, over)
        expected = (20, Decimal("18.1818")) if kind is PeriodKind.DAILY else (None, None)
        assert (values.get("daily_pnl"), values.get("daily_pnl_percent")) == expected
        assert values["total_portfolio_value"] == 130
