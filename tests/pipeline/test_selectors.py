"""How the sync of accounts stands."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from exchanges.errors import ErrorKind
from pipeline import selectors
from pipeline.models import RunStatus, Stream, Trigger
from tests.factories import AccountFactory
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


def state(world: World) -> selectors.SyncState:
    [first, *_] = selectors.sync_state(user_id=world.user.id)
    return first


def test_an_account_never_synced_has_no_run(world: World) -> None:
    assert (state(world).run, state(world).balances_at, state(world).is_under_way) == (None, None, False)


def test_a_queued_run_is_under_way(world: World) -> None:
    world.ask(Trigger.USER)
    assert (state(world).is_under_way, state(world).progress) == (True, 0.0)


def test_the_age_of_the_data_is_that_of_the_last_report(world: World) -> None:
    world.sync(Trigger.CONNECT)
    at = world.now()
    world.clock.advance(hours=1)
    assert state(world).balances_at == at
    assert state(world).streams[Stream.FILLS].last_ok_at == at


def test_a_failed_run_is_explained(world: World) -> None:
    world.fault("reset", path="/api/v3/myTrades")
    world.sync(Trigger.CONNECT)
    shown = state(world)
    assert shown.run is not None
    assert shown.run.status == RunStatus.FAILED
    assert shown.explanation == "The exchange cannot be reached. It is tried again shortly."
    assert shown.streams[Stream.FILLS].error_kind == ErrorKind.NETWORK


def test_rows_set_aside_are_counted_until_they_are_mended(world: World) -> None:
    world.fault("many_decimals", path="/api/v3/myTrades", params={"symbol": "BTCUSDT"}, times=1)
    world.sync(Trigger.CONNECT)
    assert state(world).rejected == 1
    world.clock.advance(seconds=timedelta(minutes=5).total_seconds())
    world.sync()
    assert state(world).rejected == 0


def test_more_accounts_take_no_more_queries(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        AccountFactory.create(user=world.user)
    with django_assert_num_queries(8):  # four reads, the owner set and unset, the savepoint
        assert len(selectors.sync_state(user_id=world.user.id)) == 4
