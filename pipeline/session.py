"""What the work on one account shares: its client, its run, and the one way pages become rows."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, cast
from uuid import UUID

from core.django import tenancy
from credentials import accounts
from credentials.models import ExchangeAccount, KeyState
from credentials.vault import KeyVersion
from exchanges.base import Account as Client
from exchanges.base import Listings, Markets
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, FillRow, MarketType, Page
from orders import giving_way
from orders.forgotten import Key as OrderKey
from orders.giving_way import Gone
from orders.models import Fill, FundingPayment, Order
from orders.touched import Touched
from pipeline import coverage, cursors, rejected, runs, schedule
from pipeline.models import Stream, SyncCursor, SyncRun, Trigger
from pipeline.priorities import Priority
from portfolio import books, fees
from portfolio.models import ReportedPosition

logger = logging.getLogger(__name__)

SOURCE: Final = "sync"
SLICE: Final = timedelta(minutes=4)  # a longer history goes on in the next run, so that others get their turn
# Of what somebody asked for, which the workers do that also read live and dispatch: the rest goes on by the schedule.
AWAITED_SLICE: Final = timedelta(seconds=30)
_MOST_MS: Final = 2**31 - 1
NEVER_ALONE: Final = frozenset(
    {ErrorKind.AUTH, ErrorKind.BANNED, ErrorKind.RATE, ErrorKind.NETWORK, ErrorKind.CLOCK}
)
_T_contra = TypeVar("_T_contra", contravariant=True)
_R = TypeVar("_R")
Progress = Callable[[SyncRun], None]
Clock = Callable[[], datetime]


class Store(Protocol[_T_contra]):
    """One of `orders.ingest`'s functions."""

    def __call__(
        self, *, account: ExchangeAccount, rows: Sequence[_T_contra], source: str, run_id: int | None
    ) -> Touched: ...


class SliceOver(Exception):
    """The time of this run is used up; what is left stays due."""


