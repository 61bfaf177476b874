"""Contracts at MEXC: what is stored after a sync over HTTP is what the simulated exchange says happened."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from credentials import accounts
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import CONTRACTS
from pipeline.models import RunStatus, Stream, Trigger
from portfolio.balances import side_by_side
from tests.exchanges import contract_truth as true
from tests.factories import UserFactory
from tests.pipeline import contract_facts as stored
from tests.pipeline import worlds
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db

NO_LIMITS = Limits(ip=10**9, uid=10**9, contracts=10**9, contract_details=10**9)
PEOPLE = [each.shortened(12) for each in CONTRACTS]


@pytest.fixture
def make_world(settings: Settings) -> Iterator[Callable[..., World]]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    simulators: list[SimulatedExchange] = []

    def make(label: str) -> World:
        clock = FixedClock(START)
        simulator = MexcSimulator(seed=7, clock=clock, profiles=PEOPLE, limits=NO_LIMITS)
        prices = BinanceSimulator(seed=7, clock=clock, profiles=(), limits=worlds.NO_LIMITS)
        for one in (simulator, prices):
            one.start()
            simulators.append(one)
        settings.EXCHANGE_URLS = f"mexc={simulator.url} binance={prices.url}"
        theirs = simulator.accounts[label]
        user = UserFactory.create()
        account = accounts.connect(
            user_id=user.id,
            exchange="mexc",
            api_key=theirs.api_key,
            secret_key=theirs.api_secret,
            label="Main",
        )
        return World(simulator, clock, label, user, account)

    yield make
    for simulator in simulators:
        simulator.stop()


def all_stored(world: World) -> tuple[Any, ...]:
    """Fills, orders, funding, transfers, positions and the wallet."""
    facts = (stored.fills, stored.orders, stored.funding, stored.transfers, stored.positions, stored.wallet)
    return tuple(each(world) for each in facts)


def all_true(world: World) -> tuple[Any, ...]:
    told = world.truth()["futures"]
    transfers = true.true_transfers(told, lambda row: str(row["id"]))
    return (
        *(true.true_fills(told), true.true_orders(told), true.true_funding(told), transfers),
        *(true.true_positions(told), true.true_wallet(told)),
    )


@pytest.mark.parametrize("label", ["leveraged", "hedged"])
def test_the_first_sync_stores_the_truth(make_world: Callable[..., World], label: str) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert all_stored(world) == all_true(world)
    assert all(all_stored(world))
    assert stored.spot_fills(world) == stored.true_spot_fills(world) != set()


def test_a_second_sync_stores_nothing_twice(make_world: Callable[..., World]) -> None:
    world = make_world("hedged")
    world.sync(Trigger.CONNECT)
    before = all_stored(world)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})
    assert all_stored(world) == before


def test_the_schedule_alone_keeps_up_with_a_live_account(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    for _ in range(3):
        world.wait(hours=9)
        world.work()
    world.sync()
    assert all_stored(world) == all_true(world)


def test_orders_that_wait_are_followed_to_their_end(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    known = stored.conditionals(world)
    assert known == true.still_open(true.true_conditionals(world.truth()["futures"])) != {}
    world.wait(days=3)
    world.sync()
    told = true.true_conditionals(world.truth()["futures"])
    now = stored.conditionals(world)
    assert {key: now[key] for key in known} == {key: told[key] for key in known}


def test_faults_on_the_way_end_in_the_truth(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    for action in ("duplicate_rows", "out_of_order_rows"):
        world.fault(action, path="/api/v1/private/*")
    world.fault("bad_gateway", path="/api/v1/private/order/list/order_deals", skip=3, times=1)
    world.sync(Trigger.CONNECT)
    world.simulator.faults.clear()
    world.wait(minutes=30)
    run = world.sync()
    assert run.status == RunStatus.OK
    assert all_stored(world) == all_true(world)


def test_what_no_ledger_tells_is_what_balances_show_as_missing(make_world: Callable[..., World]) -> None:
    world = make_world("hedged")
    world.sync(Trigger.CONNECT)
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    untold = sum(Decimal(row["amount"]) for row in world.truth()["futures"]["untold"])
    assert {row.asset: row.difference for row in rows if row.difference} == {"USDT": untold}


def test_contracts_are_walked_by_name(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    traded = world.truth()["futures"]["fills"]
    assert {world.cursor(Stream.CONTRACT_FILLS, name).scope for name in traded} == set(traded)
