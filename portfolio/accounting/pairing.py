"""A closed position as the frontend pairs it: everything bought against everything sold, fees within both.

    totalBuyCost     = Σ(size × price) of purchases + their fees
    effectiveBuySize = Σ size of purchases − fees taken in the coin
    avgBuyPrice      = totalBuyCost ÷ effectiveBuySize
    totalSellRevenue = Σ(size × price) of sales − their fees
    avgSellPrice     = totalSellRevenue ÷ size sold
    matchedSize      = min(size bought, size sold)
    costBasis        = matchedSize × avgBuyPrice
    pnl              = totalSellRevenue − costBasis,  pnlPercent = pnl ÷ costBasis × 100

Over an episode that sold all it bought this is the books' net result without funding, whatever the method. What left
otherwise (withdrawn, dust) is matched with nothing; an earlier episode's dust that was sold is bought at its cost.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from core.money import CONTEXT, quantize

_PERCENT_PLACES = 4


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an episode: its size, its value without fees, and its fees (≥ 0 a cost)."""

    size: Decimal
    value: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Pairing:
    """Rounded to 18 decimals (percent: 4), half-even; None where there is nothing to divide by."""

    total_buy_cost: Decimal
    effective_buy_size: Decimal
    avg_buy_price: Decimal | None
    total_sell_revenue: Decimal
    avg_sell_price: Decimal | None
    matched_size: Decimal
    cost_basis: Decimal
    pnl: Decimal
    pnl_percent: Decimal | None


def pair(*, bought: Leg, sold: Leg) -> Pairing:
    """The figures above; of a short, what was sold came first, which changes nothing."""
    with localcontext(CONTEXT):
        cost, revenue = bought.value + bought.fees, sold.value - sold.fees
        matched = min(bought.size, sold.size)
        price = cost / bought.size if bought.size else None
        basis = cost if matched == bought.size else matched * (price or Decimal(0))
        pnl = quantize(revenue - basis)
        return Pairing(
            total_buy_cost=cost,
            effective_buy_size=bought.size,
            avg_buy_price=None if price is None else quantize(price),
            total_sell_revenue=revenue,
            avg_sell_price=quantize(revenue / sold.size) if sold.size else None,
            matched_size=matched,
            cost_basis=quantize(basis),
            pnl=pnl,
            pnl_percent=quantize((revenue - basis) / basis * 100, _PERCENT_PLACES) if basis else None,
        )
