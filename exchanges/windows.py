"""Walks by time where pages cannot be continued: a window too full for one answer is halved.

Windows are half-open and in whole milliseconds. A window is left only when an answer held all of it, so nothing is
skipped, whatever the order of the rows in an answer is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from core import clock

MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Leafing:
    """The part of a walk that comes before its windows: lists without times, leafed through by numbered pages.

    Positions are "" (the first page of the first list) and "list#page", counted from 0; no window's looks like them.
    """

    number: int = 0
    page: int = 0

    @classmethod
    def at(cls, position: str) -> Self | None:
        """None once the walk has come to its windows."""
        if not position:
            return cls()
        number, mark, page = position.partition("#")
        return cls(int(number), int(page)) if mark else None

    def after(self, count: int, *, limit: int, lists: int, start: str) -> str:
        """Where to go on once `count` rows of this page arrived; `start`: where the windows begin."""
        if count >= limit:
            return f"{self.number}#{self.page + 1}"
        return f"{self.number + 1}#0" if self.number + 1 < lists else start


def is_resumed(position: str) -> bool:
    """Whether a walk by windows goes on inside one."""
    return ":" in position


def ceil_ms(moment: datetime) -> int:
    """The first whole millisecond at or after a moment: as an end it excludes nothing before it."""
    return -(-(moment - clock.EPOCH) // MILLISECOND)


def covered_to(position: str) -> datetime:
    """Up to where a walk that goes on at `position` told everything: positions by time begin with it."""
    return clock.from_ms(int(position.partition(":")[0]))


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in milliseconds."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def query(self) -> Mapping[str, int]:
        """As endpoints with an inclusive `endTime` want it."""
        return {"startTime": self.start, "endTime": self.end - 1}


@dataclass(frozen=True, slots=True)
class Span:
    """What a walk covers: from `floor` (nothing older is told) up to `until`, exclusive."""

    floor: int
    until: int

    @classmethod
    def reaching(cls, reach: timedelta, *, now: datetime, until: int | None = None) -> Self:
        """Back from `now` as far as an exchange tells; `until` is the end, the running millisecond by default."""
        return cls(clock.to_ms(now - reach), clock.to_ms(now) + 1 if until is None else until)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowWalk:
    """Positions are "" (the floor), "start", or "start:end" where the next window is known to be narrow."""

    page: int  # rows of a full answer
    longest: timedelta  # the widest window asked for
    overlap: timedelta  # at least this much is read again by the next walk

    def at(self, position: str, span: Span) -> Window:
        """The window to ask for; empty when there is nothing to ask."""
        start, *rest = (int(part) for part in position.split(":")) if position else (span.floor,)
        widest = max(start, span.floor) + self.longest // MILLISECOND
        end = rest[0] if rest and rest[0] > span.floor else widest
        return Window(max(start, span.floor), min(end, widest, span.until))

    def after(self, window: Window, count: int, span: Span) -> tuple[str, bool]:
        """(next position, whether there is more) once `count` rows of this window arrived."""
        if self.is_full(count) and window.length > 1:
            return f"{window.start}:{window.start + window.length // 2}", True
        if window.end < span.until:
            # Twice as wide as what just fitted: back to the widest within a few windows.
            return f"{window.end}:{window.end + 2 * window.length}", True
        # The last window fitted one answer as a whole: reading all of it again costs no more than its end alone, and
        # finds what was late, or left out by mistake.
        return str(max(min(window.start, span.until - self.overlap // MILLISECOND), span.floor)), False

    def is_full(self, count: int) -> bool:
        return count >= self.page
