"""Killed workers, two workers, duplicate hints: nothing is lost, nothing comes twice."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from core.django import tenancy
from pipeline import cursors, runs
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.session import Progress
from tests.pipeline.facts import everything_stored, everything_true
from tests.pipeline.worlds import World


class Killed(BaseException):
    """Stands for kill -9: no handler of ours may tidy up after it."""


def killed_after(pages: int) -> Progress:
    left = iter(range(pages))

    def progress(run: SyncRun) -> None:
        if next(left, None) is None:
            raise Killed

    return progress


@pytest.mark.django_db
@pytest.mark.parametrize("pages", [0, 4, 9, 15, 22])
def test_a_killed_worker_loses_nothing(make_world: Callable[..., World], pages: int) -> None:
    world = make_world("holes")
    world.ask(Trigger.CONNECT)
    with pytest.raises(Killed):
        world.work(progress=killed_after(pages))
    assert world.work() is None  # its lease has not run out
    world.clock.advance(seconds=cursors.LEASE.total_seconds() + 1)
    run = world.work()
    assert run is not None
    assert run.status == RunStatus.OK
    assert everything_stored(world) == everything_true(world)


@pytest.mark.django_db
def test_the_run_of_a_killed_worker_is_closed_by_the_next(world: World) -> None:
    world.ask(Trigger.CONNECT)
    with pytest.raises(Killed):
        world.work(progress=killed_after(3))
    killed = world.latest_run()
    world.clock.advance(minutes=3)
    world.work()
    with world.door():
        killed.refresh_from_db()
    assert (killed.status, killed.error_kind) == (RunStatus.FAILED, runs.INTERRUPTED)
    assert killed.finished_at == world.now()


@pytest.mark.django_db
def test_a_worker_that_hung_writes_nothing_once_its_run_is_closed(world: World) -> None:
    """It wakes up after its lease, in the middle of a page, while another worker has done the work."""
    stored_by_the_other: list[object] = []

    def hang(run: SyncRun) -> None:
        if not stored_by_the_other and run.step.startswith("Reading deposits"):
            world.clock.advance(seconds=cursors.LEASE.total_seconds() + 1)
            stored_by_the_other.append(world.work())

    world.ask(Trigger.CONNECT)
    assert world.work(progress=hang) is None
    [other] = stored_by_the_other
    assert isinstance(other, SyncRun)
    assert other.status == RunStatus.OK
    assert world.latest_run().id == other.id
    assert everything_stored(world) == everything_true(world)


@pytest.mark.django_db
def test_an_interrupted_command_closes_its_run(world: World) -> None:
    def interrupt(run: SyncRun) -> None:
        raise KeyboardInterrupt

    world.ask(Trigger.COMMAND)
    with pytest.raises(KeyboardInterrupt):
        world.work(progress=interrupt)
    run = world.latest_run()
    assert (run.status, run.error_kind) == (RunStatus.FAILED, runs.INTERRUPTED)
    assert world.sync().status == RunStatus.OK


@pytest.mark.django_db
def test_our_own_fault_in_one_stream_is_told_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pipeline.streams.ingest.store_transfers", broken)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, "bug")
    assert run.counts["fills"] == 7
    monkeypatch.undo()
    world.clock.advance(hours=2)
    assert world.sync().status == RunStatus.OK
    assert everything_stored(world) == everything_true(world)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_works_and_the_other_leaves(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.ask(Trigger.CONNECT)
    answers: list[SyncRun | None] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            answers.append(world.work())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [run for run in answers if run is not None]
    assert [run.status for run in done] == [RunStatus.OK]
    with world.door():
        assert SyncRun.objects.count() == 1
    assert everything_stored(world) == everything_true(world)


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_once_never_share_a_cursor(make_world: Callable[..., World]) -> None:
    world = make_world()
    with world.door():
        cursors.ensure(
            account=world.account,
            stream=Stream.FILLS,
            scopes=[f"S{number}" for number in range(60)],
            due_at=world.now(),
        )
    claimed: list[int] = []
    start = threading.Barrier(3)

    def claim() -> None:
        try:
            start.wait()
            with tenancy.acting_as(world.user.id):
                rows = cursors.claim(
                    account_id=world.account.id, streams=[Stream.FILLS], due_by=world.now(), now=world.now()
                )
                claimed.extend(row.id for row in rows)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) > 40


@pytest.mark.django_db
def test_a_lease_that_ran_out_can_be_claimed_again(world: World) -> None:
    at = world.now()
    with world.door():
        cursors.ensure(account=world.account, stream=Stream.FILLS, scopes=["BTCUSDT"], due_at=at)

        def claim(now: object) -> int:
            rows = cursors.claim(
                account_id=world.account.id,
                streams=[Stream.FILLS],
                due_by=at,
                now=now,  # type: ignore[arg-type]
            )
            return len(rows)

        assert [claim(at), claim(at + timedelta(seconds=1)), claim(at + cursors.LEASE)] == [1, 0, 1]
        assert SyncCursor.objects.get(stream=Stream.FILLS).leased_until == at + 2 * cursors.LEASE
