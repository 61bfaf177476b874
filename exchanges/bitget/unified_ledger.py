"""Spot fills of a unified account, read once for all its symbols: they cannot be asked for by symbol."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from exchanges.bitget import walks
from exchanges.bitget.client import Listed
from exchanges.bitget.walks import Window
from exchanges.windows import MILLISECOND, Span

_FRESH: Final = timedelta(minutes=10) // MILLISECOND  # so long what was read is the present


class SharedFills:
    """The raw rows of [start, end), for as long as the client lives; it grows on both sides."""

    def __init__(self, ask: Callable[[Window], Listed]) -> None:
        self._ask = ask
        self._rows: list[Any] = []
        self._start = self._end = 0

    def until(self, now_ms: int) -> int:
        """The moment a walk may take for the present: where the last one ended, if that is not long ago."""
        return self._end if self._end <= now_ms < self._end + _FRESH else now_ms

    def rows(self, window: Window, symbol: str = "") -> list[Any]:
        """Rows of a window, of one symbol or of all; what lies outside of what is known is asked for."""
        if not self._end or window.end < self._start or window.start > self._end:
            self._rows, self._start, self._end = [], window.start, window.start
        if window.start < self._start:
            self._rows += self._read(window.start, self._start)
            self._start = window.start
        if window.end > self._end:
            self._rows += self._read(self._end, window.end)
            self._end = window.end
        return [raw for raw in self._rows if _is_within(raw, window) and symbol in ("", _symbol(raw))]

    def symbols(self, window: Window) -> frozenset[str]:
        return frozenset(_symbol(raw) for raw in self.rows(window)) - {""}

    def _read(self, start: int, end: int) -> list[Any]:
        return walks.collect(walks.MONTHLY, Span(start, end), self._ask)


def _symbol(raw: object) -> str:
    name = raw.get("symbol") if isinstance(raw, Mapping) else None
    return name.upper() if isinstance(name, str) else ""


def _is_within(raw: object, window: Window) -> bool:
    """Rows that tell no readable time are everybody's: they are to be set aside."""
    told = raw.get("createdTime") if isinstance(raw, Mapping) else None
    if not isinstance(told, str) or not told.isascii() or not told.isdigit():
        return True
    return window.start <= int(told) < window.end
