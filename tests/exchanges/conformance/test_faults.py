"""Every error case of every exchange ends in the right kind, says no secret, and the next walk recovers."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest

from exchanges.base import Account
from exchanges.errors import ErrorKind, ExchangeError
from tests.exchanges.conformance.house import Facts, World, fill_facts, refused, walk

# What the simulator is told to do to one request for fills, in the middle of a walk where it takes several.
FAULTS: Final[Mapping[str, dict[str, Any]]] = {
    "revoked key": {"action": "revoked_key"},
    "bad signature": {"action": "bad_signature"},
    "too fast": {"action": "rate_limit", "retry_after": 30},
    "banned": {"action": "ban", "retry_after": 120},
    "bad gateway": {"action": "bad_gateway"},
    "half an answer": {"action": "truncate"},
    "no answer": {"action": "reset"},
}


def _fills_of(world: World, symbol: str) -> Iterator[object]:
    """From the beginning, which may lie before everything the exchange looks up, and lately."""
    account, now = world.account(), world.now()
    yield account.fills(symbol, "")
    yield from account.fills_between(symbol, now - timedelta(hours=1), now)


# What is wrong with us.
MISTAKES: Final[Mapping[str, Callable[[World], object]]] = {
    "key of nobody": lambda world: world.account(key=world.house.no_key).balances(),
    "malformed key": lambda world: world.account(key="short").balances(),
    "wrong secret": lambda world: world.account(secret=world.house.no_secret).balances(),
    "wrong passphrase": lambda world: world.account(passphrase="wrong").balances(),
    "unknown symbol": lambda world: [*_fills_of(world, world.house.wire("NOPEUSDT"))],
    "unknown order": lambda world: world.account().order(world.busiest(), "1"),
}
CASES: Final = (*FAULTS, *MISTAKES, "clock still off")
# Not every exchange tells a malformed key from an unknown one, or has passphrases.
OPTIONAL: Final = {"malformed key", "wrong passphrase"}


def test_every_exchange_answers_every_case(still: World) -> None:
    assert set(CASES) - OPTIONAL <= set(still.house.refusals) <= set(CASES)


def assert_refused(error: ExchangeError, world: World, case: str) -> None:
    expected = world.house.refusals[case]
    retry_at = None if expected.retry_in is None else world.now() + timedelta(seconds=expected.retry_in)
    assert (error.kind, error.retry_at) == (expected.kind, retry_at)
    assert error.code == expected.code or not expected.code
    assert_secret(error, world)


def assert_secret(error: ExchangeError, world: World) -> None:
    """Neither what it says nor how it is printed holds a key, a signature or an address."""
    keys = world.house.keys(world, "demo")
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)
    said = f"{error} {error.detail} {error.code}"
    for secret in filter(None, (keys.key, keys.secret, keys.passphrase)):
        assert secret not in shown
    assert "://" not in said
    assert "signature=" not in said


@pytest.mark.parametrize("case", FAULTS)
def test_every_fault_is_of_its_kind_and_the_next_walk_recovers(world: World, case: str) -> None:
    account, symbol = world.account(), world.busiest()
    rule = world.simulator.faults.add(**FAULTS[case], path=world.house.fills_path, times=1)
    assert_refused(refused(lambda: walk(partial(account.fills, symbol))), world, case)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (fill_facts(rows), rule.hits) == (world.fills(symbol), 1)


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_in_the_middle_of_a_walk_costs_one_page(world: World, case: str) -> None:
    world.simulator.add_bulk_account(fills=world.house.bulk, label="bulk")
    account, symbol = world.account("bulk"), world.house.wire("BTCUSDT")
    world.simulator.faults.add(**FAULTS[case], path=world.house.fills_path, times=1, skip=1)
    found, position, errors = Facts(), world.house.bulk_from, list[ExchangeError]()
    while True:
        try:
            page = account.fills(symbol, position)
        except ExchangeError as met:
            errors.append(met)
            continue
        found |= fill_facts(page.rows)
        position = page.next_position
        if not page.has_more:
            break
    [error] = errors
    assert_refused(error, world, case)
    assert found == world.fills(symbol, "bulk")


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_is_of_its_kind(still: World, case: str) -> None:
    if case not in still.house.refusals:
        assert case in OPTIONAL
        return
    assert_refused(refused(lambda: MISTAKES[case](still)), still, case)


def asks(account: Account, world: World) -> dict[str, Callable[[], object]]:
    """Everything an account can be asked for."""
    symbol, now = world.busiest(), world.now()
    return {
        "info": account.info,
        "balances": account.balances,
        "open_orders": account.open_orders,
        "fills": lambda: account.fills(symbol, ""),
        "fills_between": lambda: list(account.fills_between(symbol, now - timedelta(hours=1), now)),
        "orders": lambda: account.orders(symbol, ""),
        "deposits": lambda: account.transfers(account.transfer_kinds[0], "", now),
    }


@pytest.mark.parametrize("case", FAULTS)
def test_whatever_is_asked_a_fault_is_of_its_kind(world: World, case: str) -> None:
    account = world.account()
    for ask in asks(account, world).values():
        rule = world.simulator.faults.add(**FAULTS[case])
        assert_refused(refused(ask), world, case)
        world.simulator.faults.remove(rule)
        ask()


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account, symbol = still.account(now=lambda: still.now() + off), still.busiest()
    assert account.balances().rows
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (account.clock_offset, fill_facts(rows)) == (-off, still.fills(symbol))


def test_their_clock_two_minutes_off_is_made_up_for(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=-120_000)
    account = world.account()
    assert (len(account.balances().rows) > 0, account.clock_offset) == (True, timedelta(minutes=-2))


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path=world.house.balances_path)
    assert_refused(refused(world.account().balances), world, "clock still off")


def test_only_what_time_mends_is_worth_trying_again(still: World) -> None:
    helps = {case for case, refusal in still.house.refusals.items() if refusal.kind.retry_helps}
    wrong = {
        case
        for case, refusal in still.house.refusals.items()
        if refusal.kind in (ErrorKind.AUTH, ErrorKind.USER)
    }
    assert helps == {"too fast", "banned", "bad gateway", "half an answer", "no answer", "clock still off"}
    assert helps | wrong == set(still.house.refusals)
