"""What is known of an exchange that forgets: from when on, what was missed, and what will be forgotten when."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache

from core.django import tenancy
from exchanges.rows import MarketType
from exchanges.simulators import profiles
from orders.models import Fill, Order
from pipeline import coverage, cursors
from pipeline.coverage import Gap, StreamCoverage
from pipeline.models import Stream, SyncCursor, Trigger
from tests.clients import client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory
from tests.pipeline.test_mexc import make_world, old, old_read
from tests.pipeline.venues import Open
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db

__all__ = ["make_world", "old", "old_read"]

MakeWorld = Callable[..., World]
DAY = timedelta(days=1)
FILLS, ORDERS = 30 * DAY, 7 * DAY  # how long MEXC tells them
DEPOSITS = 90 * DAY - timedelta(hours=1)  # an hour is left for clocks that differ


def known(world: World, stream: Stream, scope: str = "BTCUSDT") -> StreamCoverage:
    found = coverage.coverage(user_id=world.user.id, at=world.now())
    [row] = [row for row in found.results if (row.stream, row.scope) == (stream.value, scope)]
    return row


def moments(world: World) -> tuple[datetime, ...]:
    row = known(world, Stream.FILLS)
    assert row.known_to is not None
    assert row.known_from is not None
    return row.known_from, row.known_to


def test_before_a_walk_has_ended_nothing_is_said_to_be_known(make_world: MakeWorld) -> None:
    world = make_world("old")
    with tenancy.acting_as(world.user.id):
        cursors.ensure_whole(account=world.account, due_at=world.now())
    row = known(world, Stream.DEPOSITS, "")
    assert (row.is_complete, row.from_beginning, row.known_from, row.known_to) == (False, False, None, None)


def test_a_first_walk_tells_from_when_on_a_stream_is_known(old: World) -> None:
    for stream, scope, told in (
        (Stream.FILLS, "BTCUSDT", FILLS),
        (Stream.ORDERS, "BTCUSDT", ORDERS),
        (Stream.DEPOSITS, "", DEPOSITS),
    ):
        row = known(old, stream, scope)
        assert (row.is_complete, row.from_beginning, row.gaps) == (True, False, [])
        assert row.known_from == old.now() - told
        assert (row.retention_hours, row.vanishes_at) == (told / timedelta(hours=1), old.now() + told)


def test_what_is_known_reaches_back_as_far_as_the_first_walk_did(old: World) -> None:
    since, _ = moments(old)
    old.wait(days=20)
    old.sync()
    assert moments(old) == (since, old.now())
    assert known(old, Stream.FILLS).gaps == []


def test_a_time_forgotten_before_it_was_read_is_a_gap(old: World) -> None:
    last = old.now()
    old.wait(days=40)
    old.sync()
    assert known(old, Stream.FILLS).gaps == [Gap(last, old.now() - FILLS)]
    assert known(old, Stream.ORDERS).gaps == [Gap(last, old.now() - ORDERS)]
    assert known(old, Stream.DEPOSITS, "").gaps == []
    assert known(old, Stream.FILLS).known_to == old.now()


def test_a_gap_is_noted_once(old: World) -> None:
    old.wait(days=40)
    for _ in range(2):
        old.sync()
    assert len(known(old, Stream.FILLS).gaps) == 1


def test_a_walk_broken_off_and_taken_up_too_late_leaves_a_gap(old: World) -> None:
    began, reached = old.now(), old.now() - 10 * DAY
    with tenancy.acting_as(old.user.id):
        cursor = SyncCursor.objects.get(stream=Stream.FILLS, scope="BTCUSDT")
        cursor.walk_floor, cursor.reached_at = began - FILLS, reached
        cursor.save()
    old.wait(days=25)
    old.sync()
    assert known(old, Stream.FILLS).gaps == [Gap(reached, old.now() - FILLS)]


def test_what_is_about_to_be_forgotten_is_at_risk(old: World) -> None:
    assert not known(old, Stream.FILLS).is_at_risk
    old.wait(days=25)
    assert known(old, Stream.FILLS).is_at_risk
    assert not known(old, Stream.DEPOSITS, "").is_at_risk


def test_every_stream_is_due_before_the_exchange_forgets(old: World) -> None:
    """Symbols that were only searched wait longest."""
    with tenancy.acting_as(old.user.id):
        waiting = SyncCursor.objects.filter(stream__in=[Stream.FILLS, Stream.ORDERS])
        for cursor in waiting.exclude(retention=None):
            assert cursor.last_ok_at is not None
            assert cursor.retention is not None
            assert cursor.due_at <= cursor.last_ok_at + 0.8 * cursor.retention


def test_an_exchange_that_forgets_nothing_is_known_from_the_beginning() -> None:
    account = AccountFactory.create(exchange="binance")
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.create(
            user=account.user,
            account=account,
            stream="deposits",
            state="incremental",
            due_at=account.created_at,
        )
    [row] = coverage.coverage(user_id=account.user_id, at=account.created_at).results
    told = (row.is_complete, row.from_beginning, row.known_from, row.retention_hours, row.vanishes_at)
    assert told == (True, True, None, None, None)


def test_the_map_is_told_over_the_api_to_its_owner_alone() -> None:
    cache.clear()
    account = AccountFactory.create(label="Main")
    with tenancy.acting_as(account.user_id):
        for stream in ("deposits", "fills", "balances"):
            SyncCursor.objects.create(
                user=account.user, account=account, stream=stream, due_at=account.created_at
            )
    owner, other = client_of(account.user), client_of(UserFactory.create())
    rows = owner.get("/api/coverage", {"account": "Main"}).json()["results"]
    assert [(row["label"], row["stream"], row["is_complete"]) for row in rows] == [
        ("Main", "deposits", False),
        ("Main", "fills", False),
    ]
    assert other.get("/api/coverage").json()["results"] == []
    assert problem(other.get("/api/coverage", {"account": "Main"}))[0] == 404
    assert problem(stranger().get("/api/coverage"))[0] == 401
    assert problem(owner.post("/api/coverage"))[0] == 405
    assert problem(owner.get("/api/coverage", {"nonsense": "1"}))[0] == 400


@pytest.mark.parametrize("count", [1, 3])
def test_the_map_takes_as_many_queries_for_one_symbol_as_for_three(
    count: int, django_assert_num_queries: Callable[..., object]
) -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        for number in range(count):
            SyncCursor.objects.create(
                user=account.user,
                account=account,
                stream="orders",
                scope=f"S{number}",
                due_at=account.created_at,
            )
        with django_assert_num_queries(4):  # type: ignore[attr-defined]
            assert len(coverage.streams([account.id], at=account.created_at)) == count


def test_facts_are_counted_whichever_way_they_came(open_world: Open) -> None:
    """The first glance stores the newest fills and the open orders before the walks of either."""
    world = open_world("binance", "leveraged", [profiles.LEVERAGED.shortened(8)])
    world.sync(Trigger.CONNECT)
    world.wait(minutes=3)
    world.sync()
    told: Counter[str] = Counter()
    for row in coverage.coverage(user_id=world.user.id, at=world.now()).results:
        told[row.stream] += row.row_count
    with world.door():
        fills, orders = (
            {kind: model.objects.filter(market_type=kind).count() for kind in MarketType}
            for model in (Fill, Order)
        )
    assert {stream: told[stream] for stream in (Stream.FILLS, Stream.ORDERS)} == {
        Stream.FILLS: fills[MarketType.SPOT], Stream.ORDERS: orders[MarketType.SPOT],
    }  # fmt: skip
    assert {stream: told[stream] for stream in (Stream.CONTRACT_FILLS, Stream.CONTRACT_ORDERS)} == {
        Stream.CONTRACT_FILLS: fills[MarketType.FUTURES], Stream.CONTRACT_ORDERS: orders[MarketType.FUTURES],
    }  # fmt: skip
    assert fills[MarketType.FUTURES] > 0
