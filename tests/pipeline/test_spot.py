"""Spot accounts of exchanges that tell everything: what is stored after a sync over HTTP is what happened there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from credentials.models import ExchangeAccount, KeyState
from exchanges.simulators.bitget.limits import Limits as BitgetLimits
from exchanges.simulators.gateio.limits import Limits as GateioLimits
from exchanges.simulators.profiles import Profile
from orders.models import Order
from pipeline import patience
from pipeline.models import RunStatus, Stream, SyncCursor, Trigger
from portfolio.comparison import side_by_side
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
from tests.pipeline.venues import FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import PROFILES, World

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Spot:
    """What differs from exchange to exchange."""

    exchange: str
    coin: str
    triggers: str
    """What the truth calls orders that wait for a price."""
    prefix: str
    """Of their ids."""
    fills_path: str
    by_symbol: int
    """Requests for the fills of a symbol in a first sync, and of none in particular."""
    few: Any
    """Limits that one run goes beyond."""

    def is_trigger(self, key: tuple[str, str]) -> bool:
        return key[1].startswith(self.prefix)


BITGET: Final = Spot(
    *("bitget", "BGB", "plans", "plan-", "/api/v2/spot/trade/fills", 12),
    few=BitgetLimits(private=20, public=10**6, by_endpoint={}),
)
GATEIO: Final = Spot(
    *("gateio", "GT", "triggers", "trigger-", "/api/v4/spot/my_trades", 13),
    few=GateioLimits(private=20, public=10**6),
)


@pytest.fixture(scope="module", params=[BITGET, GATEIO], ids=lambda spot: spot.exchange)
def spot(request: pytest.FixtureRequest) -> Spot:
    found: Spot = request.param
    return found


@pytest.fixture(scope="module", params=["demo"])
def label(request: pytest.FixtureRequest) -> str:
    """Who it is: one who goes on trading. A parameter, so that whoever follows another's test is not taken for them."""
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def first(spot: Spot, label: str, first_syncs: FirstSyncs) -> Read:
    return first_syncs.read(spot.exchange, label, PROFILES)


@pytest.fixture
def world(first: Read, reopen: Reopen) -> World:
    """Read once."""
    return reopen(first)


def everything_stored(world: World, spot: Spot) -> tuple[Any, ...]:
    """Fills, orders of the book, transfers and balances."""
    placed = {key: fact for key, fact in stored_orders(world).items() if not spot.is_trigger(key)}
    return stored_fills(world), placed, stored_transfers(world), stored_balances(world)


def everything_true(world: World) -> tuple[Any, ...]:
    return true_fills(world), true_orders(world), true_transfers(world), true_balances(world)


def stored_triggers(world: World, spot: Spot) -> Facts:
    return {key: fact for key, fact in stored_orders(world).items() if spot.is_trigger(key)}


def told_triggers(world: World, spot: Spot) -> dict[tuple[str, str], str]:
    rows = world.truth()[spot.triggers]
    return {
        (pair, f"{spot.prefix}{each['id']}"): each["status"] for pair, told in rows.items() for each in told
    }


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"], scope="module")
def test_the_first_sync_stores_the_truth(world: World, first: Read, spot: Spot) -> None:
    assert (first.run.status, first.run.error_detail) == (RunStatus.OK, "")
    assert everything_stored(world, spot) == everything_true(world)


def test_computed_balances_equal_the_reported_ones(world: World, spot: Spot) -> None:
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}
    assert spot.coin in {row.asset for row in rows}


def test_a_second_sync_stores_nothing_twice(world: World, spot: Spot) -> None:
    before = everything_stored(world, spot)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})
    assert everything_stored(world, spot) == before


def test_the_schedule_alone_keeps_up_with_a_live_account(world: World, spot: Spot) -> None:
    for _ in range(3):
        world.wait(hours=1)
        world.work()
    assert everything_stored(world, spot) == everything_true(world)


def test_triggers_that_wait_are_stored_and_followed_to_their_end(world: World, spot: Spot) -> None:
    known = {key: fact["status"] for key, fact in stored_triggers(world, spot).items()}
    assert known == {key: status for key, status in told_triggers(world, spot).items() if status == "NEW"}
    world.wait(days=2)
    world.sync()
    told = told_triggers(world, spot)
    now = {key: fact["status"] for key, fact in stored_triggers(world, spot).items()}
    assert {key: now[key] for key in known} == {key: told[key] for key in known}


@pytest.mark.parametrize("label", ["quiet"], scope="module")
def test_only_symbols_ever_traded_or_pointed_at_are_asked(world: World) -> None:
    with world.door():
        cursors = SyncCursor.objects.filter(account=world.account, stream=Stream.FILLS)
        asked = set(cursors.values_list("scope", flat=True))
    assert set(world.truth()["fills"]) <= asked
    assert len(asked) < 12


def test_a_first_sync_needs_few_requests(open_world: Open, spot: Spot) -> None:
    world = open_world(spot.exchange, "demo", PROFILES)
    rule = world.simulator.faults.add("latency", path=spot.fills_path)
    world.sync(Trigger.CONNECT)
    # A page for each symbol and a few for all of them; what was traded lately, or never, is asked for twice.
    assert rule.hits <= 2 * len(world.truth()["fills"]) + spot.by_symbol


def test_a_run_that_was_too_fast_goes_on_later(
    open_world: Open, spot: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0)  # the simulated clock stands still while anybody waits
    world = open_world(spot.exchange, "holes", PROFILES, limits=spot.few)
    for _ in range(10):
        world.ask()
        run = world.work()
        if run is not None and run.status == RunStatus.OK:
            break
        assert run is None or run.error_kind == "rate"
        world.wait(minutes=2)
    assert everything_stored(world, spot) == everything_true(world)


def test_a_key_that_may_withdraw_is_refused_and_shredded(open_world: Open, spot: Spot) -> None:
    people: Sequence[Profile] = [replace(each, can_withdraw=True) for each in PROFILES]
    world = open_world(spot.exchange, "quiet", people)
    world.ask(Trigger.CONNECT)
    world.work()
    with world.door():
        account = ExchangeAccount.objects.get(id=world.account.id)
        assert (account.key_state, Order.objects.filter(account=account).count()) == (KeyState.DISABLED, 0)


def test_the_order_of_a_late_fill_comes_with_it(world: World, spot: Spot) -> None:
    """It ended two days ago: the walk of orders, which reads the last hour again, has passed it."""
    world.simulator.report_late_fill(account=world.label, symbol="BTCUSDT", days=2)
    world.wait(days=1)
    world.sync()
    assert everything_stored(world, spot) == everything_true(world)