class Stopped(Exception):
    """Nothing more can be asked for this account before `until`; `error` says why."""

    def __init__(self, error: ExchangeError, until: datetime) -> None:
        super().__init__(str(error))
        self.error = error
        self.until = until


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stored page touched, and how many of its unreadable rows were never seen before."""

    touched: Touched
    unreadable: int


@dataclass(slots=True)
class Session:
    """The work on one account, in one thread. Nothing of it outlives the run."""

    account: ExchangeAccount
    run: SyncRun
    client: Client
    key: KeyVersion  # the one the client uses
    markets: Markets
    clock: Clock
    progress: Progress
    started: datetime
    is_active: bool
    asked: set[str]  # symbols with a FILLS cursor
    followed: set[str]  # symbols with an ORDERS cursor
    unread: set[rejected.Place]
    pace: schedule.Pace = schedule.USUAL
    live: set[str] = field(default_factory=set)  # symbols with open or new orders and fills
    contract_scopes: set[str] = field(default_factory=set)  # with a CONTRACT_FILLS cursor
    contract_live: set[str] = field(default_factory=set)  # of these, the ones with something new
    holds_contracts: bool = False
    looked_narrowly: bool = False  # at open orders of contracts: only where some may be, see `quiet`
    moved_contracts: bool = False  # their wallet or a position is another than at the last look
    is_first: bool = False  # nothing was ever read of the account
    glances: bool = False  # read a page of each stream at most, see `sync`
    known_contracts: set[str] | None = None  # see `contracts`
    forgotten: set[OrderKey] = field(default_factory=set)  # orders we believe open, and nobody knows
    problems: list[ExchangeError] = field(default_factory=list)
    reported_at: datetime | None = None  # when balances were asked for in this run
    reason: str = ""  # why the first row of this run was set aside
    stored: int = 0
    downs: int = 0  # failures of the exchange itself, in a row
    knows_files: bool | None = None  # whether there are facts of files; None: nobody looked yet
    spent: dict[tuple[str, Priority], datetime] = field(default_factory=dict)
    """Until when nothing is left of the budget for a stream at a priority."""

    @property
    def no_contract_is_new(self) -> bool:
        """Trading costs a fee, and moves a position: nothing moved since the last look. Now and then it is looked
        for all the same."""
        return self.looked_narrowly and self.reported_at is not None and not self.moved_contracts

    @property
    def listings(self) -> Listings:
        """Spot markets."""
        return self.markets.spot

    @contextmanager
    def door(self, step: str = "") -> Iterator[datetime]:
        """A transaction of the account's owner. It commits only while the run is ours, and tells how far it is."""
        with tenancy.acting_as(self.account.user_id):
            yield self.clock()
            self.run.step = step or self.run.step
            self.run.clock_offset_ms = _milliseconds(self.client.clock_offset)
            runs.beat(self.run, now=self.clock())
        self.progress(self.run)

    def keep(self, page: Page[_R], store: Store[_R], place: rejected.Place) -> Kept:
        """Store a page, and count what is new where its facts belong. Inside the open door."""
        if place[0] == Stream.CONTRACT_FILLS and self._knows_files():
            self._let_go(giving_way.to_executions(self.account, cast("Sequence[FillRow]", page.rows)))
        touched = store(account=self.account, rows=page.rows, source=SOURCE, run_id=self.run.id)
        if touched.stored:
            stream, scope, _ = place
            cursors.count(account_id=self.account.id, stream=stream, scope=scope, stored=touched.stored)
        books.mark_stale(account=self.account, touched=touched)
        self._count(place[0], touched)
        return Kept(touched, self.set_aside(place, page.bad))

    def let_files_go(self) -> None:
        """What the exchange told by now is no file's to tell any more. Opens a door where there is such."""
        with self.door():
            if self._knows_files():
                self._let_go(giving_way.to_told(self.account))

    def _knows_files(self) -> bool:
        if self.knows_files is None:
            self.knows_files = giving_way.has_any(self.account)
        return self.knows_files

    def _let_go(self, gone: Gone) -> None:
        fees.forget(account=self.account, fills=gone.fills, transfers=gone.transfers)
        books.mark_stale(account=self.account, touched=gone.touched)
        self.stored += gone.touched.changed

    def set_aside(self, place: rejected.Place, bad: Sequence[BadRow]) -> int:
        """Keep unreadable rows; answers how many are new. Inside the open door."""
        fresh = rejected.keep(run=self.run, place=place, bad=bad)
        if fresh and not self.reason:
            self.reason = bad[0].reason
        self.run.rejected_count += fresh
        return fresh

    def mend(self, place: rejected.Place, bad: Sequence[BadRow]) -> None:
        """The whole of a place came again: what was unreadable then and is not now was read. Inside the open door."""
        if place in self.unread:
            rejected.mend(run=self.run, place=place, bad=bad, at=self.clock())

    def finish(self, cursor: SyncCursor, *, ok_at: datetime, due_at: datetime | None = None) -> None:
        """A stream is read to its end. Inside the open door."""
        due_at = coverage.latest_due(cursor=cursor, at=ok_at, due_at=due_at or self.next_due(cursor, ok_at))
        cursors.finish(cursor=cursor, due_at=due_at, ok_at=ok_at)
        if self.account.key_state == KeyState.FAILING:
            accounts.note_auth_success(account=self.account)
        self.run.steps_done += 1
        self.downs = 0

    def next_due(self, cursor: SyncCursor, at: datetime) -> datetime:
        return schedule.next_due(
            cursor.stream,
            account_id=self.account.id,
            scope=cursor.scope,
            at=at,
            is_active=self.is_active,
            is_live=self._is_live(cursor),
            is_followed=cursor.scope in self.followed,
            pace=self.pace,
        )

    def _is_live(self, cursor: SyncCursor) -> bool:
        if cursor.stream == Stream.FUNDING:
            return self.holds_contracts
        if cursor.stream in cursors.BY_CONTRACT:
            return cursor.scope in self.contract_live
        return cursor.scope in self.live

    def contracts(self) -> list[str]:
        """Every contract the account is known to have had to do with. The first time it opens a door."""
        if self.known_contracts is None:
            with self.door():
                self.known_contracts = known_contracts(account_id=self.account.id)
        return sorted(self.known_contracts)

    def note_contracts(self, symbols: Iterable[str]) -> None:
        """These were met just now."""
        if self.known_contracts is not None:
            self.known_contracts.update(symbols)

    def fail(self, cursor: SyncCursor, error: ExchangeError) -> None:
        """Note why a stream failed. Raises Stopped when the others would fail alike."""
        self.problems.append(error)
        self.downs = self.downs + 1 if error.kind is ErrorKind.DOWN else 0
        with self.door() as now:
            until = cursors.fail(cursor=cursor, error=error, now=now)
            self.run.steps_done += 1
        if error.kind in NEVER_ALONE or self.downs > 1:
            raise Stopped(error, until)

    def put_off(self, cursor: SyncCursor, priority: Priority, until: datetime) -> None:
        """Go on with a stream when the budget has something left for it: nothing failed."""
        self.spent[cursor.stream, priority] = until
        with self.door():
            cursors.put_off(cursor=cursor, until=until)

    def put_off_again(self, cursor: SyncCursor, priority: Priority) -> bool:
        """Whether the stream waits for the budget already; its other cursors then wait, too."""
        until = self.spent.get((cursor.stream, priority))
        if until is None or until <= self.clock():
            return False
        self.put_off(cursor, priority, until)
        return True

    def follow(self, symbols: Sequence[str], *, due_at: datetime) -> None:
        """Ask a symbol for fills and orders from now on, also one asked in vain before. Inside an open door."""
        new = [symbol for symbol in symbols if symbol not in self.followed]
        cursors.ensure(account=self.account, stream=Stream.FILLS, scopes=new, due_at=due_at)
        again = cursors.make_due(
            account_id=self.account.id,
            streams=[Stream.FILLS],
            at=due_at,
            scopes=new,
            read_before=self.started,
        )
        cursors.ensure(account=self.account, stream=Stream.ORDERS, scopes=new, due_at=due_at)
        self.run.steps_total += len(new) + len(set(new) - self.asked) + again
        self.asked |= set(new)
        self.followed |= set(new)

    def check_time(self) -> None:
        """Raises SliceOver when others have waited long enough."""
        longest = AWAITED_SLICE if self.run.trigger == Trigger.USER else SLICE
        if self.clock() - self.started > longest:
            raise SliceOver

    def _count(self, stream: str, touched: Touched) -> None:
        if touched.stored:
            counts = self.run.counts
            counts[stream] = counts.get(stream, 0) + touched.stored
        self.stored += touched.stored + touched.changed
        if touched.conflicts:
            words = f"{len(touched.conflicts)} facts came again with other content; the first stay: "
            self.problems.append(ExchangeError(ErrorKind.BUG, words + touched.conflicts[0], code="conflict"))


def known_contracts(*, account_id: UUID) -> set[str]:
    """Contracts in fills, orders, funding and reported positions. Inside an open door."""
    owned = {"account_id": account_id}
    found = (
        Fill.objects.filter(**owned).exclude(market_type=MarketType.SPOT),
        Order.objects.filter(**owned).exclude(market_type=MarketType.SPOT),
        FundingPayment.objects.filter(**owned),
        ReportedPosition.objects.filter(**owned),
    )
    return {
        symbol for rows in found for symbol in rows.order_by().values_list("symbol", flat=True).distinct()
    }


def _milliseconds(offset: timedelta) -> int | None:
    """None for no offset; a clock that is off by weeks is told as off by 24 days."""
    milliseconds = round(offset / timedelta(milliseconds=1))
    return max(-_MOST_MS, min(milliseconds, _MOST_MS)) or None
