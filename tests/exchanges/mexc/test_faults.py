"""The adapter against the simulated exchange: every fault ends clearly, and nothing is lost by it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

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


@pytest.mark.parametrize(
    ("fault", "kind", "retry_in"),
    [
        ({"action": "revoked_key"}, ErrorKind.AUTH, None),
        ({"action": "bad_signature"}, ErrorKind.AUTH, None),
        ({"action": "rate_limit", "retry_after": 30}, ErrorKind.RATE, 30),
        ({"action": "ban", "retry_after": 120}, ErrorKind.BANNED, 120),
        ({"action": "bad_gateway"}, ErrorKind.DOWN, None),
        ({"action": "truncate"}, ErrorKind.NETWORK, None),
        ({"action": "reset"}, ErrorKind.NETWORK, None),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
def test_every_fault_is_of_its_kind_and_the_next_walk_recovers(
    world: World, fault: dict[str, Any], kind: ErrorKind, retry_in: int | None
) -> None:
    account, symbol = world.account(), busiest(world)
    rule = world.simulator.faults.add(**fault, path="/api/v3/myTrades", times=1)
    error = refused(lambda: account.fills(symbol, ""))
    retry_at = None if retry_in is None else world.now() + timedelta(seconds=retry_in)
    assert (error.kind, error.retry_at, rule.hits) == (kind, retry_at, 1)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert fill_facts(rows) == true_fills(world, symbol)


def test_a_slow_answer_is_waited_for(world: World) -> None:
    rule = world.simulator.faults.add("latency", ms=150, times=1)
    assert (len(world.account().balances().rows) > 0, rule.hits) == (True, 1)


def test_a_key_of_nobody_is_refused(still: World) -> None:
    error = refused(still.account(key="mx0v" + "A" * 14).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "10072")


def test_a_malformed_key_is_refused(still: World) -> None:
    error = refused(still.account(key="short").balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "700001")


def test_a_wrong_secret_is_refused(still: World) -> None:
    error = refused(still.account(secret="A" * 32).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "700002")


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account, symbol = still.account(now=lambda: still.now() + off), busiest(still)
    account.balances()
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (account.clock_offset, fill_facts(rows)) == (-off, true_fills(still, symbol))


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path="/api/v3/account")
    error = refused(world.account().balances)
    assert (error.kind, error.code) == (ErrorKind.CLOCK, "700003")


def test_an_unknown_symbol_is_the_callers_mistake(still: World) -> None:
    error = refused(lambda: still.account().fills("NOPEUSDT", ""))
    assert (error.kind, error.code) == (ErrorKind.USER, "-1121")


@pytest.mark.parametrize("order_id", ["C02__1", "1"])
def test_an_unknown_order_is_the_callers_mistake(still: World, order_id: str) -> None:
    error = refused(lambda: still.account().order("BTCUSDT", order_id))
    assert (error.kind, error.code) == (ErrorKind.USER, "-2013")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=3_000, label="bulk")
    rows, bad, _ = walk(partial(world.account("bulk").fills, "BTCUSDT"))
    assert (fill_facts(rows), bad) == (true_fills(world, "BTCUSDT", "bulk"), [])


def test_an_empty_page_by_mistake_is_made_good_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    world.simulator.faults.add("empty_page", path="/api/v3/myTrades", times=1)
    nothing, _, position = walk(partial(account.fills, symbol))
    rows, _, _ = walk(partial(account.fills, symbol), position)
    assert (nothing, fill_facts(rows)) == ([], true_fills(world, symbol))


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
