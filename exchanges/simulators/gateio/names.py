"""Gate.io's names for the world's things: pairs, order ids of the whole account, texts of orders."""

from collections.abc import Mapping
from typing import Final

from exchanges.simulators.facts import Order
from exchanges.simulators.gateio import errors
from exchanges.simulators.symbols import Symbol, listed

EXCHANGE: Final = "gateio"
_PLACES: Final = 100  # the world's order ids are unique in a market only: its number is put behind them
_TRIGGERS: Final = 10**12  # price-triggered orders are counted apart
_SOURCES: Final = {"web_": "web", "ios_": "app", "and_": "app"}
_OWN: Final = "cgt-"  # how clients of this world begin their ids

_MARKETS: Final = tuple(listed(EXCHANGE).values())
_NUMBERS: Final[Mapping[str, int]] = {symbol.name: number for number, symbol in enumerate(_MARKETS)}
_PAIRS: Final[Mapping[str, Symbol]] = {f"{symbol.base}_{symbol.quote}": symbol for symbol in _MARKETS}


def pair(name: str) -> str:
    """`BTC_USDT` for the world's `BTCUSDT`."""
    symbol = listed(EXCHANGE)[name]
    return f"{symbol.base}_{symbol.quote}"


def find(name: str) -> Symbol:
    """The market of a pair. Raises the error of an unknown one."""
    if name not in _PAIRS:
        raise errors.invalid_pair(name)
    return _PAIRS[name]


def pairs() -> Mapping[str, Symbol]:
    return _PAIRS


def order_id(symbol: str, number: int) -> int:
    return number * _PLACES + _NUMBERS[symbol]


def trigger_id(row: Order) -> int:
    return _TRIGGERS + order_id(row.symbol, row.order_id)


def is_trigger(row: Order) -> bool:
    return row.type == "STOP_LOSS_LIMIT"


def is_placed(row: Order) -> bool:
    """Whether it is, or has become, an order of the book."""
    return not is_trigger(row) or row.executed > 0


def text(row: Order) -> str:
    """The client's own id behind `t-`, else where the order came from."""
    if row.client_order_id.startswith(_OWN):
        return f"t-{row.client_order_id}"
    return _SOURCES.get(row.client_order_id[:4], "api")
