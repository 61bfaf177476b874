"""Request parameters in Binance's manner: every one sent must be read, once, and be well formed."""

import json
import re
import urllib.parse

from exchanges.simulators.binance import errors
from exchanges.simulators.contracts import Listing
from exchanges.simulators.houses import BINANCE_CONTRACTS
from exchanges.simulators.symbols import Symbol, listed

_SYMBOL = re.compile(r"[A-Z0-9_.-]{1,20}")
LISTINGS = BINANCE_CONTRACTS.listings  # USD-M contracts by name
_SIGNING = frozenset({"timestamp", "recvWindow", "signature"})


class Parameters:
    """The parameters of one request by name; remembers which ones the endpoint asked for."""

    def __init__(self, query: str, body: bytes) -> None:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        pairs += urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        self.values = dict(pairs)
        if len(self.values) != len(pairs):
            names = [name for name, _ in pairs]
            raise errors.duplicate_parameter(next(name for name in names if names.count(name) > 1))
        self._unread = set(self.values)

    def text(self, name: str) -> str:
        """The value, "" when it was not sent."""
        self._unread.discard(name)
        return self.values.get(name, "")

    def integer(self, name: str, *, default: int | None = None, most: int | None = None) -> int | None:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or len(value) > 20:
            raise errors.illegal_parameter(name, "^[0-9]{1,20}$")
        return int(value) if most is None else min(int(value), most)

    def limit(self, *, default: int, most: int) -> int:
        return self.integer("limit", default=default, most=most) or default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() == "true"

    def symbol(self) -> Symbol:
        """The mandatory `symbol`."""
        name = self.text("symbol")
        if not name:
            raise errors.missing_parameter("symbol")
        return find_symbol(name)

    def symbols(self) -> list[Symbol] | None:
        """The one of `symbol` or the several of `symbols`; None when neither was sent."""
        one, several = self.text("symbol"), self.text("symbols")
        if one and several:
            raise errors.bad_combination()
        if one:
            return [find_symbol(one)]
        if not several:
            return None
        try:
            names = json.loads(several)
        except ValueError:
            names = None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise errors.illegal_parameter("symbols", '^\\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\\]$')
        return [find_symbol(name) for name in names]

    def finish(self, *, signed: bool) -> None:
        """Refuse what no one read."""
        unread = self._unread - _SIGNING if signed else self._unread
        if unread:
            raise errors.unread_parameters(len(self.values) - len(unread), len(self.values))


def find_symbol(name: str) -> Symbol:
    if not _SYMBOL.fullmatch(name):
        raise errors.illegal_parameter("symbol", "^[A-Z0-9-_.]{1,20}$")
    markets = listed("binance")
    if name not in markets:
        raise errors.bad_symbol()
    return markets[name]


def find_contract(name: str) -> Listing:
    if not _SYMBOL.fullmatch(name):
        raise errors.illegal_parameter("symbol", "^[A-Z0-9-_.]{1,20}$")
    if name not in LISTINGS:
        raise errors.bad_symbol()
    return LISTINGS[name]
