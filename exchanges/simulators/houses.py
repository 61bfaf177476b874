"""What one exchange's accounts differ in from another's: fees, the exchange's own coin, the look of keys."""

from dataclasses import dataclass
from typing import Final

from exchanges.simulators.contracts import Terms


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
    contracts: Terms | None = None  # on which contracts are traded, None where there are none

    def fee(self, amount: int, *, is_maker: bool) -> int:
        return amount * (self.maker_fee if is_maker else self.taker_fee) // 100_000

    def fee_in_coin(self, value: int, *, is_maker: bool) -> int:
        rate = self.maker_fee if is_maker else self.taker_fee
        return value * (rate * self.coin_percent // 100) // 100_000


_MAIN: Final = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "ADAUSDT", "XRPUSDT", "DOGEUSDT")
BINANCE_CONTRACTS: Final = Terms(
    taker_fee=50,
    maker_fee=20,
    contracts=(*_MAIN, "BTCUSDC"),
    coin_percent=90,
    liquidation_fee=1_250,
    outside_wallet="funding",
)
BITGET_CONTRACTS: Final = Terms(
    taker_fee=60, maker_fee=20, contracts=(*_MAIN, "BTCUSDC", "BTCUSD"), liquidation_fee=600
)
GATEIO_CONTRACTS: Final = Terms(
    taker_fee=50,
    maker_fee=20,
    contracts=(*_MAIN, "BTCUSD"),
    sizes={
        "BTCUSDT": "0.0001",
        "ETHUSDT": "0.01",
        "BNBUSDT": "0.001",
        "SOLUSDT": "1",
        "ADAUSDT": "10",
        "XRPUSDT": "10",
        "DOGEUSDT": "10",
        "BTCUSD": "1",
    },
    liquidation_fee=500,
)
MEXC_CONTRACTS: Final = Terms(
    taker_fee=20,
    maker_fee=0,
    contracts=(*_MAIN, "BTCUSD"),
    sizes={
        "BTCUSDT": "0.0001",
        "ETHUSDT": "0.01",
        "BNBUSDT": "0.01",
        "SOLUSDT": "0.1",
        "ADAUSDT": "1",
        "XRPUSDT": "1",
        "DOGEUSDT": "100",
        "BTCUSD": "100",
    },
    liquidation_fee=400,
)

BINANCE: Final = House(
    name="binance",
    coin="BNB",
    taker_fee=100,
    maker_fee=100,
    coin_percent=75,
    contracts=BINANCE_CONTRACTS,
)
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
    contracts=MEXC_CONTRACTS,
)
