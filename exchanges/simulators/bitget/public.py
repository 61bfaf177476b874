"""Public endpoints: time, markets, prices, candles."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from exchanges.simulators.bitget import errors, names, wire
from exchanges.simulators.bitget.context import Answer, PublicContext, PublicEndpoint, Rows
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.candles import Candle, merge
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exchanges.simulators.klines import candle, last_day, quote_volume
from exchanges.simulators.symbols import Symbol, assets, listed

# Names, lengths, and for how many days the newest candles are told; `1day` begins at 16:00 UTC.
Granularities = Mapping[str, tuple[int, int]]
GRANULARITIES: Final[Granularities] = (
    {f"{count}min": (count * MINUTE_MS, 30) for count in (1, 5, 15, 30)}
    | {f"{count}h": (count * HOUR_MS, 83) for count in (1, 4)}
    | {"1Dutc": (DAY_MS, 360), "1day": (DAY_MS, 360)}
)
_SHANGHAI_MS: Final = 16 * HOUR_MS
_MOST_CANDLES: Final = 1_000
_MOST_OLD_CANDLES: Final = 200


def server_time(context: PublicContext, parameters: Parameters) -> Answer:
    return wire.encode({"serverTime": str(context.server_ms)})


def symbols(context: PublicContext, parameters: Parameters) -> Answer:
    fee = context.world.house.taker_fee
    return Rows([wire.encode(wire.symbol(row, fee)) for row in _chosen(parameters)])


def coins(context: PublicContext, parameters: Parameters) -> Answer:
    return Rows([wire.encode(_coin(asset)) for asset in assets(names.EXCHANGE)])


def nothing(context: PublicContext, parameters: Parameters) -> Answer:
    """No pair may be traded on margin."""
    return Rows([])


def tickers(context: PublicContext, parameters: Parameters) -> Answer:
    return Rows([wire.encode(_ticker(context, row)) for row in _chosen(parameters)])


def candles(context: PublicContext, parameters: Parameters) -> Answer:
    return newest(context, names.find(parameters.required("symbol")), parameters, GRANULARITIES)


def old_candles(context: PublicContext, parameters: Parameters) -> Answer:
    return older(context, names.find(parameters.required("symbol")), parameters, GRANULARITIES)


def newest(
    context: PublicContext, symbol: Symbol, parameters: Parameters, granularities: Granularities
) -> Answer:
    """The newest opened in [startTime, endTime), oldest first."""
    length, days, offset = _frame(parameters, granularities)
    limit = parameters.integer("limit", default=100, least=1, most=_MOST_CANDLES)
    end = parameters.integer("endTime", default=context.now_ms + 1)
    start = parameters.integer("startTime", default=end - limit * length)
    oldest = context.now_ms - days * DAY_MS
    return _candles(context, symbol, (length, offset), max(start, oldest), end, limit)


def older(
    context: PublicContext, symbol: Symbol, parameters: Parameters, granularities: Granularities
) -> Answer:
    """Those before `endTime`, oldest first."""
    length, _, offset = _frame(parameters, granularities)
    limit = parameters.integer("limit", default=100, least=1, most=_MOST_OLD_CANDLES)
    parameters.required("endTime")
    end = parameters.integer("endTime", default=0)
    return _candles(context, symbol, (length, offset), end - (limit + 1) * length, end, limit)


def _frame(parameters: Parameters, granularities: Granularities) -> tuple[int, int, int]:
    """Length, days told, and when the first candle of a day opens."""
    name = parameters.required("granularity")
    if name not in granularities:
        raise errors.invalid_value("granularity")
    return *granularities[name], _SHANGHAI_MS if name in ("1day", "1D") else 0


def _candles(
    context: PublicContext, symbol: Symbol, frame: tuple[int, int], start: int, end: int, limit: int
) -> Answer:
    length, offset = frame
    market, now_ms = context.world.market, context.now_ms
    first = -(-(max(start, market.first_day_ms + offset) - offset) // length) * length + offset
    opened = range(first, min(end, now_ms + 1), length)[-limit:]
    if offset:  # days that begin elsewhere are made of hours
        return Rows([wire.candle(at, _odd_day(context, symbol, at)) for at in opened])
    return Rows([wire.candle(at, candle(market, symbol, at, length, now_ms)) for at in opened])


def _odd_day(context: PublicContext, symbol: Symbol, at: int) -> Candle:
    hours = range(at, min(at + DAY_MS, context.now_ms), HOUR_MS)
    return merge([context.world.market.hour(symbol, hour) for hour in hours])


def _chosen(parameters: Parameters) -> list[Symbol]:
    symbol = parameters.symbol()
    return [symbol] if symbol else list(listed(names.EXCHANGE).values())


def _ticker(context: PublicContext, symbol: Symbol) -> dict[str, Any]:
    """The last 24 hours: whole hours before this one, and this one so far."""
    market, now_ms = context.world.market, context.now_ms
    last = market.price(symbol, now_ms)
    whole = last_day(market, symbol, now_ms)
    change = f"{Decimal(last - whole.open) / whole.open:.5f}"
    return {
        "symbol": symbol.name,
        "high24h": wire.short(whole.high),
        "open": wire.short(whole.open),
        "low24h": wire.short(whole.low),
        "lastPr": wire.short(last),
        "quoteVolume": wire.short(quote_volume(whole)),
        "baseVolume": wire.short(whole.volume),
        "usdtVolume": wire.short(quote_volume(whole)),
        "bidPr": wire.short(last - symbol.tick),
        "askPr": wire.short(last + symbol.tick),
        "bidSz": wire.short(symbol.step),
        "askSz": wire.short(symbol.step),
        "openUtc": wire.short(market.day(symbol, market.day_index(now_ms)).open),
        "ts": str(now_ms),
        "changeUtc24h": change,
        "change24h": change,
    }


def _coin(asset: str) -> dict[str, Any]:
    return {"coinId": asset, "coin": asset, "transfer": "true", "chains": []}


ENDPOINTS: Final[dict[tuple[str, str], PublicEndpoint]] = {
    ("GET", "/api/v2/public/time"): server_time,
    ("GET", "/api/v2/spot/public/symbols"): symbols,
    ("GET", "/api/v2/spot/public/coins"): coins,
    ("GET", "/api/v2/margin/currencies"): nothing,
    ("GET", "/api/v2/spot/market/tickers"): tickers,
    ("GET", "/api/v2/spot/market/candles"): candles,
    ("GET", "/api/v2/spot/market/history-candles"): old_candles,
}
