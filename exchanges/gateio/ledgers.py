"""Fills and finished orders of the whole account, read once for all its symbols.

Gate.io needs no symbol, our callers walk symbol by symbol: what a long way back holds is asked for once and
divided. The windows near the end are asked for by symbol: one request each, with nothing of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from exchanges.gateio.walks import MOST_ROWS, WINDOW_MS, Window, ceil_second
from exchanges.transport import CcxtClient

ROOM: Final = 20_000  # rows a client keeps for symbols that have not asked yet: about 40 MB
RECHECKED_MS: Final = 4 * 86_400_000  # so far back the pipeline reads by time again
_Divided = Mapping[str, list[Any] | None]


@dataclass(slots=True)
class Ledger:
    """One endpoint's rows by window and symbol, for as long as the client lives."""

    client: CcxtClient
    endpoint: str
    limit: int
    fixed: Mapping[str, Any] = field(default_factory=dict)
    _windows: dict[int, _Divided | None] = field(default_factory=dict)
    _kept: int = 0
    _is_busy: bool = False  # the last window read had rows

    def page(self, symbol: str, window: Window) -> list[Any]:
        """One page of a symbol's rows, as the exchange orders them: newest first."""
        if window.is_shared:
            shared = self._shared(window)
            rows = None if shared is None else shared.get(symbol, [])
            if rows is not None:
                return rows[(window.page - 1) * self.limit : window.page * self.limit]
        ask = self._ask_again if window.end - window.start > RECHECKED_MS else self._ask
        return ask(window, currency_pair=symbol)

    def symbols(self, until: datetime, since: str = "") -> frozenset[str]:
        """Every symbol with a row in the windows from position `since` on."""
        found, position, has_more = set[str](), since, True
        while has_more:
            window = Window.at(position, until)
            if window.is_shared and (shared := self._shared(window)) is not None:
                found |= set(shared)
                count = 0
            else:
                raws = self._ask(window)
                found |= {symbol_of(raw) for raw in raws}
                count = len(raws)
            position, has_more = window.after(count, self.limit, until)
        return frozenset(found - {""})

    def is_read(self, until: datetime) -> bool:
        """Whether the way from the beginning was divided already, so that `symbols` costs almost nothing."""
        first = Window.at("", until)
        return all(
            start in self._windows for start in range(first.start, ceil_second(until) - WINDOW_MS, WINDOW_MS)
        )

    def _shared(self, window: Window) -> _Divided | None:
        """A whole window by symbol; None where it must be asked for by symbol."""
        if window.start not in self._windows:
            self._windows[window.start] = self._divide(Window(window.start, window.end))
        return self._windows[window.start]

    def _divide(self, window: Window) -> _Divided | None:
        """The rows by symbol, None in place of rows there is no room for."""
        divided: dict[str, list[Any] | None] = {}
        while True:
            raws = self._ask_again(window) if self._is_busy else self._ask(window)
            self._is_busy = bool(raws)
            self._add(raws, divided)
            if len(raws) < self.limit:
                # Whose row one without a symbol is, only an answer about one symbol tells.
                return None if "" in divided else divided
            if self.limit * window.page > MOST_ROWS:
                return None
            window = Window(window.start, window.end, window.page + 1)

    def _add(self, raws: list[Any], divided: dict[str, list[Any] | None]) -> None:
        """Rows are given up by symbol as a whole: half of a symbol's would look like all."""
        is_full = self._kept + len(raws) > ROOM
        for raw in raws:
            symbol = symbol_of(raw)
            rows = divided.setdefault(symbol, [])
            if rows is None:
                continue
            if is_full:
                self._kept -= len(rows)
                divided[symbol] = None
            else:
                rows.append(raw)
                self._kept += 1

    def _ask_again(self, window: Window, **more: Any) -> list[Any]:
        """Nothing, where something may be expected and no walk looks again, is believed when it is told twice."""
        return self._ask(window, **more) or self._ask(window, **more)

    def _ask(self, window: Window, **more: Any) -> list[Any]:
        return self.client.records(self.endpoint, {**self.fixed, **more, **window.by_page(self.limit)})


def symbol_of(raw: object) -> str:
    """The pair a row names, "" for none."""
    name = raw.get("currency_pair") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else ""
