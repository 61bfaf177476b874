"""What is special of Binance's walks; what every exchange passes stands in `tests.exchanges.conformance`."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from exchanges.simulators.binance.limits import Limits
from tests.exchanges.conformance.house import START, World, fill_facts, walk
from tests.exchanges.conformance.houses import BY_NAME

HOUSE = BY_NAME["binance"]


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: to spoil."""
    with HOUSE.running() as world:
        yield world


@pytest.mark.parametrize(
    ("action", "field", "reason"),
    [("many_decimals", "qty", "has more than 18 decimals."), ("unreadable_row", "price", "price is missing")],
)
def test_a_bad_row_is_set_aside_and_the_walk_goes_on(
    world: World, action: str, field: str, reason: str
) -> None:
    account, symbol = world.account(), world.busiest()
    world.simulator.faults.add(action, path="/api/v3/myTrades", field=field, row=0, times=1)
    rows, bad, _ = walk(partial(account.fills, symbol))
    truth = world.fills(symbol)
    first = min(truth, key=int)
    assert ([str(each.raw["id"]) for each in bad], bad[0].reason.endswith(reason)) == ([first], True)
    assert fill_facts(rows) == {key: each for key, each in truth.items() if key != first}


def test_the_ban_after_pressing_on_ends_when_told() -> None:
    with HOUSE.running(limits=Limits(api=100, ban_after=2)) as world:
        account = world.account()
        kinds = []
        for _ in range(9):
            try:
                account.balances()
            except ExchangeError as error:
                kinds.append((error.kind, error.retry_at))
    assert [kind for kind, _ in kinds] == [ErrorKind.RATE, ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.BANNED]
    assert [at for _, at in kinds] == [START + timedelta(minutes=wait) for wait in (1, 1, 2, 2)]
