"""How far back MEXC answers, and in what windows or pages.

Histories of spot cannot be paged: no id, no offset. Those of contracts have numbered pages, newest first; a ledger
of contracts has nothing else, so new rows push what was read to later pages: read upwards, none is missed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self, TypeVar

from core import clock
from exchanges import reading
from exchanges.rows import BadRow, Page, Raw
from exchanges.windows import MILLISECOND, Span, Window, WindowWalk, covered_to

R = TypeVar("R")

FILLS_REACH: Final = timedelta(days=30)
ORDERS_REACH: Final = timedelta(days=7)
# 90 days; a start too old by the time it arrives is refused, and costs the whole walk.
TRANSFERS_REACH: Final = timedelta(days=90) - timedelta(hours=1)

FILLS: Final = WindowWalk(page=100, longest=FILLS_REACH + timedelta(days=1), overlap=timedelta(days=1))
# Both ends of a window count: seven days and the millisecond they end with.
ORDERS: Final = WindowWalk(page=1000, longest=timedelta(days=7, milliseconds=1), overlap=timedelta(days=1))
# Transfers change their state for days.
TRANSFERS: Final = WindowWalk(page=1000, longest=timedelta(days=7), overlap=timedelta(days=14))
# Between wallets: windows have numbered pages, and are read whole.
MOVES: Final = WindowWalk(page=1, longest=timedelta(days=30), overlap=timedelta(days=14))

# Contracts: 90 days, for fills and orders alike, and an hour less for the way there.
DEALS_REACH: Final = timedelta(days=90) - timedelta(hours=1)
DEALS: Final = WindowWalk(page=100, longest=timedelta(days=30), overlap=timedelta(days=1))
LEDGER_PAGE: Final = 100
LEDGER_LATE_MS: Final = timedelta(days=3) // MILLISECOND
MOST_PAGES: Final = 1000


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a walk through a ledger by numbered pages is: "known", or "known:page:newest" on the way.

    `known` is the moment (ms) down to which an earlier walk read everything, `newest` the latest this one has seen.
    """

    known: int
    page: int = 1
    newest: int = 0

    @classmethod
    def at(cls, position: str) -> Self:
        return cls(*(int(part) for part in position.split(":"))) if position else cls(0)

    def after(self, raws: list[Any], key: str, *, pages: int) -> tuple[str, bool]:
        """(next position, whether there is more) once a page of so many arrived; `key` names the rows' time."""
        times = [at for at in (moment(raw, key) for raw in raws) if at]
        newest = max([self.newest, *times])
        if self.page < pages and (not times or min(times) >= self.known):
            return f"{self.known}:{self.page + 1}:{newest}", True
        return str(max(newest - LEDGER_LATE_MS, self.known, 0)), False


def page_of(
    walk: WindowWalk,
    position: str,
    span: Span,
    ask: Callable[[Window], list[Any]],
    read: Callable[[Raw], R | None],
) -> Page[R]:
    """The window a position names, its rows, and where to go on; a window that was not full is known to its end."""
    floor, window = clock.from_ms(span.floor), walk.at(position, span)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    raws = ask(window)
    rows, bad = reading.rows(raws, read)
    if walk.is_full(len(raws)) and window.length == 1:
        words = f"{walk.page} or more rows in this millisecond: the exchange may not have told all of them"
        bad = (*bad, BadRow({"time": window.start}, words))
    onward, has_more = walk.after(window, len(raws), span)
    return Page(rows, bad, onward, has_more, raw_count=len(raws), floor=floor, covered_to=covered_to(onward))


def names(raws: Iterable[object]) -> set[str]:
    """The symbols that rows name."""
    found = (raw.get("symbol") for raw in raws if isinstance(raw, Mapping))
    return {name for name in found if isinstance(name, str) and name}


def moment(raw: object, key: str) -> int:
    """A row's time in milliseconds, 0 where it tells none."""
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return reading.whole(value, below=reading.LATEST_MS, default=0)
