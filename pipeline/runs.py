"""Runs: one go at an account at a time, held by a heartbeat. Who lost the heartbeat can no longer write."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from core.django import tenancy
from core.errors import NotFound
from credentials.accounts import syncable
from credentials.models import ExchangeAccount
from pipeline import broker, cursors
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger

INTERRUPTED: Final = "interrupted"
STOPPED_SHORT: Final = "The worker stopped in the middle; the next run goes on from there."
_ONE_AT_A_TIME: Final = "run_one_at_a_time"
_UNDER_WAY: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


class LostRun(Exception):
    """The run was closed by somebody else: its heartbeat had stopped. Nothing more may be written for it."""


def request(*, user_id: UUID, account_ids: Sequence[UUID], trigger: Trigger, at: datetime) -> list[SyncRun]:
    """Ask for a sync: cursors become due, and each account gets a queued run or answers the one under way.

    Opens its own door and hints a worker after it closes (a command works itself): of a new key to check it at
    once, in a task that ends before the long reading begins. Raises NotFound, also for what is never synced.
    """
    with tenancy.acting_as(user_id):
        accounts = list(syncable().filter(id__in=account_ids))
        if len(accounts) != len(set(account_ids)):
            raise NotFound("There is no such account.")
        runs = [_request_one(account, trigger, at) for account in accounts]
        if trigger != Trigger.COMMAND and runs:
            task = broker.CHECK_TASK if trigger == Trigger.CONNECT else broker.SYNC_TASK
            # A task each: whoever waits for something short waits for one account only.
            for account in accounts:
                hint = partial(broker.hint_soon, task, [[str(account.id)]], queue=broker.INTERACTIVE)
                transaction.on_commit(hint)
    return runs


def begin(*, account: ExchangeAccount, trigger: Trigger, now: datetime) -> SyncRun | None:
    """Take the account's queued run, or start one if something is due. None: nothing to do, or somebody does it.

    Inside an open door. The run of a killed worker is closed first.
    """
    close_dead(account_id=account.id, now=now)
    started = {"status": RunStatus.RUNNING, "started_at": now, "heartbeat_at": now}
    if SyncRun.objects.filter(account=account, status=RunStatus.QUEUED).update(**started):
        return SyncRun.objects.get(account=account, status=RunStatus.RUNNING)
    if not cursors.has_due(account_id=account.id, at=now):
        return None
    return _insert(
        SyncRun(user_id=account.user_id, account=account, trigger=trigger, requested_at=now, **started)
    )


def beat(run: SyncRun, *, now: datetime) -> None:
    """Renew the heartbeat and tell how far the run is. Raises LostRun. Inside an open door."""
    run.heartbeat_at = now
    _save(
        run,
        heartbeat_at=now,
        step=run.step[:60],
        steps_done=run.steps_done,
        steps_total=max(run.steps_total, run.steps_done),
        counts=run.counts,
        rejected_count=run.rejected_count,
        clock_offset_ms=run.clock_offset_ms,
    )


def finish(run: SyncRun, *, status: RunStatus, now: datetime) -> None:
    """Close a run and give its cursors back. Raises LostRun. Inside an open door."""
    run.status, run.finished_at, run.step = status, now, ""
    run.error_detail = run.error_detail[: cursors.DETAIL_LENGTH]
    _save(
        run,
        status=status,
        finished_at=now,
        heartbeat_at=now,
        step="",
        steps_done=run.steps_done,
        steps_total=run.steps_total,
        counts=run.counts,
        rejected_count=run.rejected_count,
        error_kind=run.error_kind,
        error_detail=run.error_detail,
        clock_offset_ms=run.clock_offset_ms,
    )
    cursors.release(account_id=run.account_id)


def queue_again(run: SyncRun, *, now: datetime) -> None:
    """Hand a run over to whoever goes on with it; a worker is hinted after commit. Raises LostRun. Inside an open
    door."""
    run.status, run.step = RunStatus.QUEUED, ""
    _save(run, status=run.status, heartbeat_at=now, step="", steps_done=run.steps_done, counts=run.counts)
    cursors.release(account_id=run.account_id)
    ids = [str(run.account_id)]
    transaction.on_commit(partial(broker.hint_soon, broker.SYNC_TASK, [ids], queue=broker.SYNC))


def close_dead(*, account_id: UUID, now: datetime) -> int:
    """Close the run whose heartbeat stopped; answers how many there were. Inside an open door."""
    dead = SyncRun.objects.filter(
        account_id=account_id, status=RunStatus.RUNNING, heartbeat_at__lt=now - cursors.LEASE
    )
    closed = dead.update(
        status=RunStatus.FAILED,
        finished_at=now,
        step="",
        error_kind=INTERRUPTED,
        error_detail=STOPPED_SHORT,
    )
    if closed:  # the dead worker can write no more, so nobody needs its leases
        cursors.release(account_id=account_id)
    return closed


def _request_one(account: ExchangeAccount, trigger: Trigger, at: datetime) -> SyncRun:
    cursors.ensure_whole(account=account, due_at=at)
    _make_due(account.id, trigger, at)
    close_dead(account_id=account.id, now=at)
    while True:
        run = (
            _insert(SyncRun(user_id=account.user_id, account=account, trigger=trigger, requested_at=at))
            or SyncRun.objects.filter(account=account, status__in=_UNDER_WAY).first()
        )
        if run is not None:  # else the one under way ended just now
            return run


def _make_due(account_id: UUID, trigger: Trigger, at: datetime) -> None:
    """A person's click brings news of what moves; connecting and the command bring everything followed."""
    whole = {*cursors.WHOLE, *cursors.MOVEMENTS, *cursors.OF_CONTRACTS}
    if trigger in (Trigger.CONNECT, Trigger.COMMAND):
        streams = whole - (set(cursors.CHECKS) if trigger == Trigger.CONNECT else set())
        streams |= {*cursors.BY_CONTRACT, Stream.FUNDING}
        cursors.make_due(account_id=account_id, streams=streams, at=at)
        followed = cursors.symbols(account_id=account_id, stream=Stream.ORDERS)
        cursors.make_due(account_id=account_id, streams=cursors.BY_SYMBOL, at=at, scopes=followed)
        return
    cursors.make_due(account_id=account_id, streams=whole - {Stream.PERMISSIONS, *cursors.CHECKS}, at=at)
    cursors.make_worked_due(account_id=account_id, at=at)
    failing = SyncCursor.objects.filter(account_id=account_id, error_count__gt=0, due_at__gt=at)
    failing.update(due_at=at)


def _insert(run: SyncRun) -> SyncRun | None:
    """The inserted run, or None when the account has one under way."""
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        if _ONE_AT_A_TIME not in str(error):
            raise
        return None
    return run


def _save(run: SyncRun, **values: object) -> None:
    if not SyncRun.objects.filter(id=run.id, status=RunStatus.RUNNING).update(**values):
        raise LostRun(f"Run {run.id} was closed by somebody else.")
