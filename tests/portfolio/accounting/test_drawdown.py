from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting import drawdown
from portfolio.accounting.drawdown import Drawdown, DrawdownPoint
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, chain
from tests.portfolio.accounting.series import balances, day, from_returns


def _from_profits(start: str, profits: list[str]) -> Drawdown:
    """The deepest fall of a balance that books one profit a day."""
    equity = Decimal(start)
    days = []
    for number, profit in enumerate(profits):
        equity += Decimal(profit)
        days.append(EquityDay(day(number), equity))
    return drawdown.deepest(chain(days, opening=Decimal(start), dust=Decimal(0)))


def test_the_deepest_fall_with_its_days() -> None:
    fall = drawdown.deepest(chain(balances(["1000", "1200", "900", "1000", "1200", "1300"])))
    assert fall == Drawdown(
        percent=Measure.ratio(Decimal(25)),
        amount=Measure.money(Decimal(300)),
        peak_day=day(1),
        trough_day=day(2),
        recovery_day=day(4),
    )


def test_a_fall_begins_on_the_last_day_at_its_high() -> None:
    assert drawdown.deepest(chain(balances(["1000", "1000", "1000", "900"]))).peak_day == day(2)


def test_the_first_loss_is_a_drawdown() -> None:
    fall = drawdown.deepest(chain(balances(["900", "950"]), opening=Decimal(1000)))
    assert (fall.percent.value, fall.peak_day, fall.recovery_day) == (Decimal(10), day(-1), None)


def test_a_withdrawal_is_no_drawdown() -> None:
    days = [EquityDay(day(0), Decimal(1000)), EquityDay(day(1), Decimal(100), paid_out=Decimal(900))]
    assert drawdown.deepest(chain(days)) == Drawdown(Measure.ratio(Decimal(0)), Measure.money(Decimal(0)))


def test_a_deposit_does_not_heal_a_drawdown() -> None:
    days = [
        *balances(["1000", "500"]),
        EquityDay(day(2), Decimal(10500), paid_in=Decimal(10000)),
        EquityDay(day(3), Decimal(9975)),
    ]
    fall = drawdown.deepest(chain(days))
    assert (fall.percent.value, fall.amount.value) == (Decimal("52.5"), Decimal(1025))


def test_no_amount_when_money_was_made_while_the_index_fell() -> None:
    days = [
        *balances(["100", "50"]),
        EquityDay(day(2), Decimal(1200060), paid_in=Decimal(1000000)),
        EquityDay(day(3), Decimal(20), paid_out=Decimal(1200000)),
        EquityDay(day(4), Decimal(4)),
    ]
    # The index stands at 0.5, 0.6, 0.6 and 0.12 while 200,000 were made on a large deposit.
    fall = drawdown.deepest(chain(days))
    assert (fall.trough_day, fall.amount) == (day(4), Measure.undefined(Reason.GAINED_DESPITE_FALL))


def test_a_high_reached_again_through_endless_fractions_is_a_recovery() -> None:
    fall = drawdown.deepest(chain(balances(["3000", "1000", "7000", "700", "7000"])))
    assert (fall.peak_day, fall.trough_day, fall.recovery_day) == (day(2), day(3), day(4))


def test_without_returns_there_is_no_drawdown_figure() -> None:
    undefined = Measure.undefined(Reason.NO_RETURNS)
    assert drawdown.deepest(chain(balances(["1000"]))) == Drawdown(undefined, undefined)
    assert drawdown.deepest([]) == Drawdown(undefined, undefined)


def test_the_series_for_a_chart() -> None:
    assert drawdown.series(chain(balances(["1000", "900", "1000", "700"]))) == [
        DrawdownPoint(day(0), Decimal(0)),
        DrawdownPoint(day(1), Decimal(10)),
        DrawdownPoint(day(2), Decimal(0)),
        DrawdownPoint(day(3), Decimal(30)),
    ]


# empyrical-reloaded (Apache-2.0), tests/test_stats.py, test_max_drawdown; there a negative fraction.
@pytest.mark.parametrize(
    ("changes", "percent"),
    [
        (["0.01"], "0"),
        (["0.01", "0.1", "-0.04", "0.02", "0.03", "0.02", "0.01", "-0.1"], "10"),
        (["0.01", "0.02", "0.01", "0.01", "0.01", "0.01", "0.01", "0.01", "0.01"], "0"),
        (["-0.02", "-0.06", "-0.07", "-0.01", "-0.09", "-0.02", "-0.06", "-0.08", "-0.05"], "37.8589"),
    ],
)
def test_max_drawdown_agrees_with_empyrical(changes: list[str], percent: str) -> None:
    assert drawdown.deepest(from_returns(changes)).percent.value == Decimal(percent)


# freqtrade (GPL-3.0, factual values), tests/data/test_btanalysis.py, test_calculate_max_drawdown_abs.
def test_relative_drawdown_agrees_with_freqtrade() -> None:
    fall = _from_profits("1000", ["0", "-500", "500", "10000", "-1000"])
    assert (fall.percent.value, fall.amount.value) == (Decimal(50), Decimal(500))


# freqtrade, test_calculate_max_drawdown2, asserts 0.043965 because its peak begins after the first trade.
# Here the start is the first peak, so the first loss counts: 0.043965 + 0.01158.
def test_losses_from_the_start_count_in_full() -> None:
    fall = _from_profits("0.2", ["-0.01158", "-0.010048", "-0.01134", "-0.012161", "-0.010416"])
    assert fall.amount.value == Decimal("0.055545")


@given(
    st.lists(
        st.tuples(
            st.none() | st.decimals(min_value=-1000, max_value=10**6, places=4),
            st.decimals(min_value=0, max_value=10**5, places=2),
            st.decimals(min_value=0, max_value=10**5, places=2),
        ),
        max_size=30,
    )
)
def test_drawdown_stays_between_0_and_100(rows: list[tuple[Decimal | None, Decimal, Decimal]]) -> None:
    points = chain(EquityDay(day(number), *row) for number, row in enumerate(rows))
    depths = [point.percent for point in drawdown.series(points)]
    assert all(0 <= depth <= 100 for depth in depths)
    deepest = drawdown.deepest(points).percent.value
    assert deepest is None or deepest == max(depths)
