"""Coins that stand for contracts, at every exchange alike."""

from decimal import Decimal

import pytest

from exchanges.contract_units import margin_balance


@pytest.mark.parametrize(
    ("total", "told", "free", "locked"),
    [("10", "4", "4", "6"), ("10", "12", "10", "0"), ("10", "-1", "0", "10"), ("-3", "5", "-3", "0")],
    ids=["some is locked", "more from other coins", "none is left", "a debt"],
)
def test_what_is_available_is_of_the_coin_itself(total: str, told: str, free: str, locked: str) -> None:
    row = margin_balance(
        "USDT", Decimal(total), available=Decimal(told), unrealized=Decimal(1), wallet="futures", raw={}
    )
    assert row is not None
    assert (row.available, row.locked, row.unrealized_pnl) == (Decimal(free), Decimal(locked), Decimal(1))


def test_a_coin_of_which_nothing_stands_is_none() -> None:
    nothing = Decimal(0)
    assert margin_balance("USDT", nothing, available=nothing, unrealized=nothing, wallet="", raw={}) is None
