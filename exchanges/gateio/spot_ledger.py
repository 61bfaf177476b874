"""The ledger of the spot wallet (`/spot/account_book`), window by window.

It is read twice, for transfers and for conversions: what a window of the past holds is asked for once a client. Most of
its rows are orders and fills, which are told elsewhere and not kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from core import clock
from exchanges.gateio import outside, walks
from exchanges.gateio.outside import Outside
from exchanges.gateio.walks import MOST_ROWS, PAGE, SECOND_MS, Window
from exchanges.rows import BadRow, ConversionRow, Page, TransferRow
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import MILLISECOND

# Of a key that may not see contracts: their wallet is none whose balance is reported.
MARK: Final = "blind|"
_MARGIN_MS: Final = (
    5 * SECOND_MS
)  # so much is read on both sides of a window, for conversions across its edges
_SETTLED: Final = timedelta(minutes=1)  # so old all rows of a conversion are there
_LATE_MS: Final = timedelta(days=1) // MILLISECOND  # the next walk reads so much again
_RECHECKED_MS: Final = timedelta(days=4) // MILLISECOND
_R = TypeVar("_R")


@dataclass(slots=True)
class SpotLedger:
    """`sees_contracts`: whether their wallet's balance is reported."""

    client: CcxtClient
    sees_contracts: bool
    _windows: dict[tuple[int, int], tuple[Outside, int]] = field(default_factory=dict)
    _is_busy: bool = False  # the last window had rows

    def transfers(self, position: str, until: datetime) -> Page[TransferRow]:
        """Rewards, interest, rebates, charges, and what went to other wallets. A key that sees more, or less, than the
        one before reads everything again: the other wallet has another name."""
        mark = "" if self.sees_contracts else MARK
        at = position.removeprefix(MARK)
        is_own = position == f"{mark}{at}" and at.isdigit()
        page = self._page(at if is_own else "", until, lambda found: (found.transfers, found.bad))
        onward = f"{mark}{page.next_position}" if page.next_position else position
        return Page(page.rows, page.bad, onward, page.has_more, page.raw_count)

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        """Unreadable rows are reported by `transfers`."""
        return self._page(position, until, lambda found: (found.conversions, ()))

    def _page(
        self,
        position: str,
        until: datetime,
        part: Callable[[Outside], tuple[tuple[_R, ...], tuple[BadRow, ...]]],
    ) -> Page[_R]:
        until -= _SETTLED
        window = Window.at(position, until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        window, found, count = self._read(window)
        rows, bad = part(found)
        if window.end < walks.ceil_second(until):
            return Page(rows, bad, str(window.end), has_more=True, raw_count=count)
        onward = max(window.end - _LATE_MS, clock.to_ms(walks.OPENED))
        return Page(rows, bad, str(onward), has_more=False, raw_count=count)

    def _read(self, window: Window) -> tuple[Window, Outside, int]:
        """What a window tells, or its beginning where it has more rows than may be asked for; and how many rows."""
        key = (window.start, window.end)
        if key not in self._windows:
            raws = self._rows(window)
            if raws is None:
                return self._read(_half(window))
            found = outside.told(raws, start=window.start, end=window.end, sees_contracts=self.sees_contracts)
            self._windows[key] = found, len(raws)
        return window, *self._windows[key]

    def _rows(self, window: Window) -> list[Any] | None:
        """All pages; None for more than may be asked for."""
        wide = Window(window.start - _MARGIN_MS, window.end + _MARGIN_MS)
        found: list[Any] = []
        while True:
            raws = self._ask(wide)
            if not raws and not found and self._is_busy and window.end - window.start > _RECHECKED_MS:
                raws = self._ask(
                    wide
                )  # nothing, where no walk looks again, is believed when it is told twice
            found += raws
            if len(raws) < PAGE:
                self._is_busy = bool(found)
                return found
            if PAGE * wide.page > MOST_ROWS:
                return None
            wide = Window(wide.start, wide.end, wide.page + 1)

    def _ask(self, window: Window) -> list[Any]:
        return self.client.records("private_spot_get_account_book", window.by_page(PAGE))


def _half(window: Window) -> Window:
    middle = walks.floor_second((window.start + window.end) // 2)
    if middle <= window.start:
        raise unreadable(f"more than {MOST_ROWS} rows in a second")
    return Window(window.start, middle)
