"""What is special of MEXC's refusals; what every exchange passes stands in `tests.exchanges.conformance`."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from exchanges.simulators.mexc.limits import Limits
from tests.exchanges.mexc.worlds import (
    START,
    World,
    busiest,
    fill_facts,
    made,
    true_fills,
    walk,
)


def refused(ask: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        ask()
    return raised.value


@pytest.mark.parametrize("order_id", ["C02__1", "1"])
def test_an_unknown_order_is_the_callers_mistake(still: World, order_id: str) -> None:
    error = refused(lambda: still.account().order("BTCUSDT", order_id))
    assert (error.kind, error.code) == (ErrorKind.USER, "-2013")


@pytest.mark.parametrize(
    ("action", "field", "reason"),
    [("many_decimals", "qty", "has more than 18 decimals."), ("unreadable_row", "price", "price is missing")],
)
def test_a_bad_row_is_set_aside_and_the_walk_goes_on(
    world: World, action: str, field: str, reason: str
) -> None:
    account, symbol = world.account(), busiest(world)
    world.simulator.faults.add(action, path="/api/v3/myTrades", field=field, row=0, times=1)
    page = account.fills(symbol, "")
    [bad] = page.bad
    assert (bad.reason.endswith(reason), bad.raw["id"] in fill_facts(list(page.rows))) == (True, False)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert fill_facts(rows) == true_fills(world, symbol)


def test_the_ban_after_pressing_on_ends_when_told() -> None:
    with made(limits=Limits(uid=30, ban_after=2)) as world:
        account = world.account()
        kinds = []
        for _ in range(7):
            try:
                account.balances()
            except ExchangeError as error:
                kinds.append((error.kind, error.retry_at))
    assert [kind for kind, _ in kinds] == [ErrorKind.RATE, ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.BANNED]
    assert [at for _, at in kinds] == [START + timedelta(seconds=wait) for wait in (10, 10, 120, 120)]
