"""Contracts a simulated exchange lists: what they are worth, what they follow, and what holding them costs.

Quantities are in units of the base asset (linear) or of the quote asset (inverse), scaled like every amount
here; where an exchange counts contracts, `size` says how many units one of them is.
"""

import csv
import functools
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Final

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE, units
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import HOUR_MS
from exchanges.simulators.market import Market
from exchanges.simulators.symbols import SYMBOLS, Symbol

FUNDING_MS: Final = 8 * HOUR_MS
RATE: Final = 100_000  # fees and margins are in 1/100,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A perpetual contract under the world's own name. It trades at the price of the spot market `series`."""

    name: str
    base: str
    quote: str
    settle: str
    is_inverse: bool
    series: str
    funding_series: str
    tick: int
    step: int  # a whole number of `size`
    size: int  # units of one contract
    min_notional: int  # in the quote
    most_leverage: int
    maintenance: int  # of the value, in 1/RATE
    maker_fee: int | None = None  # instead of the house's; below zero a rebate

    @property
    def symbol(self) -> Symbol:
        return SYMBOLS[self.series]

    def value(self, quantity: int, price: int) -> int:
        """The other leg, floored to eight places: quote (linear) or base (inverse)."""
        return amounts.quotient(quantity, price) if self.is_inverse else amounts.product(price, quantity)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a house asks of those who trade contracts. Fees are in 1/RATE of the value."""

    taker_fee: int
    maker_fee: int
    contracts: tuple[str, ...]
    sizes: Mapping[str, str] = field(default_factory=dict)  # of one contract; without: as the step
    coin_percent: int = 0  # what is left of a fee paid in the house's coin; 0: it is never paid in it
    liquidation_fee: int = 0
    outside_wallet: str = ""  # a further wallet that money is moved to and from

    @functools.cached_property
    def listings(self) -> Mapping[str, Listing]:
        return {name: self._listing(name) for name in self.contracts}

    def _listing(self, name: str) -> Listing:
        listing = CONTRACTS[name]
        size = units(self.sizes[name]) if name in self.sizes else listing.step
        return replace(listing, size=size, step=-(-listing.step // size) * size)


def _linear(
    base: str,
    tick: str,
    step: str,
    *,
    quote: str = "USDT",
    most_leverage: int = 75,
    maker_fee: int | None = None,
) -> Listing:
    return Listing(
        name=f"{base}{quote}",
        base=base,
        quote=quote,
        settle=quote,
        is_inverse=False,
        series=f"{base}{quote}",
        funding_series=f"{base}USDT",
        tick=units(tick),
        step=units(step),
        size=units(step),
        min_notional=5 * ONE,
        most_leverage=most_leverage,
        maintenance=500,
        maker_fee=maker_fee,
    )


_BTCUSD: Final = Listing(
    name="BTCUSD",
    base="BTC",
    quote="USD",
    settle="BTC",
    is_inverse=True,
    series="BTCUSDT",
    funding_series="BTCUSDT",
    tick=units("0.1"),
    step=100 * ONE,
    size=100 * ONE,
    min_notional=100 * ONE,
    most_leverage=100,
    maintenance=400,
)
CONTRACTS: Final[Mapping[str, Listing]] = {
    listing.name: listing
    for listing in (
        _linear("BTC", "0.1", "0.001", most_leverage=125),
        _linear("ETH", "0.01", "0.01", most_leverage=100),
        _linear("BNB", "0.01", "0.01"),
        _linear("SOL", "0.001", "1"),
        _linear("ADA", "0.0001", "10"),
        _linear("XRP", "0.0001", "10"),
        _linear("DOGE", "0.00001", "100", maker_fee=-5),
        _linear("BTC", "0.1", "0.001", quote="USDC", most_leverage=100, maker_fee=0),
        _BTCUSD,
    )
}


class ContractMarket:
    """Prices of contracts, funding rates and moments: a pure function of the spot market."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def price(self, listing: Listing, at: int) -> int:
        """The last price at a moment, on the contract's tick."""
        return amounts.floor_to(self.market.price(listing.symbol, at), listing.tick)

    def mark(self, listing: Listing, at: int) -> int:
        """The mark price: every second, off the tick as real ones are."""
        price = self.market.price(listing.symbol, at // 1_000 * 1_000)
        return price + price // 30_011

    def hour(self, listing: Listing, at: int) -> Candle:
        return self.market.hour(listing.symbol, at)

    def funding_rate(self, listing: Listing, at: int) -> tuple[int, int]:
        """(rate, milliseconds the exchange was late) of the period a moment ends. The real series runs back
        and forth, its last rate on the world's first day."""
        series = load_funding()[listing.funding_series]
        index = (at - self.market.first_day_ms) // FUNDING_MS
        turn, position = divmod(index, len(series))
        return series[position] if turn % 2 else series[-1 - position]


@functools.cache
def load_funding() -> Mapping[str, tuple[tuple[int, int], ...]]:
    """(rate, lateness in ms) by symbol, oldest first; see `data/README.md`."""
    packed = resources.files(__package__).joinpath("data/binance_usdm_funding.csv.gz").read_bytes()
    series: dict[str, list[tuple[int, int]]] = {}
    for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode())):
        late = int(row["time"]) % FUNDING_MS
        series.setdefault(row["symbol"], []).append((units(row["rate"]), late))
    return {symbol: tuple(rates) for symbol, rates in series.items()}
