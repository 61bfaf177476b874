"""What is stored after a sync over HTTP is what the simulated exchange says happened."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from exchanges.simulators.amounts import units
from exchanges.simulators.symbols import SYMBOLS
from orders.models import Fill
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, Trigger
from portfolio.comparison import side_by_side
from portfolio.models import PortfolioSnapshot, Position
from tests.pipeline.facts import everything_stored, everything_true, stored_fills, true_fills
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_the_first_sync_stores_the_truth(make_world: Callable[..., World], label: str) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert everything_stored(world) == everything_true(world)


def test_a_run_tells_what_it_brought(world: World) -> None:
    run = world.sync(Trigger.CONNECT)
    truth = world.truth()
    assert run.counts == {
        "balances": len(truth["balances"]),
        "deposits": len(truth["deposits"]),
        "fills": sum(map(len, truth["fills"].values())),
        "orders": sum(map(len, truth["orders"].values())),
    }
    assert run.steps_done == run.steps_total


def test_computed_balances_equal_the_reported_ones(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}


def test_what_the_exchange_does_not_tell_shows_as_a_difference(make_world: Callable[..., World]) -> None:
    world = make_world("holes")
    world.sync(Trigger.CONNECT)
    expected: dict[str, Decimal] = {}
    for hole in world.truth()["holes"]:
        expected[hole["asset"]] = expected.get(hole["asset"], Decimal(0)) + Decimal(hole["change"])
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {
        asset: change for asset, change in expected.items() if change
    }


def test_a_second_sync_stores_nothing_twice(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    before = everything_stored(world)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})
    assert everything_stored(world) == before


def test_what_happened_since_comes_with_the_next_sync(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    before = len(true_fills(world))
    world.wait(hours=2)
    run = world.sync(Trigger.USER)
    assert run.status == RunStatus.OK
    assert len(true_fills(world)) > before
    assert everything_stored(world) == everything_true(world)


def test_the_schedule_alone_keeps_up_with_a_live_account(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    for _ in range(3):
        world.wait(hours=1)
        world.work()
    assert everything_stored(world) == everything_true(world)


def test_nothing_is_done_before_something_is_due(world: World) -> None:
    world.sync(Trigger.CONNECT)
    world.wait(seconds=30)
    assert world.work() is None


def test_a_quiet_account_is_not_asked_for_its_symbols_each_time(world: World) -> None:
    world.sync(Trigger.CONNECT)
    world.wait(hours=1)
    world.work()  # its symbols were live until now
    world.wait(hours=1)
    run = world.work()
    assert run is not None
    assert run.steps_done == len([Stream.BALANCES, Stream.OPEN_ORDERS, Stream.DEPOSITS, Stream.WITHDRAWALS])


def test_derived_rows_follow_in_the_same_run(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    with world.door():
        assert Position.objects.filter(account=world.account).exists()
        assert PortfolioSnapshot.objects.filter(account=world.account).count() >= 10


def test_every_listed_symbol_is_asked_in_the_end(world: World) -> None:
    world.sync(Trigger.CONNECT)
    with world.door():
        rows = SyncCursor.objects.filter(account=world.account, stream=Stream.FILLS)
        states = dict(rows.values_list("scope", "state"))
    assert len(states) == 12
    assert set(states.values()) == {CursorState.INCREMENTAL}


def test_a_symbol_never_traded_is_asked_again_before_a_month_is_over(world: World) -> None:
    world.sync(Trigger.CONNECT)
    cursor = world.cursor(Stream.FILLS, "DOGEUSDT")
    assert (cursor.due_at - world.now()).days == 25


def test_facts_carry_their_payload_and_their_run(world: World) -> None:
    run = world.sync(Trigger.CONNECT)
    with world.door():
        fill = Fill.objects.filter(account=world.account).earliest("id")
    assert (fill.source, fill.run_id, str(fill.raw["id"])) == ("sync", run.id, fill.exchange_fill_id)


def test_a_symbol_bought_and_sold_unseen_is_found_by_what_it_left(
    make_world: Callable[..., World],
) -> None:
    """Nothing points at it: only the quote's balance does not add up."""
    world = make_world("holes")
    world.sync(Trigger.CONNECT)
    with world.door():
        SyncCursor.objects.filter(scope="SOLUSDT", stream=Stream.ORDERS).delete()
    theirs = world.simulator.accounts["holes"]
    sol = SYMBOLS["SOLUSDT"]
    world.wait(hours=2)
    for side in ("BUY", "SELL"):
        order = theirs.place(
            sol, side=side, kind="MARKET", quantity=units("1"), at=world.clock.now_ms(), client_order_id=side
        )
        price = units("90" if side == "BUY" else "91")
        theirs.fill(order, price=price, quantity=order.quantity, at=world.clock.now_ms(), is_maker=False)
    world.work()
    assert {key for key in stored_fills(world) if key[0] == "SOLUSDT"}
    assert everything_stored(world) == everything_true(world)


def test_a_fill_two_days_late_is_found(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    world.simulator.report_late_fill(account="demo", symbol="ETHBTC", days=2)
    world.wait(days=1, hours=1)
    world.work()
    assert stored_fills(world) == true_fills(world)
