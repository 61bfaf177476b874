"""Candles of any length over a simulated market."""

from exchanges.simulators import amounts, candles
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import DAY_MS, HOUR_MS
from exchanges.simulators.market import Market
from exchanges.simulators.symbols import Symbol

_SAMPLES = 4  # prices looked at in a candle shorter than an hour


def candle(market: Market, symbol: Symbol, at: int, length: int, now_ms: int) -> Candle:
    """The candle opened at a moment; one that is still running goes only as far as now."""
    if at + length <= now_ms:
        if length == DAY_MS:
            return market.day(symbol, market.day_index(at))
        if length >= HOUR_MS:
            return candles.merge([market.hour(symbol, hour) for hour in range(at, at + length, HOUR_MS)])
        return _short(market, symbol, at, at + length)
    hours = [market.hour(symbol, hour) for hour in range(at, now_ms - now_ms % HOUR_MS, HOUR_MS)]
    running = _short(market, symbol, max(at, now_ms - now_ms % HOUR_MS), now_ms)
    return candles.merge([*hours, running])


def last_day(market: Market, symbol: Symbol, now_ms: int) -> Candle:
    """The last 24 hours: whole hours before this one, and this one so far."""
    last = market.price(symbol, now_ms)
    past = [market.hour(symbol, now_ms - hours * HOUR_MS) for hours in range(24, 0, -1)]
    return candles.merge([*past, Candle(last, last, last, last, 0)])


def quote_volume(row: Candle) -> int:
    """Volume at the middle of the candle."""
    return amounts.product((row.high + row.low) // 2, row.volume)


def _short(market: Market, symbol: Symbol, start: int, end: int) -> Candle:
    """A part of an hour, from a few prices within it; its volume is the hour's in proportion."""
    span = end - start
    moments = [start + span * sample // _SAMPLES for sample in range(_SAMPLES)]
    prices = [market.price(symbol, moment) for moment in (*moments, max(end - 1, start))]
    volume = market.hour(symbol, start).volume * span // HOUR_MS
    return Candle(prices[0], max(prices), min(prices), prices[-1], volume)
