"""Public endpoints: time, markets, prices, candles."""

from decimal import Decimal
from typing import Any, Final

from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from exchanges.simulators.gateio import errors, names, wire
from exchanges.simulators.gateio.context import Answer, PublicContext, PublicEndpoint
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.klines import candle, last_day, quote_volume
from exchanges.simulators.symbols import Symbol, assets

INTERVALS: Final = (
    {f"{count}m": count * MINUTE_MS for count in (1, 5, 15, 30)}
    | {f"{count}h": count * HOUR_MS for count in (1, 4, 8)}
    | {"1d": DAY_MS}
)
_MOST_CANDLES: Final = 1_000
_KEPT_CANDLES: Final = 10_000
_USUAL_CANDLES: Final = 100


def server_time(context: PublicContext, parameters: Parameters) -> Answer:
    return wire.encode({"server_time": context.server_ms})


def currency_pairs(context: PublicContext, parameters: Parameters) -> Answer:
    fee = context.world.house.taker_fee
    return [wire.encode(wire.pair(name, row, fee)) for name, row in names.pairs().items()]


def currency_pair(context: PublicContext, parameters: Parameters) -> Answer:
    name = parameters.required("currency_pair")
    return wire.encode(wire.pair(name, names.find(name), context.world.house.taker_fee))


def currencies(context: PublicContext, parameters: Parameters) -> Answer:
    return [wire.encode(_currency(asset)) for asset in assets(names.EXCHANGE)]


def nothing(context: PublicContext, parameters: Parameters) -> Answer:
    """No pair may be traded on margin."""
    return []


def tickers(context: PublicContext, parameters: Parameters) -> Answer:
    wanted = parameters.text("currency_pair")
    chosen = {wanted: names.find(wanted)} if wanted else names.pairs()
    return [wire.encode(_ticker(context, name, symbol)) for name, symbol in chosen.items()]


def candlesticks(context: PublicContext, parameters: Parameters) -> Answer:
    """Candles opened in [from, to], oldest first: at most 1,000, and none older than 10,000 points."""
    symbol = names.find(parameters.required("currency_pair"))
    interval = parameters.text("interval") or "30m"
    if interval not in INTERVALS:
        raise errors.invalid_value("interval", interval)
    length = INTERVALS[interval]
    first, last = candle_range(parameters, length, context.now_ms)
    market, now_ms = context.world.market, context.now_ms
    first = max(first, -(-market.first_day_ms // length) * length)
    return [
        wire.candlestick(at, candle(market, symbol, at, length, now_ms), is_closed=at + length <= now_ms)
        for at in range(first, min(last, now_ms) + 1, length)
    ]


def candle_range(parameters: Parameters, length: int, now_ms: int) -> tuple[int, int]:
    """Where the first candle opens, and the moment the last one opens at the latest."""
    limit = parameters.integer("limit", default=0, least=1, most=_MOST_CANDLES)
    start, end = parameters.text("from"), parameters.text("to")
    if limit and start and end:
        raise errors.invalid_range("limit conflicts with from and to")
    last = parameters.integer("to", default=now_ms // SECOND_MS) * SECOND_MS
    count = limit or _USUAL_CANDLES
    if start:
        first = -(-parameters.integer("from", default=0) * SECOND_MS // length) * length
        last = first + (count - 1) * length if limit else last
    else:
        first = (last // length - count + 1) * length
    if last - first >= _MOST_CANDLES * length:
        raise errors.invalid_range(
            "Candlestick range too broad. Maximum 1000 data points are allowed per request"
        )
    if start and first < now_ms - _KEPT_CANDLES * length:
        raise errors.invalid_range("Candlestick too long ago. Maximum 10000 points ago are allowed")
    return first, last


def _ticker(context: PublicContext, name: str, symbol: Symbol) -> dict[str, Any]:
    """The last 24 hours: whole hours before this one, and this one so far."""
    market, now_ms = context.world.market, context.now_ms
    last = market.price(symbol, now_ms)
    whole = last_day(market, symbol, now_ms)
    return {
        "currency_pair": name,
        "last": wire.short(last),
        "lowest_ask": wire.short(last + symbol.tick),
        "highest_bid": wire.short(last - symbol.tick),
        "change_percentage": f"{Decimal((last - whole.open) * 100) / whole.open:.2f}",
        "base_volume": wire.short(whole.volume),
        "quote_volume": wire.short(quote_volume(whole)),
        "high_24h": wire.short(whole.high),
        "low_24h": wire.short(whole.low),
    }


def _currency(asset: str) -> dict[str, Any]:
    return {
        "currency": asset,
        "name": asset,
        "delisted": False,
        "withdraw_disabled": False,
        "withdraw_delayed": False,
        "deposit_disabled": False,
        "trade_disabled": False,
        "chain": asset,
        "chains": [],
    }


ENDPOINTS: Final[dict[tuple[str, str], PublicEndpoint]] = {
    ("GET", "/api/v4/spot/time"): server_time,
    ("GET", "/api/v4/spot/currency_pairs"): currency_pairs,
    ("GET", "/api/v4/spot/currency_pairs/{currency_pair}"): currency_pair,
    ("GET", "/api/v4/spot/currencies"): currencies,
    ("GET", "/api/v4/margin/currency_pairs"): nothing,
    ("GET", "/api/v4/spot/tickers"): tickers,
    ("GET", "/api/v4/spot/candlesticks"): candlesticks,
}
