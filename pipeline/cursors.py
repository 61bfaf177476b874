"""Cursors: claimed with a lease, moved in the transaction that stores the rows, due again by schedule.

Every function works inside an open door of the account's owner.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from credentials.models import ExchangeAccount
from exchanges.errors import ExchangeError
from pipeline import schedule
from pipeline.models import CursorState, Stream, SyncCursor

LEASE: Final = timedelta(minutes=2)  # outlives every request to an exchange; a run's heartbeat renews it
DETAIL_LENGTH: Final = 300
# Streams every account is asked for as a whole.
WHOLE: Final = (
    Stream.PERMISSIONS,
    Stream.BALANCES,
    Stream.OPEN_ORDERS,
    Stream.DEPOSITS,
    Stream.WITHDRAWALS,
    Stream.DISCOVERY,
    Stream.RECHECK,
)
BY_SYMBOL: Final = (Stream.FILLS, Stream.ORDERS)
# What only some accounts have.
MOVEMENTS: Final = (
    Stream.TRANSFERS,
    Stream.REBATES,
    Stream.CHARGES,
    Stream.DIVIDENDS,
    Stream.CONVERSIONS,
)
OF_CONTRACTS: Final = (Stream.POSITIONS, Stream.CONTRACT_OPEN, Stream.CONTRACT_RECHECK)
BY_CONTRACT: Final = (Stream.CONTRACT_FILLS, Stream.CONTRACT_ORDERS)
CHECKS: Final = (Stream.RECHECK, Stream.CONTRACT_RECHECK)  # of what was read before

# Two workers never take one cursor: the rows locked by the other are skipped, and its lease outlasts the lock.
_CLAIM = """
UPDATE pipeline_synccursor SET leased_until = %s
WHERE id IN (
  SELECT id FROM pipeline_synccursor
  WHERE account_id = %s AND stream = ANY(%s) AND due_at <= %s AND (leased_until IS NULL OR leased_until <= %s)
  ORDER BY due_at, scope LIMIT %s FOR UPDATE SKIP LOCKED
)
RETURNING *
"""


def ensure(
    *, account: ExchangeAccount, stream: Stream, scopes: Iterable[str] = ("",), due_at: datetime
) -> None:
    """Create the cursors that are not there yet; the others stay as they are."""
    rows = [
        SyncCursor(user_id=account.user_id, account_id=account.id, stream=stream, scope=scope, due_at=due_at)
        for scope in scopes
    ]
    SyncCursor.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def ensure_whole(*, account: ExchangeAccount, due_at: datetime) -> None:
    """The cursors every account has. RECHECK begins a day later: a first walk has nothing to check."""
    for stream in WHOLE:
        later = schedule.next_due(stream, account_id=account.id, at=due_at, is_active=False)
        ensure(account=account, stream=stream, due_at=later if stream is Stream.RECHECK else due_at)


def claim(
    *,
    account_id: UUID,
    streams: Sequence[Stream],
    due_by: datetime,
    now: datetime,
    limit: int = 20,
) -> list[SyncCursor]:
    """Take due cursors that nobody has a lease on, the longest due first."""
    values = [stream.value for stream in streams]
    return list(SyncCursor.objects.raw(_CLAIM, [now + LEASE, account_id, values, due_by, now, limit]))


def advance(*, cursor: SyncCursor, position: str, now: datetime) -> None:
    """Move a cursor past a page that is not the last; its lease goes on."""
    cursor.position = position
    cursor.leased_until = now + LEASE
    SyncCursor.objects.filter(id=cursor.id).update(position=position, leased_until=cursor.leased_until)


def count(*, account_id: UUID, stream: str, scope: str, stored: int) -> None:
    """So many facts of a stream and scope were stored anew, whichever way they came."""
    rows = SyncCursor.objects.filter(account_id=account_id, stream=stream, scope=scope)
    rows.update(row_count=F("row_count") + stored)


def finish(*, cursor: SyncCursor, due_at: datetime, ok_at: datetime) -> None:
    """The stream is known up to `ok_at`; back to the queue until `due_at`."""
    cursor.state, cursor.due_at, cursor.last_ok_at = CursorState.INCREMENTAL, due_at, ok_at
    cursor.error_count, cursor.leased_until = 0, None
    SyncCursor.objects.filter(id=cursor.id).update(
        state=cursor.state,
        due_at=due_at,
        last_ok_at=ok_at,
        leased_until=None,
        error_kind="",
        error_detail="",
        error_count=0,
    )


def fail(*, cursor: SyncCursor, error: ExchangeError, now: datetime) -> datetime:
    """Note why a stream stopped; answers when it is asked again. What was stored, and the position, stay."""
    cursor.error_count += 1
    cursor.due_at = schedule.retry_at(error, failures=cursor.error_count, at=now)
    SyncCursor.objects.filter(id=cursor.id).update(
        due_at=cursor.due_at,
        leased_until=None,
        error_kind=error.kind.value,
        error_detail=error.detail[:DETAIL_LENGTH],
        error_count=cursor.error_count,
    )
    return cursor.due_at


def put_off(*, cursor: SyncCursor, until: datetime) -> None:
    """Ask again at `until`; where it stands, and that it never failed, stays."""
    cursor.due_at = until
    SyncCursor.objects.filter(id=cursor.id).update(due_at=until, leased_until=None)


def release(*, account_id: UUID) -> None:
    """Give back every lease of an account whose run is over: unfinished cursors are due at once."""
    SyncCursor.objects.filter(account_id=account_id, leased_until__isnull=False).update(leased_until=None)


def make_due(
    *,
    account_id: UUID,
    streams: Collection[Stream],
    at: datetime,
    scopes: Collection[str] | None = None,
    read_before: datetime | None = None,
) -> int:
    """Bring cursors forward to `at`, if given only those last read before a moment; answers how many were due later."""
    rows = SyncCursor.objects.filter(account_id=account_id, stream__in=streams, due_at__gt=at)
    if scopes is not None:
        rows = rows.filter(scope__in=scopes)
    if read_before is not None:
        rows = rows.filter(last_ok_at__lt=read_before)
    return rows.update(due_at=at)


def rewind(*, account: ExchangeAccount, streams: Collection[Stream], at: datetime) -> int:
    """Let these streams be read from their oldest fact again; answers how many cursors there are. What is known, and
    from when on, stays."""
    return start_over(SyncCursor.objects.filter(account=account, stream__in=streams), at=at)


def start_over(rows: QuerySet[SyncCursor], *, at: datetime) -> int:
    """As `rewind`, of chosen cursors."""
    return rows.update(position="", state=CursorState.BACKFILL, due_at=at, walk_floor=None, reached_at=None)


def make_worked_due(*, account_id: UUID, at: datetime) -> int:
    """Bring forward the symbols that brought facts or failed: what a person who asks for news waits for."""
    streams = (*BY_SYMBOL, *BY_CONTRACT, Stream.FUNDING)
    rows = SyncCursor.objects.filter(account_id=account_id, stream__in=streams, due_at__gt=at)
    return rows.filter(Q(row_count__gt=0) | Q(error_count__gt=0)).update(due_at=at)


def postpone(*, account_id: UUID, until: datetime) -> None:
    """Nothing of the account is due before `until`: what stopped one stream would stop all."""
    SyncCursor.objects.filter(account_id=account_id, due_at__lt=until).update(
        due_at=Greatest(F("due_at"), until)
    )


def symbols(*, account_id: UUID, stream: Stream) -> set[str]:
    """The scopes of a stream: for FILLS every symbol ever asked, for ORDERS the ones that are followed."""
    rows = SyncCursor.objects.filter(account_id=account_id, stream=stream)
    return set(rows.values_list("scope", flat=True))


def has_due(*, account_id: UUID, at: datetime) -> bool:
    rows = SyncCursor.objects.filter(account_id=account_id, due_at__lte=at)
    return rows.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at)).exists()
