"""What exchanges take off a trading fee paid in their own coin: documented rates of accounts without a VIP level.

An estimate, and told as one: exchanges changed their rates over the years, and VIP levels and holders may have others.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.money import CONTEXT, quantize


@dataclass(frozen=True, slots=True)
class OwnCoin:
    """`discounts`: by market type, as fractions of the full fee. `documented`: where and when the exchange said so."""

    coin: str
    discounts: dict[str, Decimal]
    documented: str


OWN_COINS: Final[dict[str, OwnCoin]] = {
    "binance": OwnCoin(
        "BNB",
        {"spot": Decimal("0.25"), "futures": Decimal("0.10")},
        "Binance FAQ 115000583311: 25 % on spot, 10 % on futures",
    ),
    "bitget": OwnCoin("BGB", {"spot": Decimal("0.20")}, "Bitget support article 360060644351: 20 % on spot"),
    "gateio": OwnCoin(
        "GT",
        {"spot": Decimal("0.25")},
        "Gate.io, GT payment of fees, November 2019: 25 % on spot up to VIP 9",
    ),
    "mexc": OwnCoin(
        "MX",
        {"spot": Decimal("0.20"), "futures": Decimal("0.20")},
        "MEXC Learn, MX deduction, September 2025: 20 % on spot and futures",
    ),
}


def saved(paid: Decimal, discount: Decimal) -> Decimal:
    """What the full fee would have cost more: paid = full × (1 − discount)."""
    return quantize(CONTEXT.divide(CONTEXT.multiply(paid, discount), 1 - discount))
