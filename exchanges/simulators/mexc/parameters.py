"""Request parameters in MEXC's manner: unknown ones are passed over, the query wins over the body."""

import urllib.parse

from exchanges.simulators.mexc import errors
from exchanges.simulators.symbols import Symbol, listed

EXCHANGE = "mexc"


class Parameters:
    """The parameters of one request by name."""

    def __init__(self, query: str, body: bytes) -> None:
        sent = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        self.values = dict(sent + urllib.parse.parse_qsl(query, keep_blank_values=True))

    def text(self, name: str) -> str:
        """The value, "" when it was not sent."""
        return self.values.get(name, "")

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if not value:
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 20:
            raise errors.illegal_parameter(name)
        return int(value)

    def limit(self, *, default: int, most: int) -> int:
        return min(self.integer("limit") or default, most)

    def symbol(self) -> Symbol:
        """The mandatory `symbol`."""
        name = self.text("symbol")
        if not name:
            raise errors.missing_parameter("symbol")
        return find_symbol(name)

    def symbols(self, name: str) -> list[Symbol]:
        """Names parted by commas; none for all."""
        return [find_symbol(each) for each in self.text(name).split(",") if each]


def find_symbol(name: str) -> Symbol:
    markets = listed(EXCHANGE)
    if name not in markets:
        raise errors.bad_symbol()
    return markets[name]
