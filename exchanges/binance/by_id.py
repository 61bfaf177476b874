"""Fills of a long span by their ids: by time a request tells a day at most, by id a thousand fills of whatever time."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from exchanges import reading
from exchanges.binance.walks import IDS_END, PAGE

_MOST_LOOKS: Final = 16
"""Pages that are looked at for where a span begins; from there on it is walked, however far that is."""
Ask = Callable[[int], list[Any]]
"""The page of fills from an id on, oldest first."""


class Begun(NamedTuple):
    """Where a walk begins, and the page there."""

    position: int
    raws: list[Any]


class _Mark(NamedTuple):
    id: int
    time: int  # milliseconds


def begin(ask: Ask, newest: Callable[[], list[Any]], start: int) -> Begun:
    """A page at or before the first fill of `start` (milliseconds), close to it. Ids grow with time, but for those
    that came late: as good as any page a little earlier."""
    raws = ask(0)
    if _reaches(raws, start):
        return Begun(0, raws)
    low, high = _mark(raws[-1]), _mark((newest() or [None])[-1])
    for look in range(_MOST_LOOKS):
        if low is None or high is None or high.id <= low.id:
            break
        middle = _between(low, high, start - _length(raws) // 2, is_half=look % 3 == 2)
        raws = ask(middle)
        first = _mark(raws[0]) if raws else None
        if first is None or first.time >= start:
            high = _Mark(middle, high.time if first is None else first.time)
        elif _reaches(raws, start):
            return Begun(middle, raws)
        else:
            low = _mark(raws[-1])
    position = 0 if low is None else low.id
    return Begun(position, ask(position))


def is_beyond(raws: list[Any], end: int) -> bool:
    """Whether a page begins at `end` or later: nothing before it comes after it."""
    first = _mark(raws[0]) if raws else None
    return first is not None and first.time >= end


def _reaches(raws: list[Any], start: int) -> bool:
    """Whether what comes behind the page is all of `start` or later; also where that cannot be told."""
    last = _mark(raws[-1]) if raws else None
    return len(raws) < PAGE or last is None or last.time >= start


def _length(raws: list[Any]) -> int:
    """The time between the first and the last of a page."""
    first, last = (_mark(raws[0]), _mark(raws[-1])) if raws else (None, None)
    return 0 if first is None or last is None else max(0, last.time - first.time)


def _between(low: _Mark, high: _Mark, start: int, *, is_half: bool) -> int:
    """An id above `low`, below `high`: by its share of the time, now and then by half."""
    span = high.id - low.id
    if is_half or high.time <= low.time:
        share = span // 2
    else:
        share = span * (max(low.time, min(start, high.time)) - low.time) // (high.time - low.time)
    return low.id + max(1, min(share, span - 1))


def _mark(raw: object) -> _Mark | None:
    """None for a row that does not say."""
    if not isinstance(raw, Mapping):
        return None
    found = _Mark(*(reading.whole(raw.get(key), below=IDS_END, default=-1) for key in ("id", "time")))
    return found if min(found) >= 0 else None
