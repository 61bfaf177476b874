"""The accounting identity of a day: what changed the equity, and what nothing explains."""

from decimal import Decimal, localcontext

from core.money import CONTEXT, ZERO, quantize


def residual(
    *,
    equity_before: Decimal,
    equity_after: Decimal,
    flows: Decimal,
    gross_realised: Decimal,
    unrealised_before: Decimal,
    unrealised_after: Decimal,
    fees: Decimal,
    revaluation: Decimal = ZERO,
    funding: Decimal = ZERO,
) -> Decimal:
    """What is left of a day's change in equity when everything known is taken out; 0 when the books close.

    equity change = flows + gross realised + change in unrealised + revaluation + funding - fees + residual.
    Flows are deposits minus withdrawals at the day's closing prices, the same that value the equity. Funding
    received is positive, fees paid are positive.
    """
    with localcontext(CONTEXT):
        known = flows + gross_realised + unrealised_after - unrealised_before + revaluation + funding - fees
        return equity_after - equity_before - known


def revaluation(
    *,
    stock: Decimal,
    price_before: Decimal | None,
    price: Decimal | None,
    moved_quantity: Decimal,
    moved_value: Decimal,
) -> Decimal:
    """Change in worth over a day of an asset's part that no book holds: cash, and coins of unknown cost.

    `stock` was held outside the book at the day's beginning and changes by its price. `moved_quantity` (signed)
    came in or went out outside the book, counted elsewhere at `moved_value` while the day's close values it: cash
    paid for coins at its pinned price, coins of unknown cost sold, coins that left the book at cost. Without a
    price nothing can be said: that stays in the residual.
    """
    if price is None:
        return ZERO
    with localcontext(CONTEXT):
        held = stock * (price - price_before) if price_before is not None else ZERO
        return quantize(held + moved_quantity * price - moved_value)
