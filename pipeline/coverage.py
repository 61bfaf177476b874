"""What is known of each stream: from when on, what the exchange forgot before it was read, and what it forgets next.

Only exchanges that forget tell a floor with their pages (`Page.floor`); of the others everything is known once a walk
has come to its end. Functions that write work inside an open door.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count

from core.django import tenancy
from credentials import scope as scopes
from credentials.models import ExchangeAccount
from exchanges.rows import ConversionRow, FillRow, FundingRow, MarketType, OrderRow, Page, TransferRow
from orders.models import Order
from pipeline.models import CoverageGap, CursorState, Stream, SyncCursor

AT_RISK: Final = timedelta(days=7)  # what is forgotten sooner is told as urgent
_READ_WITHIN: Final = 0.8  # of the time an exchange remembers; leaves days to mend a key
# Streams of facts: the others are states, of which only the latest is known anyway.
FACTS: Final = (
    *(Stream.FILLS, Stream.ORDERS, Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.TRANSFERS, Stream.REBATES),
    *(
        Stream.CHARGES,
        Stream.DIVIDENDS,
        Stream.CONVERSIONS,
        Stream.CONTRACT_FILLS,
        Stream.CONTRACT_ORDERS,
        Stream.FUNDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time that was forgotten before it was read."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class StreamCoverage:
    """One stream of an account, of one symbol where `scope` names one."""

    account_id: UUID
    label: str
    exchange: str
    stream: str
    scope: str
    is_complete: bool
    """Read to its end at least once; until then `known_from` is unknown and older facts are still coming."""
    from_beginning: bool
    """Nothing had been forgotten when it was first read."""
    known_from: datetime | None
    known_to: datetime | None
    row_count: int
    retention_hours: int | None
    """How long the exchange tells a fact; null: always."""
    vanishes_at: datetime | None
    """When the exchange begins to forget what was not read yet, should nothing be read until then."""
    is_at_risk: bool
    error_kind: str
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Coverage:
    results: list[StreamCoverage]
    next_cursor: str | None = None
    """Always None: streams are one page."""


def note_page(*, cursor: SyncCursor, page: Page[Any], asked_at: datetime) -> None:
    """Keep how far back the exchange told, and what it forgot since the stream was read last."""
    if page.floor is None:
        return
    began = cursor.walk_floor is None
    read_to = cursor.last_ok_at if began else cursor.reached_at
    if read_to is not None and read_to < page.floor:
        _note_gap(cursor, since=read_to, until=page.floor, at=asked_at)
    if began:
        cursor.walk_floor = page.floor
    cursor.reached_at = max(filter(None, (cursor.reached_at, page.floor, _reached(page))))
    cursor.retention = asked_at - page.floor
    SyncCursor.objects.filter(id=cursor.id).update(
        walk_floor=cursor.walk_floor, reached_at=cursor.reached_at, retention=cursor.retention
    )


def note_end(*, cursor: SyncCursor) -> None:
    """A walk came to its end: the first one tells from when on the stream is known. Before the cursor is finished."""
    if cursor.walk_floor is None:
        return
    if cursor.state == CursorState.BACKFILL and cursor.known_from is None:
        cursor.known_from = cursor.walk_floor
    cursor.walk_floor = cursor.reached_at = None
    SyncCursor.objects.filter(id=cursor.id).update(
        known_from=cursor.known_from, walk_floor=None, reached_at=None
    )


def latest_due(*, cursor: SyncCursor, at: datetime, due_at: datetime) -> datetime:
    """`due_at`, or earlier where the exchange would forget first what happens from `at` on."""
    if cursor.retention is None:
        return due_at
    return min(due_at, at + cursor.retention * _READ_WITHIN)


def coverage(*, user_id: UUID, at: datetime, **chosen: str | None) -> Coverage:
    """The map of the accounts chosen as `scopes.resolve` takes them. Opens its own door; raises Invalid, NotFound."""
    with tenancy.acting_as(user_id):
        return Coverage(streams(scopes.resolve(**chosen).account_ids, at=at))


def streams(account_ids: Sequence[UUID], *, at: datetime) -> list[StreamCoverage]:
    """Every stream of facts by account, stream and symbol; four queries. Symbols that were only searched, and
    never traded, are left out. Inside an open door."""
    accounts = {row.id: row for row in ExchangeAccount.objects.filter(id__in=account_ids)}
    gaps, orders = _gaps(account_ids), _orders(account_ids)
    rows = (
        SyncCursor.objects.filter(account_id__in=account_ids, stream__in=FACTS)
        .exclude(stream=Stream.FILLS, row_count=0, error_count=0, scope__gt="")
        .order_by("account_id", "stream", "scope")
    )
    return [
        replace(
            _told(row, accounts[row.account_id], gaps, at),
            row_count=orders.get((row.account_id, row.stream, row.scope), row.row_count),
        )
        for row in rows
    ]


def _told(
    row: SyncCursor, account: ExchangeAccount, gaps: Mapping[tuple[UUID, str, str], list[Gap]], at: datetime
) -> StreamCoverage:
    complete = row.state == CursorState.INCREMENTAL
    vanishes_at = _vanishes_at(row)
    return StreamCoverage(
        account_id=row.account_id,
        label=account.label,
        exchange=account.exchange,
        stream=row.stream,
        scope=row.scope,
        is_complete=complete,
        from_beginning=complete and row.known_from is None,
        known_from=row.known_from,
        known_to=row.last_ok_at,
        row_count=row.row_count,
        retention_hours=None if row.retention is None else round(row.retention / timedelta(hours=1)),
        vanishes_at=vanishes_at,
        is_at_risk=vanishes_at is not None and vanishes_at - at < _risk(row),
        error_kind=row.error_kind,
        gaps=gaps.get((row.account_id, row.stream, row.scope), []),
    )


def _vanishes_at(row: SyncCursor) -> datetime | None:
    read_to = row.reached_at or row.last_ok_at
    return None if row.retention is None or read_to is None else read_to + row.retention


def _risk(row: SyncCursor) -> timedelta:
    """Within the last fifth of what the exchange remembers, a week at most: short memories are always short."""
    return min(AT_RISK, row.retention * (1 - _READ_WITHIN)) if row.retention else AT_RISK


def _orders(account_ids: Sequence[UUID]) -> Mapping[tuple[UUID, str, str], int]:
    """How many orders there are by account, stream and symbol: open ones are known before anybody walks theirs."""
    rows = Order.objects.filter(account_id__in=account_ids)
    return {
        (account_id, Stream.ORDERS if kind == MarketType.SPOT else Stream.CONTRACT_ORDERS, symbol): count
        for account_id, kind, symbol, count in rows.values_list("account_id", "market_type", "symbol")
        .annotate(count=Count("id"))
        .order_by()
    }


def _gaps(account_ids: Sequence[UUID]) -> Mapping[tuple[UUID, str, str], list[Gap]]:
    found: dict[tuple[UUID, str, str], list[Gap]] = defaultdict(list)
    for gap in CoverageGap.objects.filter(account_id__in=account_ids).order_by("since"):
        found[gap.account_id, gap.stream, gap.scope].append(Gap(gap.since, gap.until))
    return found


def _note_gap(cursor: SyncCursor, *, since: datetime, until: datetime, at: datetime) -> None:
    """A gap that grows while a walk stands still is one gap."""
    CoverageGap.objects.bulk_create(
        [
            CoverageGap(
                user_id=cursor.user_id,
                account_id=cursor.account_id,
                stream=cursor.stream,
                scope=cursor.scope,
                since=since,
                until=until,
                noted_at=at,
            )
        ],
        update_conflicts=True,
        unique_fields=["account", "stream", "scope", "since"],
        update_fields=["until", "noted_at"],
    )


def _reached(page: Page[Any]) -> datetime | None:
    """Up to where everything was told: the page's own word, or else its newest row."""
    return page.covered_to or max((_moment(row) for row in page.rows), default=None)


def _moment(row: FillRow | OrderRow | TransferRow | ConversionRow | FundingRow) -> datetime:
    match row:
        case FillRow():
            return row.executed_at
        case OrderRow():
            return row.ordered_at
        case TransferRow() | ConversionRow():
            return row.occurred_at
        case FundingRow():
            return row.paid_at
