from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CONTEXT, quantize
from portfolio.accounting import ratios, returns
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, chain
from tests.portfolio.accounting.series import balances, day, from_returns

CHANGES = st.decimals(min_value="-0.9", max_value="2", places=4)
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=8)


def test_a_deposit_is_no_profit() -> None:
    points = chain(
        [EquityDay(day(0), Decimal(1000)), EquityDay.of_flow(day(1), Decimal(6050), Decimal(5000))]
    )
    assert points[1].change == quantize(Decimal(50) / Decimal(6000), 30)
    assert points[1].profit == 50


def test_a_withdrawal_is_no_loss() -> None:
    points = chain([EquityDay(day(0), Decimal(1000)), EquityDay.of_flow(day(1), Decimal(110), Decimal(-990))])
    assert (points[1].change, points[1].profit) == (Decimal("0.1"), Decimal(100))


def test_money_in_and_out_on_one_day_is_at_work_that_day() -> None:
    paid = EquityDay(day(0), Decimal(0), paid_in=Decimal(1000), paid_out=Decimal(1100))
    assert chain([paid], opening=Decimal(0))[1].change == Decimal("0.1")


def test_an_opening_puts_a_point_before_the_first_return() -> None:
    points = chain(balances(["900"]), opening=Decimal(1000))
    assert [(point.day, point.index, point.change) for point in points] == [
        (day(-1), Decimal(1), None),
        (day(0), Decimal("0.9"), Decimal("-0.1")),
    ]


def test_a_day_without_a_snapshot_is_skipped_with_its_flow_carried() -> None:
    days = [
        EquityDay(day(0), Decimal(1000)),
        EquityDay(day(1), None, paid_in=Decimal(1000)),
        EquityDay(day(2), Decimal(2200)),
    ]
    start, end = chain(days)
    assert (end.change, end.span, end.profit) == (Decimal("0.1"), 2, Decimal(200))
    assert start.day == day(0)


def test_an_outage_is_no_drop() -> None:
    assert returns.changes(chain(balances(["1000", None, None, "1000"]))) == [Decimal(0)]


def test_a_new_sub_period_starts_above_dust() -> None:
    days = [
        EquityDay(day(0), Decimal(1000)),
        EquityDay(day(1), Decimal("0.01"), paid_out=Decimal("999.99")),
        EquityDay(day(2), Decimal("5")),
        EquityDay(day(3), Decimal("550"), paid_in=Decimal("495")),
    ]
    assert [point.change for point in chain(days)] == [None, Decimal(0), None, Decimal("0.1")]
    assert chain(days)[-1].index == Decimal("1.1")


def test_debt_counts_as_a_total_loss_and_stays_one() -> None:
    points = chain([*balances(["100", "-5"]), EquityDay(day(2), Decimal(200), paid_in=Decimal(105))])
    assert [point.index for point in points] == [1, 0, 0]


def test_days_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        chain([EquityDay(day(1), None), EquityDay(day(1), Decimal(1))])


def test_total_return_is_time_weighted() -> None:
    days = [
        EquityDay(day(0), Decimal(1000)),
        EquityDay(day(1), Decimal(1100)),
        EquityDay(day(2), Decimal(9990), paid_in=Decimal(10000)),
    ]
    # +10 %, then -10 % on 11,100: 1.1 x 0.9 - 1, though money was lost overall.
    assert ratios.total_return(chain(days)) == Measure.ratio(Decimal(-1))


def test_one_valued_day_has_no_return() -> None:
    assert ratios.total_return(chain(balances(["1000"]))) == Measure.undefined(Reason.NO_RETURNS)


def test_average_capital_weighs_a_gap_by_its_days() -> None:
    points = chain(balances(["1000", "2000", None, "2000"]))
    assert ratios.average_capital(points) == Measure.money(CONTEXT.divide(Decimal(5000), Decimal(3)))


def test_no_capital_above_dust_has_no_average() -> None:
    points = chain(balances(["0", "0.5"]))
    assert ratios.average_capital(points) == Measure.undefined(Reason.NO_CAPITAL)


# empyrical-reloaded (Apache-2.0), tests/test_stats.py, test_cum_returns: values start at 100.
def test_cumulative_returns_agree_with_empyrical() -> None:
    points = from_returns(["0.01", "0.1", "-0.04", "0.02", "0.03", "0.02", "0.01", "-0.1"])
    expected = [
        "100",
        "101",
        "111.1",
        "106.65599",
        "108.78912",
        "112.05279",
        "114.29384",
        "115.43678",
        "103.8931",
    ]
    assert [quantize(point.index * 100, 4) for point in points] == [
        quantize(Decimal(value), 4) for value in expected
    ]


@given(st.lists(st.tuples(CHANGES, AMOUNTS, st.decimals(0, 1, places=4)), min_size=1, max_size=40))
def test_flows_never_change_the_index(rows: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    equity, index = Decimal(1000), Decimal(1)
    days = []
    with localcontext(CONTEXT):
        for number, (change, paid_in, share_out) in enumerate(rows):
            equity = (equity + paid_in) * (1 + change)
            paid_out = share_out * (equity - 10) if equity > 10 else Decimal(0)
            equity -= paid_out
            index *= 1 + change if equity + paid_out >= (1 + change) else Decimal(1)
            days.append(EquityDay(day(number), equity, paid_in=paid_in, paid_out=paid_out))
    points = chain(days, opening=Decimal(1000))
    assert points[0].index == 1
    assert quantize(points[-1].index - index, 18) == 0


@given(
    st.lists(st.decimals(min_value=10, max_value=10**9, places=8), min_size=2, max_size=40),
    st.decimals(min_value=1, max_value=1000, places=6),
)
def test_scaling_equity_leaves_the_returns(values: list[Decimal], factor: Decimal) -> None:
    with localcontext(CONTEXT):
        plain = chain([EquityDay(day(number), value) for number, value in enumerate(values)])
        scaled = chain([EquityDay(day(number), value * factor) for number, value in enumerate(values)])
    assert returns.changes(scaled) == returns.changes(plain)


@given(st.lists(st.none() | st.decimals(min_value=-(10**6), max_value=10**9, places=8), max_size=40))
def test_the_index_starts_at_one_and_is_never_negative(values: list[Decimal | None]) -> None:
    points = chain(EquityDay(day(number), value) for number, value in enumerate(values))
    assert [point.index for point in points[:1]] == [Decimal(1)][: len(points)]
    assert all(point.index >= 0 for point in points)
