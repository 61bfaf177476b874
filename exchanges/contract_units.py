"""Numbers of contracts in the units of fills, what a quantity of them is worth, the coins that stand for them."""

from decimal import Decimal

from core import money
from core.money import ZERO
from exchanges.rows import BalanceRow, Contract, Raw


def units(contracts: Decimal, contract: Contract) -> Decimal:
    """Units of the base (linear) or of the quote (inverse). Raises InvalidAmount beyond 18 places."""
    return money.parse(money.CONTEXT.multiply(contracts, contract.size))


def other_leg(quantity: Decimal, price: Decimal, contract: Contract) -> Decimal:
    """The quote (linear) or base (inverse) of a quantity, rounded half-even to 18 places; `price` > 0."""
    if contract.is_inverse:
        return money.quantize(money.CONTEXT.divide(quantity, price))
    return money.parse(money.quantize(money.CONTEXT.multiply(quantity, price)))


def margin_balance(
    asset: str, total: Decimal, *, available: Decimal, unrealized: Decimal, wallet: str, raw: Raw
) -> BalanceRow | None:
    """A margin coin held beside what open positions stand at; None where nothing is. A debt is all that is available;
    what an exchange offers beyond the coin itself (other coins, profit that stands) is none of it."""
    if not total and not unrealized:
        return None
    free = total if total < 0 else max(ZERO, min(available, total))
    return BalanceRow(
        asset=asset, available=free, locked=total - free, raw=raw, wallet=wallet, unrealized_pnl=unrealized
    )
