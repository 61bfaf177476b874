"""The accounting identity of a day: what changed the equity, and what nothing explains."""

from decimal import Decimal, localcontext

from core.money import CONTEXT, ZERO


def residual(
    *,
    equity_before: Decimal,
    equity_after: Decimal,
    flows: Decimal,
    gross_realised: Decimal,
    unrealised_before: Decimal,
    unrealised_after: Decimal,
    fees: Decimal,
    funding: Decimal = ZERO,
) -> Decimal:
    """What is left of a day's change in equity when everything known is taken out; 0 when the books close.

    equity change = flows + gross realised + change in unrealised + funding - fees + residual.
    Flows are deposits minus withdrawals at the day's closing prices, the same that value the equity. Funding
    received is positive, fees paid are positive.
    """
    with localcontext(CONTEXT):
        known = flows + gross_realised + unrealised_after - unrealised_before + funding - fees
        return equity_after - equity_before - known
