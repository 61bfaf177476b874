"""Who is told to the workers: each account once, whoever asks how often."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from kombu.exceptions import OperationalError

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from orders.models import Order
from pipeline import broker, dispatch, runs, tasks
from pipeline.models import RunStatus, Stream, SyncRun, Trigger
from portfolio import statements
from portfolio.models import AccountMark, Book, Trade, TradeDay
from tests.factories import AccountFactory
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


def claim(world: World) -> list[UUID]:
    return dispatch.claim_due_accounts(100, at=world.now())


def test_a_new_account_is_claimed_once(world: World) -> None:
    assert (claim(world), claim(world)) == ([world.account.id], [])


def test_a_claim_queues_a_run(world: World) -> None:
    claim(world)
    assert (world.latest_run().status, world.latest_run().trigger) == (RunStatus.QUEUED, Trigger.SCHEDULE)


def test_a_hint_that_was_lost_is_given_again(world: World) -> None:
    claim(world)
    world.clock.advance(seconds=61)
    assert (claim(world), claim(world)) == ([world.account.id], [])


def test_a_request_is_hinted_at_by_the_next_dispatch_too(world: World) -> None:
    world.ask(Trigger.USER)
    assert claim(world) == [world.account.id]


def test_an_account_read_to_its_end_is_left_alone(world: World) -> None:
    world.sync(Trigger.CONNECT)
    assert claim(world) == []
    world.clock.advance(hours=1)
    assert claim(world) == [world.account.id]


@pytest.mark.parametrize("change", [{"is_active": False}, {"key_state": KeyState.DISABLED}])
def test_a_closed_or_disabled_account_is_never_claimed(world: World, change: dict[str, Any]) -> None:
    with world.door():
        ExchangeAccount.objects.filter(id=world.account.id).update(**change)
    assert claim(world) == []


def test_a_person_who_comes_back_waits_three_minutes_at_most(world: World) -> None:
    world.sync(Trigger.CONNECT)
    world.clock.advance(minutes=4)
    assert claim(world) == []
    User.objects.filter(id=world.user.id).update(seen_at=world.now())
    assert claim(world) == [world.account.id]
    assert world.cursor(Stream.BALANCES).due_at == world.now() - timedelta(minutes=1)


def test_the_run_of_a_killed_worker_is_claimed_again(world: World) -> None:
    with world.door():
        runs.begin(account=world.account, trigger=Trigger.SCHEDULE, now=world.now())
        SyncRun.objects.update(status=RunStatus.RUNNING)
    world.ask(Trigger.USER)
    with world.door():
        SyncRun.objects.update(status=RunStatus.RUNNING, heartbeat_at=world.now())
    assert claim(world) == []
    world.clock.advance(minutes=3)
    assert claim(world) == [world.account.id]


@pytest.mark.django_db(transaction=True)
def test_two_beats_claim_every_account_once(make_world: Callable[..., World]) -> None:
    world = make_world()
    expected = {world.account.id, *(AccountFactory.create(user=world.user).id for _ in range(9))}
    claimed: list[UUID] = []
    start = threading.Barrier(3)

    def beat() -> None:
        try:
            start.wait()
            claimed.extend(claim(world))
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(expected)


def test_owners_leave_out_closed_accounts(world: World) -> None:
    closed = AccountFactory.create(user=world.user, is_active=False)
    assert dispatch.owners([closed.id, world.account.id]) == [dispatch.Owned(world.user.id, world.account.id)]


def test_stale_books_are_found_by_what_they_wait_for(world: World) -> None:
    world.sync(Trigger.CONNECT)
    assert dispatch.stale_accounts(limit=9, waiting=False) == []
    with world.door():
        Book.objects.filter(asset="BTC").update(stale_from=world.now())
    owned = [dispatch.Owned(world.user.id, world.account.id)]
    assert dispatch.stale_accounts(limit=9, waiting=False) == owned
    with world.door():
        Book.objects.filter(asset="BTC").update(blocked_reason="No price.")
    assert dispatch.stale_accounts(limit=9, waiting=False) == []
    assert dispatch.stale_accounts(limit=9, waiting=True) == owned
    with world.door():
        AccountMark.objects.update(folded_from=world.now())
    assert dispatch.stale_accounts(limit=9, waiting=False) == owned


def test_what_was_said_of_trades_is_drawn_without_a_sync(world: World) -> None:
    world.sync(Trigger.CONNECT)
    with world.door():
        ended = Order.objects.filter(
            exchange_order_id__in=Trade.objects.filter(kind="TRADE").values("exit_order_id")
        )
        order_id = ended.values_list("id", flat=True)[0]
    statements.annotate(user_id=world.user.id, order_id=order_id, strategy="swing")
    owned = [dispatch.Owned(world.user.id, world.account.id)]
    assert dispatch.stale_accounts(limit=9, waiting=False) == owned
    tasks.rebuild_stale()
    assert dispatch.stale_accounts(limit=9, waiting=False) == []
    with world.door():
        assert TradeDay.objects.filter(strategy="swing").count() == 1


def test_a_task_works_the_accounts_it_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clock.now", world.now)
    assert tasks.sync_accounts([str(world.account.id), str(UUID(int=0))]) == 1
    assert tasks.sync_accounts([str(world.account.id)]) == 0
    assert world.latest_run().status == RunStatus.OK


def test_stale_books_are_folded_by_their_task(world: World) -> None:
    world.sync(Trigger.CONNECT)
    with tenancy.acting_as(world.user.id):
        Book.objects.update(stale_from=world.now())
    assert tasks.rebuild_stale() == 1
    with tenancy.acting_as(world.user.id):
        assert not Book.objects.filter(stale_from__isnull=False).exists()


def test_a_broker_that_is_down_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("Connection refused")

    monkeypatch.setattr(broker.app, "send_task", refuse)
    assert broker.hint(broker.SYNC_TASK, [[]], queue=broker.SYNC) is False
