"""Reads: how the sync of accounts stands. Inside an open door unless a function says that it opens it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q

from core.django import tenancy
from credentials.accounts import syncable
from credentials.models import ExchangeAccount
from pipeline import words
from pipeline.models import RejectedRow, RunStatus, Stream, SyncCursor, SyncRun
from pipeline.schedule import Pace

_MOST_FAILURES: Final = (
    500  # of one outage that are looked at: more than two days of trying every ten minutes
)


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream of an account over all its symbols. `last_ok_at` is that of the oldest: the age of the data."""

    stream: str
    last_ok_at: datetime | None
    due_at: datetime
    cursors: int
    failing: int
    error_kind: str
    error_detail: str
    failures: int = 0
    """In a row, of the scope that failed most often."""

    @property
    def explanation(self) -> str:
        return words.explain(self.error_kind)


@dataclass(frozen=True, slots=True)
class SyncState:
    """How an account's sync stands. `rejected` counts rows set aside that nobody could read since."""

    account: ExchangeAccount
    run: SyncRun | None
    streams: Mapping[str, StreamState] = field(default_factory=dict)
    rejected: int = 0

    @property
    def is_under_way(self) -> bool:
        return self.run is not None and self.run.status in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def progress(self) -> float | None:
        """Between 0 and 1 while a run is under way."""
        if self.run is None or not self.is_under_way:
            return None
        return min(self.run.steps_done / self.run.steps_total, 1.0) if self.run.steps_total else 0.0

    @property
    def balances_at(self) -> datetime | None:
        """When the exchange last told what the account holds: the age of what is shown."""
        state = self.streams.get(Stream.BALANCES)
        return state.last_ok_at if state else None

    def next_read_at(self, pace: Pace) -> datetime | None:
        """When its balances are read next, while its owner looks; None before the first reading."""
        state = self.streams.get(Stream.BALANCES)
        if state is None or state.last_ok_at is None:
            return None
        return state.due_at if state.failing else min(state.due_at, state.last_ok_at + pace.prompt)

    @property
    def explanation(self) -> str:
        """What is wrong with the latest run, in plain words; "" when nothing is."""
        return words.explain(self.run.error_kind) if self.run is not None else ""


def latest_runs(accounts: Collection[UUID]) -> dict[UUID, SyncRun]:
    """The newest run of each account that had one."""
    rows = SyncRun.objects.filter(account_id__in=accounts)
    return {
        run.account_id: run
        for run in rows.order_by("account_id", "-requested_at", "-id").distinct("account_id")
    }


def failing_runs(accounts: Collection[UUID]) -> dict[UUID, list[SyncRun]]:
    """Of each account whose visits fail the ones that did, newest first, back to the last that did not; what is
    under way counts for nothing yet."""
    done = SyncRun.objects.filter(finished_at__isnull=False).order_by("account_id", "-requested_at", "-id")
    newest = done.filter(account_id__in=accounts).distinct("account_id")
    failing = [run.account_id for run in newest if run.status == RunStatus.FAILED]
    return {
        account: list(
            takewhile(
                lambda run: run.status == RunStatus.FAILED, done.filter(account_id=account)[:_MOST_FAILURES]
            )
        )
        for account in failing
    }


def stream_states(accounts: Collection[UUID]) -> dict[UUID, dict[str, StreamState]]:
    """Every stream of every account, over the symbols that are read regularly (not the ones only swept)."""
    rows = SyncCursor.objects.filter(account_id__in=accounts).exclude(
        stream=Stream.FILLS, row_count=0, error_count=0
    )
    found: dict[UUID, dict[str, StreamState]] = {}
    for row in (
        rows.values("account_id", "stream")
        .annotate(
            oldest=Min("last_ok_at"),
            due=Min("due_at"),
            cursors=Count("id"),
            failing=Count("id", filter=Q(error_count__gt=0)),
            kind=Max("error_kind"),
            detail=Max("error_detail"),
            failures=Max("error_count"),
        )
        .order_by()
    ):
        found.setdefault(row["account_id"], {})[row["stream"]] = StreamState(
            stream=row["stream"],
            last_ok_at=row["oldest"],
            due_at=row["due"],
            cursors=row["cursors"],
            failing=row["failing"],
            error_kind=row["kind"],
            error_detail=row["detail"],
            failures=row["failures"],
        )
    return found


def rejected_counts(accounts: Collection[UUID]) -> dict[UUID, int]:
    """Rows set aside and not mended since, by account."""
    rows = RejectedRow.objects.filter(account_id__in=accounts, mended_at__isnull=True)
    return dict(rows.values_list("account_id").annotate(count=Count("id")).order_by())


def rejected_rows(account_id: UUID, *, limit: int = 50) -> Sequence[RejectedRow]:
    """The newest rows set aside, without their payloads."""
    rows = RejectedRow.objects.filter(account_id=account_id, mended_at__isnull=True)
    return list(rows.defer("raw").order_by("-id")[:limit])


def sync_state(*, user_id: UUID) -> list[SyncState]:
    """Every living account of a user, oldest first; four queries however many there are. Opens its own door."""
    with tenancy.acting_as(user_id):
        accounts = list(syncable().order_by("created_at", "id"))
        ids = [account.id for account in accounts]
        latest, streams, rejected = latest_runs(ids), stream_states(ids), rejected_counts(ids)
    return [
        SyncState(account, latest.get(account.id), streams.get(account.id, {}), rejected.get(account.id, 0))
        for account in accounts
    ]
