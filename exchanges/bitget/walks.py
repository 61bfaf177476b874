"""How far back Bitget answers, in what windows, and where a walk goes on.

Pages come newest first and go on below an id. A window's end is pinned while it is unfinished: with a moving end
new rows would shift what the next page holds. Positions are text kept in cursors, so their forms only ever grow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from core import clock
from exchanges import reading
from exchanges.bitget import fields
from exchanges.bitget.client import Listed
from exchanges.reading import UnreadableRow
from exchanges.rows import Page, Raw
from exchanges.transport import unreadable
from exchanges.windows import MILLISECOND, Span, ceil_ms, covered_to

R = TypeVar("R")
OPENED: Final = datetime(2018, 7, 1, tzinfo=UTC)  # as Bitget
# 90 days; a start too old by the time it arrives is refused, and costs the whole walk.
REACH: Final = timedelta(days=90) - timedelta(hours=1)
LATELY: Final = timedelta(
    days=2
)  # an order since then shows a new symbol at once; before, the daily sweep does
RECHECKED: Final = timedelta(days=4)  # so far back the pipeline reads by time again


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in milliseconds; its next page begins below `cursor`, the first one at the end."""

    start: int
    end: int
    cursor: str = ""

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def times(self) -> Mapping[str, int]:
        """Whether the end counts is not documented: it is asked for, and rows of the seam come twice."""
        return {"startTime": self.start, "endTime": self.end}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Positions are "" (the floor), "start", or "start:end:cursor" inside a window."""

    longest: timedelta  # the widest window allowed
    overlap: timedelta  # the next walk reads so much again

    def at(self, position: str, span: Span) -> Window:
        """The window to ask for; empty when there is nothing to ask."""
        start, *rest = position.split(":") if position else (str(span.floor),)
        first = max(int(start), span.floor)
        if len(rest) == 2 and int(rest[0]) > first:
            return Window(first, int(rest[0]), rest[1])
        return Window(first, min(first + self.longest // MILLISECOND, span.until))

    def after(self, window: Window, cursor: str, span: Span) -> tuple[str, bool]:
        """(next position, whether there is more) once a page arrived that goes on at `cursor`."""
        if cursor:
            if window.cursor and not _is_less(cursor, window.cursor):
                raise unreadable("a page that leads nowhere")
            return f"{window.start}:{window.end}:{cursor}", True
        if window.end < span.until:
            return str(window.end), True
        return str(max(span.until - self.overlap // MILLISECOND, span.floor)), False


DAY: Final = timedelta(days=1)
SPOT: Final = Walk(longest=timedelta(days=90), overlap=DAY)
MIX_FILLS: Final = Walk(longest=timedelta(days=7), overlap=DAY)
MONTHLY: Final = Walk(longest=timedelta(days=30), overlap=DAY)
# Transfers change their state for days.
TRANSFERS: Final = Walk(longest=timedelta(days=90), overlap=timedelta(days=14))
MONTHLY_TRANSFERS: Final = Walk(longest=timedelta(days=30), overlap=timedelta(days=14))


def reaching(now: datetime, until: datetime | None = None) -> Span:
    """What a history that forgets after 90 days covers."""
    return Span.reaching(REACH, now=now, until=None if until is None else ceil_ms(until))


def between(now: datetime, since: datetime, until: datetime) -> Span:
    """The part of [since, until) that is told."""
    span = reaching(now, until)
    return Span(max(clock.to_ms(since), span.floor), span.until)


def endless(start: datetime, until: datetime) -> Span:
    """What a history that forgets nothing covers."""
    return Span(clock.to_ms(start), ceil_ms(until))


def span_of(window: Window) -> Span:
    """A window as what a walk covers."""
    return Span(window.start, window.end)


def registered(person: Raw) -> datetime:
    """When the account began: nothing of it is older."""
    try:
        return max(fields.moment(person, "regisTime"), OPENED)
    except UnreadableRow:
        return OPENED


def read_page(
    walk: Walk,
    position: str,
    span: Span,
    ask: Callable[[Window], Listed],
    read: Callable[[Raw], R | None],
    *,
    forgets: bool = True,
) -> Page[R]:
    """The page a position names, its rows, and where to go on."""
    floor = clock.from_ms(span.floor) if forgets else None
    window = walk.at(position, span)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    listed = ask_twice(window, ask)
    rows, bad = reading.rows(listed.rows, read)
    onward, has_more = walk.after(window, listed.cursor, span)
    told_to = covered_to(onward)
    return Page(rows, bad, onward, has_more, raw_count=len(listed.rows), floor=floor, covered_to=told_to)


def read_all(
    walk: Walk, span: Span, ask: Callable[[Window], Listed], read: Callable[[Raw], R | None]
) -> Iterator[Page[R]]:
    """Every page of a span."""
    position, has_more = str(span.floor), span.floor < span.until
    while has_more:
        page = read_page(walk, position, span, ask, read)
        yield page
        position, has_more = page.next_position, page.has_more


def within(page: Page[R], since: datetime, until: datetime, at: Callable[[R], datetime]) -> Page[R]:
    """Without the rows outside [since, until)."""
    return replace(page, rows=tuple(row for row in page.rows if since <= at(row) < until))


def ask_twice(window: Window, ask: Callable[[Window], Listed]) -> Listed:
    """Nothing, where something may be expected and no walk looks again, is believed when it is told twice."""
    listed = ask(window)
    is_final = window.cursor or window.length > RECHECKED // MILLISECOND
    return listed if listed.rows or not is_final else ask(window)


def collect(walk: Walk, span: Span, ask: Callable[[Window], Listed]) -> list[Any]:
    """All raw rows of a span."""
    found: list[Any] = []
    position, has_more = str(span.floor), span.floor < span.until
    while has_more:
        window = walk.at(position, span)
        listed = ask(window)
        found += listed.rows
        position, has_more = walk.after(window, listed.cursor, span)
    return found


def below(cursor: str, name: str = "idLessThan") -> Mapping[str, str]:
    """The parameter a page goes on by; nothing for the first."""
    return {name: cursor} if cursor else {}


def _is_less(one: str, other: str) -> bool:
    """Cursors are whole numbers without leading zeros."""
    return (len(one), one) < (len(other), other)
