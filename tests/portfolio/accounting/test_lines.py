"""Columns against the exact chain, many stretches against one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import clock
from core.money import CONTEXT, quantize
from portfolio.accounting import lines, ratios
from portfolio.accounting.lines import Flow, Line, Stretch
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import EquityDay, chain
from tests.portfolio.accounting.series import balances, day

ROWS = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=3),
        st.none() | st.integers(min_value=0, max_value=10**7),
        st.sampled_from([0, 0, 0, 2500]),
        st.sampled_from([0, 0, 0, 1300]),
    ),
    min_size=1,
    max_size=40,
)
Rows = list[tuple[int, int | None, int, int]]


def history(rows: Rows) -> list[EquityDay]:
    """Days apart, equity, paid in and out, in cents."""
    days, number = [], 0
    for apart, *cents in rows:
        number += apart
        equity, paid_in, paid_out = (None if each is None else Decimal(each).scaleb(-2) for each in cents)
        days.append(EquityDay(day(number), equity, paid_in or Decimal(0), paid_out or Decimal(0)))
    return days


def figures(stretches: Sequence[Stretch]) -> list[object]:
    found = ratios.measure_all(stretches)
    return [found.row(place) for place in range(len(stretches))]


def over(kind: PeriodKind, first: int, last: int) -> Period:
    return Period(kind, clock.day_start(day(first)), clock.day_end(day(last)))


@given(ROWS)
def test_columns_are_the_exact_chain(rows: Rows) -> None:
    days = history(rows)
    points = chain(days, opening=Decimal(0))
    line = lines.of_days(days)

    assert list(line.days) == [point.day.toordinal() for point in points]
    assert [line.base(place) for place in range(len(points))] == [point.base for point in points]
    assert list(line.profit) == [point.profit for point in points]
    exact = [float("nan") if point.change is None else float(1 + point.change) for point in points]
    assert line.growth == pytest.approx(exact, rel=1e-15, nan_ok=True)
    assert figures([lines.whole(line)]) == figures([lines.whole(lines.of_points(points))])


@settings(max_examples=20)
@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(min_value=0, max_value=30))
def test_many_stretches_give_what_each_gives_alone(histories: list[Rows], length: int) -> None:
    """Of several accounts and periods, short and long, in any order."""
    stretches = [
        lines.stretch_in(lines.of_days(history(rows)), over(kind, first, first + length))
        for rows in histories
        for kind, first in ((PeriodKind.ALL_TIME, 0), (PeriodKind.WINDOW, 5), (PeriodKind.MONTHLY, 20))
    ]
    assert figures(stretches) == [figures([stretch])[0] for stretch in stretches]


@given(ROWS)
def test_money_is_exact(rows: Rows) -> None:
    """Average capital, and what the deepest fall lost, to the last of 18 decimals."""
    points = chain(history(rows), opening=Decimal(0))
    found = ratios.measure(points)

    working = [point for point in points if point.change is not None]
    with localcontext(CONTEXT):
        held = sum((point.base * point.span for point in working), Decimal(0))
        days = sum(point.span for point in working)
        average = quantize(CONTEXT.divide(held, Decimal(days))) if days else None
    assert found.average_capital.value == average
    profit = {point.day: point.profit for point in points}
    if found.drawdown_peak_date and found.drawdown_trough_date and found.max_drawdown_amount.value:
        lost = profit[found.drawdown_peak_date] - profit[found.drawdown_trough_date]
        assert found.max_drawdown_amount.value == quantize(lost)


def test_a_period_after_a_day_without_a_price_begins_with_its_own_first_point() -> None:
    line = lines.of_days(balances(["100", "110", None, "120", "130"]))
    found = lines.stretch_in(line, over(PeriodKind.WEEKLY, 3, 9))
    assert [number - day(0).toordinal() for number in found.days] == [3, 4]


def test_a_whole_history_begins_with_nothing() -> None:
    line = lines.of_days([EquityDay(day(0), Decimal(100), paid_in=Decimal(100))])
    assert [*line.equity, *line.growth[1:]] == [0, 100, 1]
    assert line.flows == {1: Flow(Decimal(100), Decimal(0))}


def test_a_part_keeps_the_capital_of_the_whole() -> None:
    line = lines.of_days(history([(1, 10000, 10000, 0), (2, 12000, 0, 0)]), is_whole=False)
    part = lines.attribute(line, {day(2): Decimal(10), day(9): Decimal(99)})
    assert [*part.profit, *part.growth[1:]] == [0, 10, 1.1]
    assert part.base(1) == line.base(1)


def test_days_that_go_back_are_no_line() -> None:
    with pytest.raises(ValueError, match="ascend"):
        lines.of_days(reversed(balances(["100", "110"])))


def test_no_days_are_no_line() -> None:
    assert lines.of_days([]) is lines.NOTHING
    assert len(lines.stretch_in(lines.NOTHING, over(PeriodKind.DAILY, 0, 0)).days) == 0


def wide(number: int) -> Line:
    return lines.of_days(
        [EquityDay(day(0) + timedelta(each), Decimal(100 + each % 7)) for each in range(number)]
    )


def test_what_no_field_can_hold_is_beyond_measure() -> None:
    points = chain(balances(["1", "9e15", "9e15"]))
    found = ratios.measure([points[0], *(replace(point, change=Decimal(10) ** 19) for point in points[1:])])
    assert found.total_return_percentage == Measure.undefined(Reason.BEYOND_MEASURE)


def test_long_and_short_histories_are_told_apart() -> None:
    stretches = [lines.whole(wide(number)) for number in (400, 2, 90, 1, 30, 400)]
    assert [row[0]["return_days"] for row in figures(stretches)] == [399, 1, 89, 0, 29, 399]  # type: ignore[index]
