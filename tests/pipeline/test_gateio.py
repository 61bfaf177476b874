"""A Gate.io account: what is stored after a sync over HTTP is what the simulated exchange says happened."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from credentials import accounts
from credentials.models import ExchangeAccount, KeyState
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits
from orders.models import Order
from pipeline.models import RunStatus, Stream, SyncCursor, Trigger
from portfolio.balances import side_by_side
from tests.factories import UserFactory
from tests.pipeline import worlds
from tests.pipeline.facts import (
    Facts,
    stored_balances,
    stored_fills,
    stored_orders,
    stored_transfers,
    true_balances,
    true_fills,
    true_orders,
    true_transfers,
)
from tests.pipeline.worlds import PROFILES, START, World

pytestmark = pytest.mark.django_db

# The simulated clock stands still, so the allowance of ten seconds never is new again.
NO_LIMITS = Limits(public=10**9, private=10**9)
TRADES = "/api/v4/spot/my_trades"


@pytest.fixture
def make_world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # Nothing happened before: a hundred empty windows less to walk in every test.
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", START - timedelta(days=200))
    simulators: list[SimulatedExchange] = []

    def make(label: str = "demo", *, limits: Limits = NO_LIMITS, can_withdraw: bool = False) -> World:
        clock = FixedClock(START)
        people = [replace(each, can_withdraw=can_withdraw) for each in PROFILES]
        simulator = GateioSimulator(seed=7, clock=clock, profiles=people, limits=limits)
        prices = BinanceSimulator(seed=7, clock=clock, profiles=(), limits=worlds.NO_LIMITS)  # lists no GT
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


def everything_stored(world: World) -> tuple[Any, ...]:
    """Fills, orders of the book, transfers and balances."""
    placed = {key: fact for key, fact in stored_orders(world).items() if not key[1].startswith("trigger-")}
    return stored_fills(world), placed, stored_transfers(world), stored_balances(world)


def everything_true(world: World) -> tuple[Any, ...]:
    return true_fills(world), true_orders(world), true_transfers(world), true_balances(world)


def stored_triggers(world: World) -> Facts:
    return {key: fact for key, fact in stored_orders(world).items() if key[1].startswith("trigger-")}


def told_triggers(world: World) -> dict[tuple[str, str], str]:
    rows = world.truth()["triggers"]
    return {(pair, f"trigger-{each['id']}"): each["status"] for pair, told in rows.items() for each in told}


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_the_first_sync_stores_the_truth(make_world: Callable[..., World], label: str) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert everything_stored(world) == everything_true(world)


def test_computed_balances_equal_the_reported_ones(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.sync(Trigger.CONNECT)
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}
    assert "GT" in {row.asset for row in rows}


def test_a_second_sync_stores_nothing_twice(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.sync(Trigger.CONNECT)
    before = everything_stored(world)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})
    assert everything_stored(world) == before


def test_the_schedule_alone_keeps_up_with_a_live_account(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.sync(Trigger.CONNECT)
    for _ in range(3):
        world.wait(hours=1)
        world.work()
    assert everything_stored(world) == everything_true(world)


def test_triggers_that_wait_are_stored_and_followed_to_their_end(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.sync(Trigger.CONNECT)
    known = {key: fact["status"] for key, fact in stored_triggers(world).items()}
    assert known == {key: status for key, status in told_triggers(world).items() if status == "NEW"}
    world.wait(days=2)
    world.sync()
    told = told_triggers(world)
    now = {key: fact["status"] for key, fact in stored_triggers(world).items()}
    assert {key: now[key] for key in known} == {key: told[key] for key in known}


def test_only_pairs_ever_traded_or_pointed_at_are_asked(make_world: Callable[..., World]) -> None:
    world = make_world("quiet")
    world.sync(Trigger.CONNECT)
    with world.door():
        asked = set(
            SyncCursor.objects.filter(account=world.account, stream=Stream.FILLS).values_list(
                "scope", flat=True
            )
        )
    assert set(world.truth()["fills"]) <= asked
    assert len(asked) < 12


def test_a_first_sync_needs_few_requests(make_world: Callable[..., World]) -> None:
    world = make_world()
    rule = world.simulator.faults.add("latency", path=TRADES)
    world.sync(Trigger.CONNECT)
    # Seven windows for all symbols; then the last one by symbol, and what was traded lately.
    assert rule.hits <= 7 + 2 * len(world.truth()["fills"]) + 6


def test_a_run_that_was_too_fast_goes_on_later(make_world: Callable[..., World]) -> None:
    world = make_world("holes", limits=Limits(private=20, public=10**6))
    for _ in range(10):
        world.ask()
        run = world.work()
        if run is not None and run.status == RunStatus.OK:
            break
        assert run is None or run.error_kind == "rate"
        world.wait(minutes=2)
    assert everything_stored(world) == everything_true(world)


def test_a_key_that_may_withdraw_is_refused_and_shredded(make_world: Callable[..., World]) -> None:
    world = make_world("quiet", can_withdraw=True)
    world.ask(Trigger.CONNECT)
    world.work()
    with world.door():
        account = ExchangeAccount.objects.get(id=world.account.id)
        assert (account.key_state, Order.objects.filter(account=account).count()) == (KeyState.DISABLED, 0)


def test_the_order_of_a_late_fill_comes_with_it(make_world: Callable[..., World]) -> None:
    """It ended two days ago: the walk of orders, which reads the last hour again, has passed it."""
    world = make_world()
    world.sync(Trigger.CONNECT)
    world.simulator.report_late_fill(account=world.label, symbol="BTCUSDT", days=2)
    world.wait(days=1)
    world.sync()
    assert everything_stored(world) == everything_true(world)
