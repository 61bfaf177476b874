"""Exact money: `Decimal` from text, 18 places kept, 38 digits in all; floats are refused.

The accounting engine works on scaled integers ("units", 1 = 10**-18); `to_units` and `from_units` are the
only bridge. Python's default context keeps 28 digits and would round silently, so every process calls
`use_exact_context` once.
"""

import decimal
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from core.errors import DomainError

PLACES: Final = 18
DIGITS: Final = 38
UNIT: Final = 10**PLACES
CONTEXT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_LIMIT: Final = 10 ** (DIGITS - PLACES)
_READABLE: Final = (str, int, Decimal)
_PLAIN: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?", re.ASCII).fullmatch
_STEPS: Final = tuple(Decimal(1).scaleb(-places) for places in range(2 * DIGITS + 1))
_STEP: Final = _STEPS[PLACES]
ZERO: Final = Decimal(0)


class InvalidAmount(DomainError):
    """A text that is no finite decimal, or does not fit NUMERIC(38,18) without rounding."""

    code = "invalid_amount"


def use_exact_context() -> None:
    """Make 80 digits the default of this thread and of every thread started later."""
    decimal.DefaultContext.prec = CONTEXT.prec
    decimal.DefaultContext.rounding = CONTEXT.rounding
    decimal.setcontext(CONTEXT.copy())


def parse(value: str | int | Decimal) -> Decimal:
    """Read an amount exactly. Raises InvalidAmount for floats, NaN, more than 18 places or 20 whole digits."""
    if type(value) is str and _PLAIN(value):
        return Decimal(value)  # nearly all amounts there are: what follows could refuse none of them
    if isinstance(value, bool) or not isinstance(value, _READABLE):
        raise InvalidAmount(f"An amount must be text, not {type(value).__name__}.")
    try:
        amount = Decimal(value)
    except decimal.InvalidOperation:
        raise InvalidAmount(f"{value!r:.60} is not a number.") from None
    if not amount.is_finite():
        raise InvalidAmount(f"{value!r:.60} is not a finite number.")
    if amount.adjusted() >= DIGITS - PLACES and amount:
        raise InvalidAmount(f"{value!r:.60} has more than {DIGITS - PLACES} digits before the point.")
    if amount != amount.quantize(_STEP, context=CONTEXT):
        raise InvalidAmount(f"{value!r:.60} has more than {PLACES} decimals.")
    return amount


def multiply(one: Decimal, other: Decimal) -> Decimal:
    """The product rounded half-even to 18 places. Raises InvalidAmount where it has more than 20 whole digits."""
    product = CONTEXT.multiply(one, other).quantize(_STEP, context=CONTEXT)
    return product if product.adjusted() < DIGITS - PLACES else parse(product)


def to_units(amount: Decimal) -> int:
    """Amount in units of 10**-18, exactly; the amount must already fit (see `parse`)."""
    return int(amount.scaleb(PLACES, CONTEXT))


def from_units(units: int) -> Decimal:
    """The Decimal of a number of 10**-18 units."""
    return Decimal(units).scaleb(-PLACES, CONTEXT)


def round_product(product: int) -> int:
    """A product of two unit values (scale 36) rounded half-even to units (scale 18)."""
    quotient, remainder = divmod(product, UNIT)
    twice = 2 * remainder
    return quotient + (twice > UNIT or (twice == UNIT and quotient & 1))


def quantize(amount: Decimal, places: int = PLACES) -> Decimal:
    """Round half-even to `places` decimals: the one rounding, done at the edge."""
    return amount.quantize(_STEPS[places], context=CONTEXT)


def text(amount: Decimal) -> str:
    """The shortest exact text: no exponent, no trailing zeros."""
    if not amount:
        return "0"
    plain = str(amount)
    if "E" in plain:
        plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
