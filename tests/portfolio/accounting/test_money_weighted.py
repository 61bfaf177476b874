from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting import lines, money_weighted
from portfolio.accounting.lines import Line
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.money_weighted import CashFlow
from portfolio.accounting.ratios import total_return
from portfolio.accounting.returns import EquityDay, IndexPoint, chain
from tests.portfolio.accounting.series import balances, day, from_returns


def history(*rows: tuple[int, str, str]) -> list[IndexPoint]:
    """(day, equity, net flow of the day)."""
    return chain(
        [EquityDay.of_flow(day(number), Decimal(equity), Decimal(flow)) for number, equity, flow in rows]
    )


def test_xirr_is_the_spreadsheets() -> None:
    """The example of Microsoft's documentation of XIRR: 37.3362535 %."""
    began = date(2008, 1, 1)
    paid = {
        date(2008, 1, 1): -10000, date(2008, 3, 1): 2750, date(2008, 10, 30): 4250, date(2009, 2, 15): 3250,
        date(2009, 4, 1): 2750,
    }  # fmt: skip
    flows = [CashFlow((when - began).days, Decimal(amount)) for when, amount in paid.items()]
    assert money_weighted.internal_rate(flows) == Measure.ratio(37.3362535)


def test_modified_dietz_of_two_years() -> None:
    """100 grow to 300 in two years, 50 of them paid in after one: 150 made on 100 + 50 / 2."""
    points = history((0, "100", "0"), (365, "200", "0"), (366, "250", "50"), (730, "300", "0"))
    assert money_weighted.measure(points).modified_dietz == Measure.ratio(Decimal(120))


def test_flows_are_at_work_from_their_days_start_until_their_days_end() -> None:
    points = chain(
        [
            EquityDay(day(0), Decimal(1000)),
            EquityDay(day(1), Decimal(1500), paid_in=Decimal(500)),
            EquityDay(day(2), Decimal(900), paid_out=Decimal(600)),
        ]
    )
    assert money_weighted.cash_flows(lines.whole(lines.of_points(points))) == [
        CashFlow(0, Decimal(-1000)),
        CashFlow(0, Decimal(-500)),
        CashFlow(2, Decimal(600)),
        CashFlow(2, Decimal(900)),
    ]


def test_without_flows_all_returns_are_one() -> None:
    points = history((0, "1000", "0"), (100, "1100", "0"), (365, "1250", "0"))
    found = {
        total_return(points),
        money_weighted.measure(points).simple,
        money_weighted.measure(points).modified_dietz,
        money_weighted.measure(points).xirr,
    }
    assert found == {Measure.ratio(Decimal(25))}


def test_a_lucky_deposit_weighs_more_in_money_than_in_time() -> None:
    """10 % lost on 100, then 10 % made on 1090: time says -1 %, money says a profit."""
    points = history((0, "100", "0"), (100, "90", "0"), (200, "1199", "1000"))
    assert total_return(points) == Measure.ratio(Decimal(-1))
    assert money_weighted.measure(points).simple == Measure.ratio(Decimal(99) / Decimal(1100) * 100)
    assert money_weighted.measure(points).xirr.value is not None
    assert (money_weighted.measure(points).xirr.value or 0) > 0


def test_two_rates_are_none() -> None:
    """-100, +230, -132 after a year each: 10 % and 20 % both solve it."""
    flows = [CashFlow(0, Decimal(-100)), CashFlow(365, Decimal(230)), CashFlow(730, Decimal(-132))]
    assert money_weighted.internal_rate(flows) == Measure.undefined(Reason.SEVERAL_RATES)


def test_no_rate_is_none() -> None:
    flows = [CashFlow(0, Decimal(-100)), CashFlow(365, Decimal(100)), CashFlow(730, Decimal(-100))]
    assert money_weighted.internal_rate(flows) == Measure.undefined(Reason.NO_RATE)


def test_a_total_loss_is_minus_100_percent() -> None:
    assert money_weighted.measure(history((0, "100", "0"), (100, "0", "0"))).xirr == Measure.ratio(
        Decimal(-100)
    )


def test_89_days_have_no_yearly_rate() -> None:
    assert money_weighted.measure(history((0, "100", "0"), (89, "110", "0"))).xirr == Measure.undefined(
        Reason.TOO_FEW_DAYS
    )


def test_dust_has_no_return() -> None:
    found = money_weighted.measure(history((0, "0.5", "0"), (1, "0.9", "0")))
    assert found[:2] == (Measure.undefined(Reason.NO_CAPITAL),) * 2
    assert set(money_weighted.measure(chain(balances(["100"])))) == {Measure.undefined(Reason.NO_RETURNS)}


@given(
    st.lists(st.integers(min_value=-500, max_value=600), min_size=95, max_size=120),
    st.integers(min_value=2, max_value=90),
)
def test_the_rate_makes_the_flows_worth_nothing(changes: list[int], deposited_on: int) -> None:
    equity, days = Decimal(1000), [EquityDay(day(0), Decimal(1000))]
    for number, change in enumerate(changes, start=1):
        paid_in = Decimal(700) if number == deposited_on else Decimal(0)
        equity = (equity + paid_in) * (1 + Decimal(change).scaleb(-4))
        days.append(EquityDay(day(number), equity, paid_in=paid_in))
    points = chain(days)

    rate = money_weighted.measure(points).xirr.value
    assert rate is not None
    growth = float(1 + rate / 100)
    flows = money_weighted.cash_flows(lines.whole(lines.of_points(points)))
    worth = sum(float(flow.amount) * growth ** (-flow.day / 365) for flow in flows)
    assert abs(worth) < 1700 * 1e-4


def part(points: list[IndexPoint], made: dict[date, Decimal]) -> Line:
    return lines.attribute(lines.of_points(points), made)


def test_a_part_is_measured_on_the_capital_of_the_whole() -> None:
    """10 made by a part on 1000 at work is 1 %, whatever the rest of the account did."""
    points = history((0, "1000", "0"), (1, "1500", "0"), (2, "2500", "1000"))
    found = part(points, {day(1): Decimal(10), day(2): Decimal(-25)})

    assert list(found.growth[1:]) == [1.01, 0.99]
    assert list(found.profit) == [0, 10, -15]


def test_what_a_part_made_on_days_without_a_snapshot_counts_on_the_next() -> None:
    points = history((0, "1000", "0"), (3, "1000", "0"))
    found = part(points, {day(0): Decimal(99), day(1): Decimal(5), day(3): Decimal(5)})
    assert found.growth[-1] == 1.01


def test_parts_of_a_whole_that_only_realises_sum_up() -> None:
    points = from_returns(["0.01", "-0.02", "0.03"])
    made = {point.day: point.profit - before.profit for before, point in pairwise(points)}
    whole, found = lines.of_points(points), part(points, made)
    assert found.growth[1:] == pytest.approx(whole.growth[1:], rel=1e-15)
