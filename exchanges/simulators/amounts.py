"""Scaled integers: every price, quantity and balance of a simulated exchange is a whole number of 10**-8."""

from decimal import Decimal
from typing import Final

PLACES: Final = 8
ONE: Final = 10**PLACES


def units(text: str) -> int:
    """Read a decimal text of at most eight places. Raises ValueError when it has more."""
    scaled = Decimal(text).scaleb(PLACES)
    if scaled != int(scaled):
        raise ValueError(f"{text!r} has more than {PLACES} decimals")
    return int(scaled)


def text(amount: int) -> str:
    """Eight fixed decimals, as Binance writes them."""
    if amount < 0:
        return "-" + text(-amount)
    return f"{amount // ONE}.{amount % ONE:08d}"


def floor_to(amount: int, step: int) -> int:
    """The largest multiple of `step` not above `amount`."""
    return amount - amount % step


def product(price: int, quantity: int) -> int:
    """price × quantity, floored to eight places; exact wherever tick × step ≥ 10**-8."""
    return price * quantity // ONE


def quotient(amount: int, price: int) -> int:
    """amount ÷ price, floored to eight places."""
    return amount * ONE // price
