"""Where a walk goes on: positions are text kept in cursors, so their forms only ever grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from core import clock
from exchanges.transport import unreadable

TRADES_PAGE: Final = 1000
PAGE: Final = 100  # what every other list is documented to allow
MOST_ROWS: Final = 100_000  # limit × (page − 1) may not be more
OPENED: Final = datetime(2017, 1, 1, tzinfo=UTC)  # as Gate.io; the times of Bter are not told
SECOND_MS: Final = 1000
# Both ends are asked a second too wide, and 30 days are the most allowed.
WINDOW_MS: Final = timedelta(days=29) // timedelta(milliseconds=1)
LATE_FILLS_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)
SLACK_MS: Final = 60 * SECOND_MS
CONTRACTS_OPENED: Final = datetime(2018, 12, 1, tzinfo=UTC)
# Documents set no end to how far the ledger of contracts reaches; clients met one at 180 days.
LEDGER_REACH: Final = timedelta(days=179)
LATE_TRANSFERS_MS: Final = timedelta(days=14) // timedelta(milliseconds=1)  # they change their state for days


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in milliseconds, whole seconds, and the page of it that comes next, from 1.

    The end is pinned while a window is unfinished: rows come newest first, and a moving end would shift them
    past the page.
    """

    start: int
    end: int
    page: int = 1

    @classmethod
    def at(cls, position: str, until: datetime) -> Self:
        """The window a position names: "" (the beginning), "start", or "start:end:page" inside a window.

        A walk far behind gets windows that are the same for every symbol (see `is_shared`).
        """
        parts = [int(part) for part in position.split(":")] if position else [clock.to_ms(OPENED)]
        if len(parts) > 1:
            return cls(*parts)
        start, last = floor_second(parts[0]), ceil_second(until)
        edge = start + WINDOW_MS - (start - clock.to_ms(OPENED)) % WINDOW_MS
        return cls(start, last if last - start <= WINDOW_MS else edge)

    @property
    def is_empty(self) -> bool:
        return self.start >= self.end

    @property
    def is_shared(self) -> bool:
        """One of the windows of `WINDOW_MS` that follow each other since `OPENED`."""
        return self.end - self.start == WINDOW_MS and not (self.start - clock.to_ms(OPENED)) % WINDOW_MS

    def by_page(self, limit: int) -> Mapping[str, int]:
        return {**self._times, "limit": limit, "page": self.page}

    def by_offset(self, limit: int) -> Mapping[str, int]:
        return {**self._times, "limit": limit, "offset": (self.page - 1) * limit}

    @property
    def _times(self) -> Mapping[str, int]:
        """In seconds. Whether ends count, and what becomes of the fractions, is not documented."""
        return {"from": self.start // SECOND_MS - 1, "to": self.end // SECOND_MS}

    def after(
        self, count: int, limit: int, until: datetime, *, late_ms: int = 0, slack_ms: int = 0
    ) -> tuple[str, bool]:
        """(next position, whether there is more) once `count` rows of this page arrived.

        The next walk reads `late_ms` before the end again. An end that is within `slack_ms` of a moving `until`
        is the end: slow answers must not make a walk run after the clock.
        """
        if count >= limit:
            return self._onward(limit), True
        if self.end < ceil_second(until) - slack_ms:
            return str(self.end), True
        return str(max(self.end - late_ms, clock.to_ms(OPENED))), False

    def _onward(self, limit: int) -> str:
        """The next page, or half the window where no further page may be asked for."""
        if limit * self.page <= MOST_ROWS:
            return f"{self.start}:{self.end}:{self.page + 1}"
        middle = floor_second((self.start + self.end) // 2)
        if middle <= self.start:
            raise unreadable(f"more than {MOST_ROWS} rows in a second")
        return f"{self.start}:{middle}:1"


@dataclass(frozen=True, slots=True)
class Round:
    """A walk through several ledgers, one after the other. Its position is "at|name=place|name=place"."""

    at: str
    places: Mapping[str, str]
    names: Sequence[str]

    @classmethod
    def starting(cls, position: str, names: Sequence[str]) -> Self:
        """`names`: the ledgers there are now, at least one; new ones begin at their beginning."""
        at, *parts = position.split("|")
        places = dict(part.split("=", 1) for part in parts)
        return cls(at if at in names else names[0], places, names)

    @property
    def place(self) -> str:
        return self.places.get(self.at, "")

    def onward(self, place: str, *, has_more: bool) -> tuple[str, bool]:
        """(next position, whether there is more) once the ledger of this turn is at `place`."""
        places, turn = {**self.places, self.at: place}, self.at
        if not has_more:
            index = self.names.index(self.at) + 1
            has_more = index < len(self.names)
            turn = self.names[index if has_more else 0]
        return "|".join([turn, *(f"{name}={at}" for name, at in places.items())]), has_more


def floor_second(milliseconds: int) -> int:
    return milliseconds - milliseconds % SECOND_MS


def ceil_second(moment: datetime) -> int:
    """The first whole second at or after a moment, in milliseconds: as an end it excludes nothing before it."""
    return -(-(moment - clock.EPOCH) // timedelta(seconds=1)) * SECOND_MS
