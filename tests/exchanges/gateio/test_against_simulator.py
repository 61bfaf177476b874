"""What is special of Gate.io's walks; what every exchange passes stands in `tests.exchanges.conformance`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind
from exchanges.simulators import profiles
from exchanges.simulators.gateio.limits import Limits
from tests.exchanges.conformance.house import START, World, fill_facts, order_facts, refused, walk
from tests.exchanges.conformance.houses import BY_NAME

HOUSE = BY_NAME["gateio"]
TRADES = HOUSE.fills_path


@pytest.fixture(autouse=True)
def _opened_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happened before: a hundred empty windows less to walk in every test."""
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", START - timedelta(days=200))


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: to spoil, or to let time pass."""
    with HOUSE.running() as world:
        yield world


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    """One for all who only read."""
    with HOUSE.running() as world:
        yield world


def test_fees_are_paid_in_what_was_received_and_in_gt(still: World) -> None:
    account = still.account()
    rows = [row for pair in still.truth()["fills"] for row in walk(partial(account.fills, pair))[0]]
    in_gt = {row.fee_currency == "GT" for row in rows}
    received = {row.fee_currency in (row.base_asset, row.quote_asset) for row in rows}
    assert (in_gt, received) == ({True, False}, {True, False})


def test_every_order_and_trigger_asked_for_alone_is_the_truth(still: World) -> None:
    account, states = still.account(), set[str]()
    for pair in still.truth()["triggers"]:
        truth = still.orders(pair) | still.conditional_orders(pair)
        assert order_facts([account.order(pair, key) for key in truth]) == truth
        states |= {each["status"] for each in still.conditional_orders(pair).values()}
    assert states >= {"CANCELED"}


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.untold) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        (),
    )


def test_a_key_that_may_withdraw_says_so() -> None:
    with HOUSE.running(profiles=[replace(profiles.SMALL[2], can_withdraw=True)]) as world:
        assert world.account("quiet").info().can_withdraw


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_every_pair_ever_traded_is_found(still: World, label: str) -> None:
    account = still.account(label)
    assert set(account.sweep_symbols([])) == set(still.truth(label)["fills"])


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_what_assets_point_at_leads_to_every_pair(still: World, label: str) -> None:
    account = still.account(label)
    touched, asked = {row.asset for row in account.balances().rows}, set[str]()
    while found := account.traded_symbols(sorted(touched), sorted(asked)):
        asked |= set(found)
        for pair in found:
            walk(partial(account.fills, pair))
    assert asked >= set(still.truth(label)["fills"])


def test_an_order_that_ends_weeks_later_is_found_by_the_next_walk() -> None:
    with HOUSE.running(profiles=[replace(profiles.SMALL[0], days=60, is_live=False)], seed=3) as world:
        account = world.account()
        resting = next(row for row in account.open_orders().rows if not row.order_id.startswith("trigger-"))
        _, _, position = walk(partial(account.orders, resting.symbol))
        world.clock.advance(days=70)
        later, _, _ = walk(partial(account.orders, resting.symbol), position)
        ended = {resting.order_id: world.orders(resting.symbol)[resting.order_id]}
    assert order_facts([row for row in later if row.order_id == resting.order_id]) == ended


def test_walks_go_by_the_exchanges_clock(still: World) -> None:
    account = still.account(now=lambda: still.now() - timedelta(hours=5))
    pair = still.busiest()
    account.balances()
    rows, _, _ = walk(partial(account.fills, pair))
    assert fill_facts(rows) == still.fills(pair)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"action": "many_decimals", "field": "amount"}, "has more than 18 decimals"),
        ({"action": "unreadable_row", "field": "price"}, "price is missing"),
    ],
    ids=["many decimals", "no price"],
)
def test_a_spoilt_row_is_set_aside(world: World, action: dict[str, Any], reason: str) -> None:
    account, pair = world.account(), world.busiest()
    world.simulator.faults.add(**action, params={"currency_pair": pair}, times=1)
    since = str(clock.to_ms(world.now() - timedelta(days=25)))
    rows, bad, _ = walk(partial(account.fills, pair), since)
    truth = world.fills(pair)
    assert (len(rows), len(bad), reason in bad[0].reason) == (len(truth) - 1, 1, True)


def test_rows_that_name_no_pair_are_read_by_asking_for_it(world: World) -> None:
    account, pair = world.account(), world.busiest()
    world.simulator.faults.add("unreadable_row", path=TRADES, field="currency_pair", row=0)
    rows, bad, _ = walk(partial(account.fills, pair))
    assert (fill_facts(rows), bad) == (world.fills(pair), [])


def test_limits_are_answered_with_the_moment_to_come_back() -> None:
    with HOUSE.running(limits=Limits(private=3)) as world:
        account = world.account()
        for _ in range(3):
            account.balances()
        error = refused(account.balances)
        assert (error.kind, error.retry_at) == (ErrorKind.RATE, START + timedelta(seconds=10))
        assert account.open_orders().rows
        world.clock.advance(seconds=10)
        assert account.balances().rows
