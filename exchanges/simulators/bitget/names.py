"""Bitget's names for the world's things: ids of the whole account, which count up with time."""

from typing import Final

from exchanges.simulators.bitget import errors
from exchanges.simulators.contracts import CONTRACTS
from exchanges.simulators.facts import Fill, Order, Transfer
from exchanges.simulators.symbols import Symbol, listed

EXCHANGE: Final = "bitget"
_PLACES: Final = 10**6  # behind the millisecond: the market's number and the end of the world's id
_MARKET: Final = 10**4
_PLANS: Final = 50  # trigger orders have the numbers of other markets
_BILLS: Final = {
    name: number
    for number, name in enumerate(
        ("fill", "funding", "transfer", "income", "dividend", "conversion", "dust", "left", "came"), start=1
    )
}
_LEGS: Final = 20  # what a fill did to each coin has the numbers of other markets
_NUMBERS: Final = {name: number for number, name in enumerate(listed(EXCHANGE))}


def find(name: str) -> Symbol:
    """The market of a symbol. Raises the error of an unknown one."""
    if name not in _NUMBERS:
        raise errors.invalid_symbol(name)
    return listed(EXCHANGE)[name]


def fill_id(row: Fill) -> int:
    return _identity(row.executed_at, _NUMBERS[row.symbol], row.fill_id)


def order_id(row: Order) -> int:
    return _identity(row.placed_at, _NUMBERS[row.symbol], row.order_id)


def plan_id(row: Order) -> int:
    return _identity(row.placed_at, _NUMBERS[row.symbol] + _PLANS, row.order_id)


def transfer_id(row: Transfer) -> int:
    digits = int(row.tx_id[:10], 16) if row.tx_id.isalnum() and len(row.tx_id) >= 10 else 0
    return _identity(row.applied_at, 99, digits)


def is_plan(row: Order) -> bool:
    """Whether it waits for a price, or did."""
    return row.type == "STOP_LOSS_LIMIT"


def is_placed(row: Order) -> bool:
    """Whether it is, or has become, an order of the book."""
    return not is_plan(row) or row.executed > 0


def contract(name: str) -> str:
    """`BTCPERP` for the world's `BTCUSDC`; those that settle in USDT have the world's names."""
    return name.removesuffix("USDC") + "PERP" if name.endswith("USDC") else name


def settle(name: str) -> str:
    """What the world's contract settles in."""
    return CONTRACTS[name].settle


def leg_id(row: Fill, leg: int) -> int:
    """Of what a fill did to one coin: its base, its quote, or a third."""
    return _identity(row.executed_at, _LEGS + 3 * _NUMBERS[row.symbol] + leg, row.fill_id)


def bill_id(kind: str, at: int, number: int) -> int:
    return _identity(at, _BILLS[kind], number)


def _identity(at: int, market: int, number: int) -> int:
    return at * _PLACES + market * _MARKET + number % _MARKET
