"""What one exchange's accounts differ in from another's: fees, the exchange's own coin, the look of keys."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Fees are in 1/100,000. `realm` goes into every seed: the same seed makes other people elsewhere."""

    name: str
    coin: str  # fees may be paid in it, at a discount
    taker_fee: int
    maker_fee: int
    coin_percent: int  # what is left of a fee that is paid in the coin
    has_order_lists: bool = True  # OCO, OTO, OTOCO
    takes_quote: bool = False  # purchases pay their fee in the quote too, not out of what was bought
    realm: str = ""
    key_prefix: str = ""
    key_length: int = 64
    secret_length: int = 64

    def fee(self, amount: int, *, is_maker: bool) -> int:
        return amount * (self.maker_fee if is_maker else self.taker_fee) // 100_000

    def fee_in_coin(self, value: int, *, is_maker: bool) -> int:
        rate = self.maker_fee if is_maker else self.taker_fee
        return value * (rate * self.coin_percent // 100) // 100_000


BINANCE: Final = House(name="binance", coin="BNB", taker_fee=100, maker_fee=100, coin_percent=75)
MEXC: Final = House(
    name="mexc",
    coin="MX",
    taker_fee=50,
    maker_fee=0,
    coin_percent=80,
    has_order_lists=False,
    takes_quote=True,
    realm="mexc:",
    key_prefix="mx0v",
    key_length=18,
    secret_length=32,
)
