"""Worked cases of others: one round trip of 30 at 2.0 with a fee of 0.25 % on both sides, and funding.

Expected profits: freqtrade/freqtrade, tests/persistence/test_persistence.py, test_calc_profit, its futures rows (commit
c9ae5e1e9ff2). It cuts some of its figures short. Its ratio is taken on the entry value with its fee, ours on
the entry value alone, so ratios are not compared. Without fees: jesse-ai's position PnL.
"""

from decimal import Decimal

import pytest

from core.money import from_units
from tests.portfolio.accounting.books import units
from tests.portfolio.accounting.contracts import column, fill, fold, funding
from tests.portfolio.accounting.oracle import METHODS

# Is it a short, left at, funding, profit.
CASES = [
    (False, "2.1", "1", "3.6925"),
    (True, "2.1", "1", "-2.3074999"),
    (False, "1.9", "1", "-2.2925"),
    (True, "1.9", "1", "3.7075"),
    (False, "2.2", "1", "6.685"),
    (True, "2.2", "1", "-5.315"),
    (False, "2.1", "-1", "1.6925"),
    (True, "2.1", "-1", "-4.307499"),
    (False, "1.9", "-1", "-4.292499"),
    (True, "1.9", "-1", "1.7075"),
    (False, "2.2", "-1", "4.684999"),
    (True, "2.2", "-1", "-7.315"),
    (False, "2.1", "0", "2.6925"),
    (True, "2.1", "0", "-3.3074999"),
    (False, "1.9", "0", "-3.2925"),
    (True, "1.9", "0", "2.7075"),
]


@pytest.mark.parametrize(("is_short", "left_at", "paid", "profit"), CASES)
@pytest.mark.parametrize("method", METHODS)
def test_a_round_trip_with_fees_and_funding(
    is_short: bool, left_at: str, paid: str, profit: str, method: str
) -> None:
    way = ("SELL", "BUY") if is_short else ("BUY", "SELL")
    entry_fee, exit_fee = (str(Decimal(price) * 30 * Decimal("0.0025")) for price in ("2.0", left_at))
    rows = fold(
        [
            fill(1, way[0], "30", "2.0", fee=entry_fee),
            funding(2, paid),
            fill(3, way[1], "30", left_at, fee=exit_fee),
        ],
        method=method,
    )

    [trade] = rows.trades
    assert abs(from_units(trade.net) - Decimal(profit)) < Decimal("0.0000011")
    assert trade.net == rows.positions[0].net
    assert trade.funding == units(paid)


@pytest.mark.parametrize(
    ("is_short", "entered", "left", "profit"),
    [
        (True, "60", "50", "20"),
        (False, "100", "110", "20"),
        (True, "100", "90", "20"),
        (True, "100", "110", "-20"),
    ],
)
def test_two_units_without_fees(is_short: bool, entered: str, left: str, profit: str) -> None:
    way = ("SELL", "BUY") if is_short else ("BUY", "SELL")

    assert column(fold([fill(1, way[0], "2", entered), fill(2, way[1], "2", left)]).trades, "net") == [profit]


# GeneBO98/tradetally (Apache-2.0) at 3af36e29, tests/fixtures/trading-calculation-contracts.json: contracts of 100 and
# of 5 units, booked in units. Profit, and in percent of the entry value.
@pytest.mark.parametrize(
    ("quantity", "entered", "left", "fees", "profit", "percent"),
    [
        ("200", "1.5", "2.25", ("1", "1.2"), "147.8", "49.2667"),
        ("15", "4500", "4504", ("0", "0"), "60", "0.0889"),
    ],
)
def test_contracts_of_several_units(
    quantity: str, entered: str, left: str, fees: tuple[str, str], profit: str, percent: str
) -> None:
    rows = fold(
        [fill(1, "BUY", quantity, entered, fee=fees[0]), fill(2, "SELL", quantity, left, fee=fees[1])]
    )

    assert (column(rows.trades, "net"), column(rows.trades, "pnl_percent")) == ([profit], [percent])
