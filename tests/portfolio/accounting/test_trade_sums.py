from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting.trade_sums import TradeFact, TradeKind, TradeSums, sum_trades
from tests.portfolio.accounting.trades import CLOSED_AT, trade

MONEY = st.decimals(min_value=-(10**12), max_value=10**12, places=18)
COSTS = st.decimals(min_value=0, max_value=10**12, places=18)
TRADES = st.builds(
    TradeFact,
    exit_time=st.just(CLOSED_AT),
    net=MONEY | st.just(Decimal(0)),
    gross=MONEY,
    entry_fees=COSTS,
    exit_fees=COSTS,
    entry_value=COSTS,
    exit_value=COSTS,
    hold=st.timedeltas(timedelta(0), timedelta(days=400)),
    planned_risk=st.none() | st.decimals(min_value="0.01", max_value=10**6, places=8),
    equity_at_entry=st.none() | COSTS,
    cost_unknown=st.booleans(),
    kind=st.sampled_from(TradeKind),
)


def test_the_sums_of_two_trades() -> None:
    assert sum_trades([trade("10", risk="5", equity="1000"), trade("-4")]) == TradeSums(
        trades=2,
        wins=1,
        losses=1,
        gross=Decimal("6.4"),
        profit=Decimal(10),
        loss=Decimal(4),
        fees=Decimal("0.4"),
        volume=Decimal("406.4"),
        hold=timedelta(hours=4),
        largest_win=Decimal(10),
        largest_loss=Decimal(-4),
        risk_percent=Decimal("0.5"),
        risk_count=1,
        multiple=Decimal(2),
        multiple_squared=Decimal(4),
        multiple_count=1,
    )


def test_unknown_cost_and_fee_exits_are_only_counted() -> None:
    excluded = [trade("99", cost_unknown=True), trade("-1", kind=TradeKind.FEE)]
    assert sum_trades(excluded) == TradeSums(unknown_cost_trades=1, fee_exits=1)


@given(st.lists(TRADES, max_size=20), st.integers(0, 20))
def test_a_period_is_exactly_the_sum_of_its_days(facts: list[TradeFact], cut: int) -> None:
    assert sum_trades(facts[:cut]) + sum_trades(facts[cut:]) == sum_trades(facts)
