"""The markets of the simulated exchange with their filters."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from exchanges.simulators.amounts import units


@dataclass(frozen=True, slots=True)
class Symbol:
    """A market. Filters are in units of 10**-8; tick × step is never finer than 10**-8, so quote amounts
    are exact. `only_at` names the one exchange that lists it, "" for all; `series` whose real candles its
    days follow: on the same tick, or a coarser one."""

    name: str
    base: str
    quote: str
    tick: int
    step: int
    min_notional: int
    only_at: str = ""
    series: str = ""

    @property
    def least_budget(self) -> int:
        """The smallest sum, in the quote, that can be entered and left again in two parts."""
        return 6 * self.min_notional


def _symbol(
    base: str, quote: str, tick: str, step: str, min_notional: str, *, only_at: str = "", series: str = ""
) -> Symbol:
    name = base + quote
    filters = (units(tick), units(step), units(min_notional))
    return Symbol(name, base, quote, *filters, only_at=only_at, series=series or name)


SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        _symbol("BTC", "USDT", "0.01", "0.00001", "5"),
        _symbol("ETH", "USDT", "0.01", "0.0001", "5"),
        _symbol("BNB", "USDT", "0.0001", "0.001", "5"),
        _symbol("SOL", "USDT", "0.0001", "0.001", "5"),
        _symbol("ADA", "USDT", "0.00001", "0.1", "5"),
        _symbol("XRP", "USDT", "0.00001", "0.1", "5"),
        _symbol("DOGE", "USDT", "0.0000001", "1", "5"),
        _symbol("ETH", "BTC", "0.00001", "0.001", "0.0001"),
        _symbol("BNB", "BTC", "0.000001", "0.01", "0.0001"),
        _symbol("BTC", "USDC", "0.01", "0.00001", "5"),
        _symbol("ETH", "USDC", "0.01", "0.0001", "5"),
        _symbol("USDC", "USDT", "0.0001", "1", "5"),
        _symbol("MX", "USDT", "0.00001", "0.01", "5", only_at="mexc", series="XRPUSDT"),
        _symbol("GT", "USDT", "0.0001", "0.001", "5", only_at="gateio", series="BNBUSDT"),
        _symbol("BGB", "USDT", "0.0001", "0.001", "5", only_at="bitget", series="SOLUSDT"),
    )
}


@functools.cache
def listed(exchange: str) -> Mapping[str, Symbol]:
    """The markets of one exchange by name."""
    return MappingProxyType(
        {name: symbol for name, symbol in SYMBOLS.items() if symbol.only_at in ("", exchange)}
    )


@functools.cache
def assets(exchange: str) -> tuple[str, ...]:
    """Every asset one exchange lists."""
    markets = listed(exchange).values()
    return tuple(dict.fromkeys(asset for symbol in markets for asset in (symbol.base, symbol.quote)))
