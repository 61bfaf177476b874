"""Request parameters in Bitget's manner: unknown ones are passed over, times are milliseconds."""

import urllib.parse
from dataclasses import dataclass

from exchanges.simulators.bitget import errors, names
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.symbols import Symbol

_KEPT_MS = 90 * DAY_MS
_TOLERATED_MS = 60_000  # a start of exactly 90 days ago is late by the time it arrives


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end] in milliseconds."""

    start: int
    end: int

    def __contains__(self, at: int) -> bool:
        return self.start <= at <= self.end


class Parameters:
    """The parameters of one request by name."""

    def __init__(self, query: str) -> None:
        self.values = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def text(self, name: str) -> str:
        """The value, "" when it was not sent."""
        return self.values.get(name, "")

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise errors.missing_parameter(name)
        return value

    def integer(self, name: str, *, default: int, least: int = 0, most: int = 10**20) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise errors.invalid_value(name)
        return int(value)

    def symbol(self) -> Symbol | None:
        """The market of `symbol`; None when none was sent."""
        name = self.text("symbol")
        return names.find(name) if name else None

    def limit(self, *, usual: int = 100, most: int = 100) -> int:
        return self.integer("limit", default=usual, least=1, most=most)

    def below(self, name: str = "idLessThan") -> int:
        """Rows with smaller ids are asked for."""
        return self.integer(name, default=10**21)

    def span(self, now_ms: int, *, days: int, keeps: bool = False, usual_days: int = 0) -> Span:
        """`startTime` to `endTime`, at most `days` apart. What is not kept for ever is told for 90 days."""
        end = self.integer("endTime", default=now_ms)
        start = self.integer("startTime", default=end - (usual_days or days) * DAY_MS)
        if start > end:
            raise errors.invalid_range("startTime is after endTime")
        if end - start > days * DAY_MS:
            raise errors.invalid_range(f"the interval between startTime and endTime exceeds {days} days")
        if keeps:
            return Span(start, end)
        if self.text("startTime") and start < now_ms - _KEPT_MS - _TOLERATED_MS:
            raise errors.invalid_range("startTime is more than 90 days ago")
        return Span(max(start, now_ms - _KEPT_MS), end)
