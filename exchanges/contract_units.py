"""Numbers of contracts in the units of fills, and what a quantity of them is worth."""

from decimal import Decimal

from core import money
from exchanges.rows import Contract


def units(contracts: Decimal, contract: Contract) -> Decimal:
    """Units of the base (linear) or of the quote (inverse). Raises InvalidAmount beyond 18 places."""
    return money.parse(money.CONTEXT.multiply(contracts, contract.size))


def other_leg(quantity: Decimal, price: Decimal, contract: Contract) -> Decimal:
    """The quote (linear) or base (inverse) of a quantity, rounded half-even to 18 places; `price` > 0."""
    if contract.is_inverse:
        return money.quantize(money.CONTEXT.divide(quantity, price))
    return money.parse(money.quantize(money.CONTEXT.multiply(quantity, price)))
