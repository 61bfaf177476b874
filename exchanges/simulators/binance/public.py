"""Public endpoints: time, markets, prices, candles."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from exchanges.simulators.amounts import text
from exchanges.simulators.binance import errors, wire
from exchanges.simulators.binance.context import PublicContext, PublicEndpoint
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exchanges.simulators.klines import candle, last_day, quote_volume
from exchanges.simulators.symbols import Symbol, listed

_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30}
_HOURS = {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "8h": 8, "12h": 12}
INTERVALS = (
    {name: count * MINUTE_MS for name, count in _MINUTES.items()}
    | {name: count * HOUR_MS for name, count in _HOURS.items()}
    | {"1d": DAY_MS}
)


def ping(context: PublicContext, parameters: Parameters) -> Answer:
    return b"{}"


def server_time(context: PublicContext, parameters: Parameters) -> Answer:
    return encode({"serverTime": context.server_ms})


def exchange_info(context: PublicContext, parameters: Parameters) -> Answer:
    chosen = parameters.symbols()
    for name in ("permissions", "showPermissionSets", "symbolStatus"):
        parameters.text(name)  # every market is SPOT and TRADING
    return encode(
        {
            "timezone": "UTC",
            "serverTime": context.server_ms,
            "rateLimits": wire.rate_limits(context.limits.api),
            "exchangeFilters": [],
            "symbols": [wire.symbol(symbol) for symbol in chosen or listed("binance").values()],
        }
    )


def ticker_price(context: PublicContext, parameters: Parameters) -> Answer:
    def price(symbol: Symbol) -> dict[str, str]:
        return {
            "symbol": symbol.name,
            "price": text(context.world.market.price(symbol, context.now_ms)),
        }

    return _one_or_many(parameters, price)


def ticker_day(context: PublicContext, parameters: Parameters) -> Answer:
    """The last 24 hours: whole hours before this one, and this one so far."""
    market, now_ms = context.world.market, context.now_ms

    def statistics(symbol: Symbol) -> dict[str, object]:
        last = market.price(symbol, now_ms)
        whole = last_day(market, symbol, now_ms)
        change = last - whole.open
        percent = Decimal(change * 100) / whole.open
        return {
            "symbol": symbol.name,
            "priceChange": text(change),
            "priceChangePercent": f"{percent:.3f}",
            "weightedAvgPrice": text((whole.high + whole.low) // 2),
            "prevClosePrice": text(whole.open),
            "lastPrice": text(last),
            "lastQty": text(symbol.step),
            "bidPrice": text(last - symbol.tick),
            "bidQty": text(symbol.step * 10),
            "askPrice": text(last + symbol.tick),
            "askQty": text(symbol.step * 10),
            "openPrice": text(whole.open),
            "highPrice": text(whole.high),
            "lowPrice": text(whole.low),
            "volume": text(whole.volume),
            "quoteVolume": text(quote_volume(whole)),
            "openTime": now_ms - DAY_MS,
            "closeTime": now_ms,
            "firstId": 1,
            "lastId": wire.trade_count(whole),
            "count": wire.trade_count(whole),
        }

    parameters.text("type")
    return _one_or_many(parameters, statistics)


def klines(context: PublicContext, parameters: Parameters) -> Answer:
    """Candles opened in [startTime, endTime], the last `limit` of them where no start is given."""
    symbol = parameters.symbol()
    interval = parameters.text("interval")
    if not interval:
        raise errors.missing_parameter("interval")
    if interval not in INTERVALS:
        raise errors.bad_interval()
    length = INTERVALS[interval]
    limit = parameters.limit(default=500, most=1_000)
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    market, now_ms = context.world.market, context.now_ms
    last = min(now_ms if end is None else end, now_ms) // length * length
    earliest = -(-market.first_day_ms // length) * length
    first = last - (limit - 1) * length if start is None else -(-start // length) * length
    first = max(first, earliest)
    opened = range(first, last + 1, length)[:limit]
    return [wire.kline(at, length, candle(market, symbol, at, length, now_ms)) for at in opened]


def _one_or_many(parameters: Parameters, row: Callable[[Symbol], Mapping[str, object]]) -> Answer:
    single = "symbol" in parameters.values
    chosen = parameters.symbols()
    if single and chosen:
        return encode(row(chosen[0]))
    return [encode(row(symbol)) for symbol in chosen or listed("binance").values()]


def _ticker_price_weight(parameters: Parameters) -> int:
    return 2 if "symbol" in parameters.values else 4


def _ticker_day_weight(parameters: Parameters) -> int:
    if "symbol" in parameters.values:
        return 2
    return 2 if len(parameters.symbols() or range(100)) <= 20 else 80


ENDPOINTS = {
    "/api/v3/ping": PublicEndpoint(ping, lambda _: 1),
    "/api/v3/time": PublicEndpoint(server_time, lambda _: 1),
    "/api/v3/exchangeInfo": PublicEndpoint(exchange_info, lambda _: 20),
    "/api/v3/ticker/price": PublicEndpoint(ticker_price, _ticker_price_weight),
    "/api/v3/ticker/24hr": PublicEndpoint(ticker_day, _ticker_day_weight),
    "/api/v3/klines": PublicEndpoint(klines, lambda _: 2),
}
