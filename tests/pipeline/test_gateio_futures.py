"""Contracts at Gate.io: what is stored after a sync over HTTP is what the simulated exchange says happened."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from credentials import accounts
from exchanges.rows import TransferKind
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits
from exchanges.simulators.profiles import CONTRACTS
from pipeline.models import RunStatus, Stream, Trigger
from portfolio.balances import side_by_side
from tests.exchanges import contract_truth as true
from tests.factories import UserFactory
from tests.pipeline import contract_facts as stored
from tests.pipeline import worlds
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db

NO_LIMITS = Limits(public=10**9, private=10**9)
PEOPLE = [each.shortened(12) for each in CONTRACTS]


@pytest.fixture
def make_world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # Nothing happened before: a hundred empty windows less to walk in every test.
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", START - timedelta(days=100))
    monkeypatch.setattr("exchanges.gateio.walks.CONTRACTS_OPENED", START - timedelta(days=100))
    simulators: list[SimulatedExchange] = []

    def make(label: str) -> World:
        clock = FixedClock(START)
        simulator = GateioSimulator(seed=7, clock=clock, profiles=PEOPLE, limits=NO_LIMITS)
        prices = BinanceSimulator(seed=7, clock=clock, profiles=(), limits=worlds.NO_LIMITS)
        for one in (simulator, prices):
            one.start()
            simulators.append(one)
        settings.EXCHANGE_URLS = f"gateio={simulator.url} binance={prices.url}"
        theirs = simulator.accounts[label]
        user = UserFactory.create()
        account = accounts.connect(
            user_id=user.id,
            exchange="gateio",
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
    transfers = true.true_transfers(told, lambda row: f"{row['asset'].lower()}-{row['id']}")
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


def test_computed_balances_equal_the_reported_ones(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}
    assert {"USDT", "BTC"} <= {row.asset for row in rows}


def test_rebates_are_stored(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    told = {f"usdt-{row['income_id']}": Decimal(row["amount"]) for row in world.truth()["futures"]["rebates"]}
    found = {key: fact[1] for key, fact in stored.transfers(world, TransferKind.REBATE).items()}
    assert found == told != {}


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
    assert known == true.still_open(true.true_conditionals(world.truth()["futures"], "trigger-")) != {}
    world.wait(days=3)
    world.sync()
    told = true.true_conditionals(world.truth()["futures"], "trigger-")
    now = stored.conditionals(world)
    assert {key: now[key] for key in known} == {key: told[key] for key in known}


def test_faults_on_the_way_end_in_the_truth(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    for action in ("duplicate_rows", "out_of_order_rows"):
        world.fault(action, path="/api/v4/futures/*")
    world.fault("bad_gateway", path="/api/v4/futures/usdt/my_trades_timerange", skip=3, times=1)
    world.sync(Trigger.CONNECT)
    world.simulator.faults.clear()
    world.wait(minutes=30)
    run = world.sync()
    assert run.status == RunStatus.OK
    assert all_stored(world) == all_true(world)


def test_contracts_are_walked_by_settle_asset(make_world: Callable[..., World]) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    assert {world.cursor(Stream.CONTRACT_FILLS, scope).scope for scope in ("usdt", "btc")} == {"usdt", "btc"}
