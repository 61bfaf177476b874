"""Ten hours without the exchange: a gap that is told, no fall to zero, and everything is there afterwards."""

from datetime import date
from decimal import Decimal

import pytest

from exchanges.errors import ErrorKind
from marketdata.models import Ticker
from pipeline import breakers, dispatch, market, stops
from pipeline.connectivity import connectivity, known_as_of
from pipeline.models import Outage, RunStatus, Stream, SyncCursor, Trigger
from pipeline.stops import Stop
from portfolio import metrics, snapshots
from portfolio import scope as scopes
from portfolio.models import PortfolioSnapshot
from tests.pipeline.facts import everything_stored, everything_true
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


def fall_silent(world: World) -> None:
    world.fault("bad_gateway")


def take_up_again(world: World) -> None:
    world.simulator.faults.clear()


def pass_hours(world: World, hours: int) -> None:
    """The clockwork goes on: what is due is tried, days that ended are written."""
    for _ in range(hours):
        world.wait(hours=1)
        with world.door():
            due = SyncCursor.objects.filter(account=world.account, due_at__lte=world.now()).exists()
        if due:
            world.work()
        if snapshots.refresh(user_id=world.user.id, account_id=world.account.id, at=world.now()):
            metrics.refresh(user_id=world.user.id, at=world.now())


def equity(world: World) -> dict[date, Decimal]:
    with world.door():
        return dict(
            PortfolioSnapshot.objects.filter(account=world.account).values_list(
                "snapshot_date", "total_balance"
            )
        )


def test_ten_hours_down_are_a_gap_and_no_fall_to_zero(world: World) -> None:
    """Midnight passes meanwhile: a day ends, and another begins, without a word from the exchange."""
    world.sync(Trigger.CONNECT)
    before, last = equity(world), world.cursor(Stream.BALANCES).last_ok_at
    world.wait(hours=4)
    fall_silent(world)
    pass_hours(world, 10)

    during = equity(world)
    assert {day: during[day] for day in before} == before
    assert min(during.values()) > before[max(before)] / 2
    assert world.cursor(Stream.BALANCES).last_ok_at == last


def test_what_is_shown_in_an_outage_is_told_to_be_old(world: World) -> None:
    world.sync(Trigger.CONNECT)
    fall_silent(world)
    pass_hours(world, 10)
    read_at = world.cursor(Stream.BALANCES).last_ok_at
    with world.door():
        told = known_as_of(user_id=world.user.id, scope=scopes.resolve(), at=world.now())
        [account] = connectivity(user_id=world.user.id, at=world.now()).accounts
    assert (told.as_of, told.is_stale) == (read_at, True)
    assert (account.data_as_of, account.is_stale) == (read_at, True)
    assert read_at is not None
    assert (world.now() - read_at).total_seconds() >= 9 * 3600


def test_after_an_outage_everything_is_there(world: World) -> None:
    world.sync(Trigger.CONNECT)
    fall_silent(world)
    pass_hours(world, 10)
    take_up_again(world)
    world.wait(minutes=11)
    assert world.sync().status == RunStatus.OK
    assert everything_stored(world) == everything_true(world)


def put_stop(world: World, key: str, code: str) -> None:
    now = world.now()
    stop = Stop(code, ErrorKind.DOWN, "gone", since=now, until=now + breakers.FIRST_WAIT, wait=30)
    stops.put(key, stop, lasts=breakers.FORGOTTEN)


@pytest.mark.parametrize("code", [stops.BREAKER, stops.NETWORK])
def test_nobody_is_queued_for_an_exchange_that_is_down_and_what_is_due_stays_due(
    world: World, code: str
) -> None:
    key = breakers.exchange_key("binance") if code == stops.BREAKER else breakers.network_key()
    put_stop(world, key, code)
    assert dispatch.claim_due_accounts(10, at=world.now()) == []
    stops.drop(key)
    assert dispatch.claim_due_accounts(10, at=world.now()) == [world.account.id]


def test_a_run_that_meets_an_outage_asks_for_nothing_and_comes_again(world: World) -> None:
    world.ask(Trigger.CONNECT)
    put_stop(world, breakers.exchange_key("binance"), stops.BREAKER)
    run = world.work()
    assert run is not None
    assert (run.status, run.error_kind, run.error_detail) == (RunStatus.FAILED, ErrorKind.DOWN, "gone")
    with world.door():
        assert not SyncCursor.objects.filter(last_ok_at__isnull=False).exists()
    world.wait(seconds=31)  # whoever comes first probes: the exchange is there
    assert world.work() is not None
    assert world.latest_run().status == RunStatus.OK


def test_a_probe_asks_the_exchange_itself(world: World) -> None:
    watch = market.watch(now=world.now)
    put_stop(world, breakers.exchange_key("binance"), stops.BREAKER)
    Outage.objects.create(exchange="binance", reason="gone", began_at=world.now())
    world.wait(seconds=30)
    fall_silent(world)
    watch.watch()
    assert breakers.stopped(now=world.now()) == {"binance"}
    take_up_again(world)
    world.wait(seconds=60)
    watch.watch()
    assert breakers.stopped(now=world.now()) == frozenset()
    assert Outage.objects.get().ended_at == world.now()


def test_prices_are_read_before_a_pause_of_everything_ends(world: World) -> None:
    world.sync(Trigger.CONNECT)
    now = world.now()
    stop = Stop(
        stops.NETWORK,
        ErrorKind.NETWORK,
        "gone",
        since=now,
        until=now,
        exchanges=("binance",),
        good=breakers.GOOD_PROBES,
    )
    stops.put(breakers.network_key(), stop, lasts=breakers.FORGOTTEN)
    fall_silent(world)
    market.watch(now=world.now).watch()
    assert breakers.stopped(now=world.now()) != frozenset()
    take_up_again(world)
    for _ in range(4):
        world.wait(seconds=5)
        market.watch(now=world.now).watch()
    assert breakers.stopped(now=world.now()) == frozenset()
    assert Ticker.objects.latest("read_at").read_at == world.now()
