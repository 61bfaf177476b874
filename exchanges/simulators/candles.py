"""The shipped slice of real daily candles (see `data/README.md`)."""

import csv
import functools
import gzip
import io
from importlib import resources
from typing import NamedTuple

from exchanges.simulators import amounts


class Candle(NamedTuple):
    """Prices and volume in units of 10**-8."""

    open: int
    high: int
    low: int
    close: int
    volume: int

    def mirrored(self) -> "Candle":
        """The same candle with time running backwards."""
        return Candle(self.close, self.high, self.low, self.open, self.volume)


def merge(candles: list[Candle]) -> Candle:
    """One candle over several that follow one another."""
    return Candle(
        candles[0].open,
        max(candle.high for candle in candles),
        min(candle.low for candle in candles),
        candles[-1].close,
        sum(candle.volume for candle in candles),
    )


@functools.cache
def load_daily() -> dict[str, tuple[Candle, ...]]:
    """Daily candles by symbol, oldest first; immutable, so every world may share them."""
    packed = resources.files(__package__).joinpath("data/binance_spot_1d.csv.gz").read_bytes()
    series: dict[str, list[Candle]] = {}
    for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode())):
        fields = (amounts.units(row[name]) for name in Candle._fields)
        series.setdefault(row["symbol"], []).append(Candle(*fields))
    return {symbol: tuple(candles) for symbol, candles in series.items()}
