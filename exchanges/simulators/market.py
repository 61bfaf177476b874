"""Prices of the simulated exchange at any moment, a pure function of the seed and of the world's first day.

The real daily series is moved in time by whole days. Past its last day it runs backwards, then forwards
again, so that prices stay continuous for as long as the world runs. Hours are drawn from the seed within
each day's candle; within an hour the price goes from open to close in small steps.
"""

import functools
import itertools
import random
import zlib

from exchanges.simulators import amounts, candles
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import DAY_MS, HOUR_MS
from exchanges.simulators.symbols import SYMBOLS, Symbol

HOURS = 24
_STEP_MS = 2_000  # the price moves every two seconds
_CACHED_DAYS = 600


class Market:
    """`first_day_ms` is 00:00 UTC of the day on which the first candle of the slice falls."""

    def __init__(self, *, seed: int, first_day_ms: int) -> None:
        self.seed = seed
        self.first_day_ms = first_day_ms
        self.hours = functools.lru_cache(maxsize=_CACHED_DAYS)(self._hours)

    def day_index(self, at_ms: int) -> int:
        return (at_ms - self.first_day_ms) // DAY_MS

    def day(self, symbol: Symbol, index: int) -> Candle:
        """The whole candle of a day counted from the first."""
        if symbol.quote != "USDT" or symbol.base == "USDC":
            return candles.merge(list(self.hours(symbol, index)))
        return _real_day(symbol.series, index)

    def hour(self, symbol: Symbol, at_ms: int) -> Candle:
        """The whole candle of the hour a moment lies in, also the part that has not happened yet."""
        day, within = divmod(at_ms - self.first_day_ms, DAY_MS)
        return self.hours(symbol, day)[within // HOUR_MS]

    def price(self, symbol: Symbol, at_ms: int) -> int:
        """The last price at a moment, on the symbol's tick and inside its hour's candle."""
        candle = self.hour(symbol, at_ms)
        within = at_ms % HOUR_MS
        base = candle.open + (candle.close - candle.open) * within // HOUR_MS
        noise = zlib.crc32(f"{self.seed}:{symbol.name}:{at_ms // _STEP_MS}".encode()) % 2001 - 1000
        moved = base + base * noise // 2_500_000  # ± 4 basis points
        return max(amounts.floor_to(min(moved, candle.high), symbol.tick), candle.low)

    def usdt_price(self, asset: str, at_ms: int) -> int:
        """What one `asset` is worth in USDT."""
        if asset == "USDT":
            return amounts.ONE
        return self.price(SYMBOLS[asset + "USDT"], at_ms)

    def _hours(self, symbol: Symbol, index: int) -> tuple[Candle, ...]:
        rng = random.Random(f"{self.seed}:{symbol.name}:{index}")  # noqa: S311
        if symbol.name == "USDCUSDT":
            return _peg_hours(rng, self.seed, index)
        if symbol.quote == "USDT":
            return _split_day(rng, _real_day(symbol.series, index), symbol.tick)
        over = self.hours(SYMBOLS[symbol.base + "USDT"], index)
        under = self.hours(SYMBOLS[symbol.quote + "USDT"], index)
        return tuple(_quotient(symbol, *pair) for pair in zip(over, under, strict=True))


def _real_day(name: str, index: int) -> Candle:
    """The real candle of a day; beyond the end of the slice the series is walked back and forth."""
    series = candles.load_daily()[name]
    turn, position = divmod(index, len(series))
    return series[-1 - position].mirrored() if turn % 2 else series[position]


def _split_day(rng: random.Random, day: Candle, tick: int) -> tuple[Candle, ...]:
    """24 hours that start at the day's open, touch its high and low once, and end at its close."""
    high_at, low_at = rng.sample(range(HOURS), 2)
    noises, wicks, shares = rng.randbytes(HOURS + 1), rng.randbytes(HOURS), rng.randbytes(HOURS)
    points = _path(day, high_at, low_at, noises, tick)
    volumes = [day.volume * (share + 100) // (sum(shares) + 100 * HOURS) for share in shares]
    volumes[0] += day.volume - sum(volumes)
    hours = []
    for hour, volume in enumerate(volumes):
        start, end = points[hour], points[hour + 1]
        wick = amounts.floor_to((day.high - day.low) * wicks[hour] // 4_000, tick)
        high = day.high if hour == high_at else min(max(start, end) + wick, day.high)
        low = day.low if hour == low_at else max(min(start, end) - wick, day.low)
        hours.append(Candle(start, high, low, end, volume))
    return tuple(hours)


def _path(day: Candle, high_at: int, low_at: int, noises: bytes, tick: int) -> list[int]:
    """Prices at the 25 full hours: straight lines from open over high and low to close, with some noise."""
    anchors = [(2 * high_at + 1, day.high), (2 * low_at + 1, day.low)]
    anchors = [(0, day.open), *sorted(anchors), (2 * HOURS, day.close)]
    points = []
    leg = 0
    for half_hour in range(0, 2 * HOURS + 1, 2):
        while anchors[leg + 1][0] < half_hour:
            leg += 1
        (left, left_price), (right, right_price) = anchors[leg], anchors[leg + 1]
        base = left_price + (right_price - left_price) * (half_hour - left) // (right - left)
        price = base + (day.high - day.low) * (noises[half_hour // 2] - 128) // 2_500
        points.append(amounts.floor_to(min(max(price, day.low), day.high), tick))
    points[0], points[-1] = day.open, day.close
    return points


def _peg_hours(rng: random.Random, seed: int, index: int) -> tuple[Candle, ...]:
    """USDC in USDT: within three ticks of one; an hour opens where the last one closed."""
    tick = SYMBOLS["USDCUSDT"].tick
    closes = [_peg(seed, index * HOURS + hour) for hour in range(HOURS + 1)]
    return tuple(
        Candle(
            start,
            max(start, end) + tick,
            min(start, end) - tick,
            end,
            rng.randrange(50_000, 90_000) * amounts.ONE,
        )
        for start, end in itertools.pairwise(closes)
    )


def _peg(seed: int, hour: int) -> int:
    return amounts.ONE + (zlib.crc32(f"{seed}:peg:{hour}".encode()) % 5 - 2) * SYMBOLS["USDCUSDT"].tick


def _quotient(symbol: Symbol, over: Candle, under: Candle) -> Candle:
    start = amounts.floor_to(amounts.quotient(over.open, under.open), symbol.tick)
    end = amounts.floor_to(amounts.quotient(over.close, under.close), symbol.tick)
    wick = amounts.floor_to(max(start, end) // 1_000, symbol.tick)
    return Candle(start, max(start, end) + wick, min(start, end) - wick, end, over.volume // 20)
