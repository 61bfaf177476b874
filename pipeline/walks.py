"""Pages to the end of a stream, each stored with the cursor that passed it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, FillRow, Page
from orders import ingest
from pipeline import coverage, cursors, schedule
from pipeline.models import CursorState, Stream, SyncCursor
from pipeline.session import Session, Store

NEWEST: Final = timedelta(days=7)  # of a long history these are read first
_AFTER: Final = "after"  # a scope: positions of a recheck
_WITHIN: Final = "within"  # a moment and a scope
EMPTY_AT_ONCE: Final = 10  # windows without a row that a crash may have read again
_R = TypeVar("_R")


def walk(
    session: Session, cursor: SyncCursor, ask: Callable[[str], Page[_R]], store: Store[_R], step: str
) -> None:
    """Page after page to the end; while the session glances one page, and the cursor stays claimed.

    A page with rows never found unreadable before is asked again by the next walk. What stops it (an error, the run's
    time) costs nothing: empty windows passed are kept then, too.
    """
    asked, again, skipped = cursor.position, None, 0
    while True:
        asked_at = session.clock()
        try:
            page = ask(asked)
        except ExchangeError:
            if skipped and again is None:
                _keep_place(session, cursor, asked, step)
            raise
        if page.has_more and page.next_position == asked:
            raise ExchangeError(
                ErrorKind.BUG, "The exchange sends the same page again and again.", code="page"
            )
        place = (cursor.stream, cursor.scope, asked)
        if not page.raw_count and page.has_more and place not in session.unread:
            asked, skipped = page.next_position, skipped + 1  # an empty window, long ago mostly
            if session.glances:
                _keep_place(session, cursor, asked, step)
                return
            if skipped >= EMPTY_AT_ONCE and again is None:
                _keep_place(session, cursor, asked, step)
                session.check_time()
                skipped = 0
            continue
        skipped = 0
        with session.door(step) as now:
            session.mend(place, page.bad)
            kept = session.keep(page, store, place)
            if kept.unreadable and again is None:
                again = asked
            onward = page.next_position if again is None else again
            coverage.note_page(cursor=cursor, page=page, asked_at=asked_at)
            cursors.advance(cursor=cursor, position=onward, now=now)
            if not page.has_more:
                _finish(session, cursor, asked_at, None if again is None else now + schedule.PROMPT)
                return
        session.check_time()
        if session.glances:
            return
        asked = page.next_position


def _finish(session: Session, cursor: SyncCursor, asked_at: datetime, due_at: datetime | None) -> None:
    """The last page is stored. Inside the open door."""
    coverage.note_end(cursor=cursor)
    session.finish(cursor, ok_at=asked_at, due_at=due_at)


def _keep_place(session: Session, cursor: SyncCursor, position: str, step: str) -> None:
    with session.door(step) as now:
        cursors.advance(cursor=cursor, position=position, now=now)


def each_in_turn(
    session: Session, cursor: SyncCursor, scopes: Iterable[str], since: datetime
) -> Iterator[tuple[str, datetime]]:
    """The scopes in order, and since when each is to be read; a recheck that stopped in the middle goes on where it
    was.

    A check of much trading may cost more than a budget gives at once: from the start it would never come to its end.
    """
    word, _, rest = cursor.position.partition(" ")
    at, _, within = rest.partition(" ") if word == _WITHIN else ("", "", "")
    for scope in sorted(scopes):
        if (word == _AFTER and scope <= rest) or (word == _WITHIN and scope < within):
            continue
        is_begun = word == _WITHIN and scope == within
        yield scope, max(since, clock.from_ms(int(at))) if is_begun else since
        _keep_place(session, cursor, f"{_AFTER} {scope}", session.run.step)
        session.check_time()


def keeping_place(
    session: Session, cursor: SyncCursor, scope: str, pages: Iterable[Page[_R]]
) -> Iterator[Page[_R]]:
    """The pages of a scope; once the next is asked for, a recheck goes on after those before it."""
    for page in pages:
        yield page
        if page.covered_to is not None and page.has_more:
            position = f"{_WITHIN} {clock.to_ms(page.covered_to)} {scope}"
            _keep_place(session, cursor, position, session.run.step)


def end_turn(session: Session, cursor: SyncCursor, *, ok_at: datetime) -> None:
    """All scopes are checked; the next check begins with the first."""
    with session.door() as now:
        cursors.advance(cursor=cursor, position="", now=now)
        session.finish(cursor, ok_at=ok_at)


def read_again(
    session: Session, stream: Stream, scope: str, pages: Iterable[Page[FillRow]], *, is_whole: bool = True
) -> int:
    """Store fills asked for by time; answers how many were new. The cursors stay where they are. `is_whole`: they are
    all of the place's, not the rest of them."""
    place, bad, stored = (stream.value, scope, Stream.RECHECK.value), list[BadRow](), 0
    for page in pages:
        bad += page.bad
        if not page.raw_count:
            continue
        with session.door(f"Reading the newest fills of {scope or 'contracts'}"):
            stored += session.keep(page, ingest.store_fills, place).touched.stored
    if is_whole and place in session.unread:
        with session.door():
            session.mend(place, bad)
    return stored


def read_newest(
    session: Session,
    cursor: SyncCursor,
    between: Callable[[str, datetime, datetime], Iterable[Page[FillRow]]],
    stream: Stream,
) -> None:
    """At the first glance at a long history its last days follow the first page: the page shows them at once."""
    if session.glances and cursor.state == CursorState.BACKFILL:
        now = session.clock()
        read_again(session, stream, cursor.scope, between(cursor.scope, now - NEWEST, now))


def make_due(session: Session, streams: Sequence[Stream], scopes: Collection[str]) -> None:
    """Read these scopes in this very run."""
    cursors.make_due(account_id=session.account.id, streams=streams, at=session.started, scopes=scopes)
