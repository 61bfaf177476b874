"""Request parameters in Gate.io's manner: unknown ones are passed over, times are seconds."""

import urllib.parse
from dataclasses import dataclass

from exchanges.simulators.clock import DAY_MS, SECOND_MS
from exchanges.simulators.gateio import errors, names
from exchanges.simulators.symbols import Symbol

_MOST_ROWS = 100_000
_LONGEST_SPAN_MS = 30 * DAY_MS
_USUAL_SPAN_MS = 7 * DAY_MS


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

    def integer(self, name: str, *, default: int, least: int = 0, most: int = 10**12) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise errors.invalid_value(name, value)
        return int(value)

    def pair(self) -> Symbol | None:
        """The market of `currency_pair`; None when none was sent."""
        name = self.text("currency_pair")
        return names.find(name) if name else None

    def page(self, *, most: int) -> slice:
        """What `page` and `limit` choose; no page begins after 100,000 rows."""
        limit = self.integer("limit", default=100, least=1, most=most)
        page = self.integer("page", default=1, least=1)
        if limit * (page - 1) > _MOST_ROWS:
            raise errors.invalid_range("limit * (page - 1) exceeds 100000")
        return slice(limit * (page - 1), limit * page)

    def offset(self, *, most: int) -> slice:
        limit = self.integer("limit", default=100, least=1, most=most)
        start = self.integer("offset", default=0)
        return slice(start, start + limit)

    def span(self, now_ms: int) -> Span:
        """`from` to `to`, at most 30 days; seven days up to (or from) the one that is sent, or up to now."""
        start = self.integer("from", default=-1) * SECOND_MS
        end = self.integer("to", default=-1) * SECOND_MS
        if start < 0:
            end = now_ms if end < 0 else end
            return Span(end - _USUAL_SPAN_MS, end)
        if end < 0:
            return Span(start, min(start + _USUAL_SPAN_MS, now_ms))
        if start > end:
            raise errors.invalid_range("from must not be after to")
        if end - start > _LONGEST_SPAN_MS:
            raise errors.invalid_range("time range can not exceed 30 days")
        return Span(start, end)
