"""The arithmetic of a bracket: an entry, its targets and its stop. Pure."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

from core.money import CONTEXT, quantize

_PERCENT_PLACES: Final = 4
BUY: Final = "BUY"


@dataclass(frozen=True, slots=True)
class Executed:
    """What fills of an order come to. `value` is in the quote asset; of inverse contracts in the settle asset."""

    quantity: Decimal
    value: Decimal
    is_inverse: bool = False

    @property
    def average(self) -> Decimal | None:
        """The price weighted by quantity."""
        if not self.quantity or not self.value:
            return None
        parts = (self.quantity, self.value) if self.is_inverse else (self.value, self.quantity)
        return quantize(CONTEXT.divide(*parts))


@dataclass(frozen=True, slots=True)
class Slippage:
    """How much worse (> 0) than planned: by unit, in percent of the plan, and in money over what was filled (None for
    inverse contracts, whose units are no coins)."""

    price: Decimal
    percent: Decimal
    amount: Decimal | None


def slippage(*, side: str, planned: Decimal | None, executed: Executed) -> Slippage | None:
    """None without a plan or without a fill. Buying dearer and selling cheaper are worse."""
    average = executed.average
    if not planned or average is None:
        return None
    with localcontext(CONTEXT):
        worse = average - planned if side == BUY else planned - average
        amount = None if executed.is_inverse else quantize(worse * executed.quantity)
        return Slippage(quantize(worse), quantize(worse / planned * 100, _PERCENT_PLACES), amount)


def planned_risk(*, side: str, entry: Decimal, stop: Decimal, quantity: Decimal) -> Decimal | None:
    """What the stop would have cost at the entry, in the quote asset; None for a stop on the winning side."""
    distance = entry - stop if side == BUY else stop - entry
    return quantize(CONTEXT.multiply(distance, quantity)) if distance > 0 else None


def multiple(net: Decimal, risk: Decimal) -> Decimal:
    """R: the result in units of what was risked."""
    return quantize(CONTEXT.divide(net, risk), _PERCENT_PLACES)
