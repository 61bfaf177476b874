"""Asking for a sync."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.test import TestCase

from core.errors import NotFound
from pipeline import broker, cursors, runs
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.session import Session, SliceOver
from tests.factories import AccountFactory
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db
Capture = Callable[..., object]


def test_a_request_queues_one_run_however_often_it_is_made(world: World) -> None:
    assert world.ask(Trigger.USER) == world.ask(Trigger.USER)
    assert world.latest_run().status == RunStatus.QUEUED


def test_a_request_makes_every_stream_due(world: World) -> None:
    world.ask(Trigger.CONNECT)
    with world.door():
        due = SyncCursor.objects.filter(due_at__lte=world.now()).values_list("stream", flat=True)
        assert set(due) == set(cursors.WHOLE) - {Stream.RECHECK}


def test_a_click_asks_for_the_symbols_that_brought_facts(world: World) -> None:
    world.sync(Trigger.CONNECT)
    world.clock.advance(minutes=10)
    world.ask(Trigger.USER)
    with world.door():
        due = SyncCursor.objects.filter(due_at__lte=world.now(), stream=Stream.FILLS)
        assert set(due.values_list("scope", flat=True)) == {"BTCUSDT", "BNBUSDT"}


def test_a_request_hints_a_worker_after_it_is_committed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints: list[object] = []
    monkeypatch.setattr(broker, "hint_soon", lambda *args, **options: hints.append((args, options)))
    with TestCase.captureOnCommitCallbacks(execute=True):
        world.ask(Trigger.USER)
        assert hints == []
    assert hints == [((broker.SYNC_TASK, [[str(world.account.id)]]), {"queue": broker.INTERACTIVE})]


@pytest.mark.parametrize(
    ("trigger", "seconds", "is_over"),
    [(Trigger.USER, 31, True), (Trigger.SCHEDULE, 31, False), (Trigger.SCHEDULE, 241, True)],
)
def test_what_somebody_asked_for_makes_way_for_what_is_short(
    trigger: Trigger, seconds: int, is_over: bool
) -> None:
    later = START + timedelta(seconds=seconds)
    session: Any = SimpleNamespace(clock=lambda: later, started=START, run=SyncRun(trigger=trigger))
    with pytest.raises(SliceOver) if is_over else nullcontext():
        Session.check_time(session)


def test_a_foreign_account_is_not_there(world: World) -> None:
    foreign = AccountFactory.create()
    with pytest.raises(NotFound):
        runs.request(
            user_id=world.user.id,
            account_ids=[UUID(str(foreign.id))],
            trigger=Trigger.USER,
            at=world.now(),
        )


def test_a_run_closed_by_somebody_else_takes_no_heartbeat(world: World) -> None:
    run = world.ask(Trigger.USER)
    with world.door():
        SyncRun.objects.filter(id=run.id).update(status=RunStatus.FAILED)
        with pytest.raises(runs.LostRun):
            runs.beat(run, now=world.now())
