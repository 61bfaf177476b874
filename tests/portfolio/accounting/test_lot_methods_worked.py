"""Lots as rp2 consumes them: its golden reports of input/test_hifo.ods, assets B2 (rising) and B3 (falling prices).

Facts of eprbell/rp2 at eb2a36853db5094011d664cbe498a59b50dd44cd. Its cost holds the fiat fee, and a coin fee leaves the
lots without proceeds; here both are fees, so net results are its capital gains. Gifts and donations are sales at
market value there. Its other assets move between exchanges with fees in coins that it values one by one; its
LOFO is no method here.
"""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

import pytest

from core import clock
from core.money import from_units
from portfolio.accounting.events import Fill
from tests.portfolio.accounting.books import MINUTE, booked, fill, fold

# Time, price where prices rise and where they fall, and the fee of each.
BUYS = [
    ("2018-06-03T11:23", ("1000", "10"), ("5000", "50")),
    ("2018-08-03T11:23", ("2000", "0"), ("4000", "0")),
    ("2019-06-03T11:23", ("3000", "30"), ("3000", "30")),
    ("2019-08-03T11:23", ("4000", "0"), ("2000", "0")),
    ("2020-06-03T11:23", ("5000", "50"), ("1000", "10")),
]
SALES = [
    ("2018-07-03T11:23", "5", "1500", "0"),
    ("2018-09-03T11:23", "7.99", "2500", "0.01"),
    ("2019-04-03T11:23", "1", "2750", "0"),
    ("2019-09-03T11:23", "15", "3500", "0"),
    ("2020-04-11T07:10", "9", "4500", "0"),
    ("2020-07-11T07:10", "11", "5500", "0"),
]


def minute(at: str) -> int:
    return clock.to_ms(datetime.fromisoformat(f"{at}+00:00")) // MINUTE


def history(*, rising: bool) -> list[Fill]:
    lots = [(at, *(up if rising else down)) for at, up, down in BUYS]
    buys = [
        fill(number, "BUY", "10", price, fee=fee, minute=minute(at))
        for number, (at, price, fee) in enumerate(lots, 1)
    ]
    sales = [
        fill(number, "SELL", quantity, price, fee=fee, fee_in="ETH", minute=minute(at))
        for number, (at, quantity, price, fee) in enumerate(SALES, 10)
    ]
    return sorted([*buys, *sales], key=lambda each: each.executed_ms)


@pytest.mark.parametrize(
    ("rising", "method", "gains"),
    [
        (True, "fifo", {2018: 11465, 2019: 14223, 2020: 12952}),
        (False, "fifo", {2018: -34575, 2019: 223, 2020: 68988}),
        (True, "lifo", {2018: 6470, 2019: -1765, 2020: 29931}),
        (False, "lifo", {2018: -29550, 2019: 16235, 2020: 51955}),
        (True, "hifo", {2018: 6470, 2019: -1765, 2020: 29931}),
        (False, "hifo", {2018: -34575, 2019: 223, 2020: 68988}),
    ],
)
def test_gains_by_year(rising: bool, method: str, gains: dict[int, int]) -> None:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for trade in fold(booked(history(rising=rising)), method=method).trades:
        found[clock.from_ms(trade.exit_ms).year] += from_units(trade.net)
    assert found == gains
