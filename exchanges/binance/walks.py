"""Where a walk goes on: positions are text kept in cursors, so their forms only ever grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from core import clock
from exchanges import reading
from exchanges.transport import unreadable
from exchanges.windows import MILLISECOND, ceil_ms

PAGE: Final = 1000
OVERLAP_ROWS: Final = 10  # own rows read again by the next page: they may have arrived late
OPENED: Final = datetime(2017, 7, 1, tzinfo=UTC)  # Binance has nothing older
IDS_END: Final = 2**63  # no id is longer; one garbled into a huge number must not carry a cursor away
WINDOW: Final = timedelta(days=90)
OVERLAP_TIME: Final = timedelta(days=14)  # transfers change their state for days


def next_id(raws: Sequence[object], key: str, position: int) -> int:
    """The id to go on from (inclusive) after a page asked from `position`.

    Ids are read from the raw rows: a row we cannot read otherwise does not stop the walk. A full page always
    advances; a short one goes back by `OVERLAP_ROWS`, but never before where it began.
    """
    count = len(raws)
    told = {reading.whole(raw.get(key), below=IDS_END, default=-1) for raw in raws if isinstance(raw, dict)}
    newest = sorted(number for number in told if number >= position)
    if not newest:
        if count >= PAGE:
            raise unreadable(f"{count} rows without a usable {key}")
        return position
    onward = newest[-OVERLAP_ROWS:][0]
    return onward if onward > position or count < PAGE else newest[-1] + 1


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in milliseconds, and how many of its rows were read.

    The end is pinned while a window is unfinished: rows come newest first, and a moving end would shift them
    past the offset.
    """

    start: int
    end: int
    offset: int = 0

    @classmethod
    def at(cls, position: str, until: datetime) -> Self:
        """The window a position names: "" (the beginning), "start", or "start:end:offset" inside a window."""
        start, *rest = (int(part) for part in position.split(":")) if position else (clock.to_ms(OPENED),)
        if rest:
            return cls(start, *rest)
        return cls(start, min(start + WINDOW // MILLISECOND, ceil_ms(until)))

    def after(self, count: int, until: datetime) -> tuple[str, bool]:
        """(next position, whether there is more) once `count` rows of this window arrived."""
        if count >= PAGE:
            return f"{self.start}:{self.end}:{self.offset + PAGE - OVERLAP_ROWS}", True
        if self.end < ceil_ms(until):
            return str(self.end), True
        return str(max(ceil_ms(until - OVERLAP_TIME), clock.to_ms(OPENED))), False
