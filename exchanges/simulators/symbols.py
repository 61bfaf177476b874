"""The markets of the simulated exchange with their filters."""

from dataclasses import dataclass

from exchanges.simulators.amounts import units


@dataclass(frozen=True, slots=True)
class Symbol:
    """A market. Filters are in units of 10**-8; tick × step is never finer than 10**-8, so quote amounts
    are exact."""

    name: str
    base: str
    quote: str
    tick: int
    step: int
    min_notional: int

    @property
    def least_budget(self) -> int:
        """The smallest sum, in the quote, that can be entered and left again in two parts."""
        return 6 * self.min_notional


def _symbol(base: str, quote: str, tick: str, step: str, min_notional: str) -> Symbol:
    return Symbol(base + quote, base, quote, units(tick), units(step), units(min_notional))


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
    )
}
ASSETS = tuple(dict.fromkeys(asset for symbol in SYMBOLS.values() for asset in (symbol.base, symbol.quote)))
