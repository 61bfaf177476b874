"""Public endpoints: time, markets, prices, candles."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exchanges.simulators.klines import candle, last_day, quote_volume
from exchanges.simulators.mexc import errors, wire
from exchanges.simulators.mexc.context import PublicContext, PublicEndpoint
from exchanges.simulators.mexc.parameters import EXCHANGE, Parameters
from exchanges.simulators.symbols import Symbol, listed

INTERVALS = {name: int(name[:-1]) * MINUTE_MS for name in ("1m", "5m", "15m", "30m", "60m")} | {
    "4h": 4 * HOUR_MS,
    "1d": DAY_MS,
}
_CANDLES = 500


def ping(context: PublicContext, parameters: Parameters) -> Answer:
    return b"{}"


def server_time(context: PublicContext, parameters: Parameters) -> Answer:
    return encode({"serverTime": context.server_ms})


def default_symbols(context: PublicContext, parameters: Parameters) -> Answer:
    return encode({"code": 200, "data": list(listed(EXCHANGE)), "msg": None})


def exchange_info(context: PublicContext, parameters: Parameters) -> Answer:
    chosen = parameters.symbols("symbol") or parameters.symbols("symbols") or listed(EXCHANGE).values()
    house = context.world.house
    maker, taker = str(Decimal(house.maker_fee) / 100_000), str(Decimal(house.taker_fee) / 100_000)
    return encode(
        {
            "timezone": "CST",
            "serverTime": context.server_ms,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [wire.symbol(symbol, maker=maker, taker=taker) for symbol in chosen],
        }
    )


def ticker_price(context: PublicContext, parameters: Parameters) -> Answer:
    def price(symbol: Symbol) -> dict[str, str]:
        last = context.world.market.price(symbol, context.now_ms)
        return {"symbol": symbol.name, "price": wire.short(last)}

    return _one_or_all(parameters, price)


def ticker_day(context: PublicContext, parameters: Parameters) -> Answer:
    """The last 24 hours; the change is a share, not percents."""
    market, now_ms = context.world.market, context.now_ms

    def statistics(symbol: Symbol) -> dict[str, object]:
        last, whole = market.price(symbol, now_ms), last_day(market, symbol, now_ms)
        return {
            "symbol": symbol.name,
            "priceChange": wire.short(last - whole.open),
            "priceChangePercent": f"{Decimal(last - whole.open) / whole.open:.8f}",
            "prevClosePrice": wire.short(whole.open),
            "lastPrice": wire.short(last),
            "bidPrice": wire.short(last - symbol.tick),
            "bidQty": wire.short(symbol.step * 10),
            "askPrice": wire.short(last + symbol.tick),
            "askQty": wire.short(symbol.step * 10),
            "openPrice": wire.short(whole.open),
            "highPrice": wire.short(whole.high),
            "lowPrice": wire.short(whole.low),
            "volume": wire.short(whole.volume),
            "quoteVolume": wire.short(quote_volume(whole)),
            "openTime": now_ms - DAY_MS,
            "closeTime": now_ms,
            "count": None,
        }

    return _one_or_all(parameters, statistics)


def klines(context: PublicContext, parameters: Parameters) -> Answer:
    """Candles opened in [startTime, endTime]; the last ones where that is too many."""
    symbol, interval = parameters.symbol(), parameters.text("interval")
    if interval not in INTERVALS:
        raise errors.bad_interval() if interval else errors.missing_parameter("interval")
    length, limit = INTERVALS[interval], parameters.limit(default=_CANDLES, most=_CANDLES)
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    market, now_ms = context.world.market, context.now_ms
    last = min(now_ms if end is None else end, now_ms) // length * length
    earliest = max(market.first_day_ms, start or 0)
    opened = range(-(-earliest // length) * length, last + 1, length)[-limit:]
    return [wire.kline(at, length, candle(market, symbol, at, length, now_ms)) for at in opened]


def no_futures(context: PublicContext, parameters: Parameters) -> Answer:
    """Clients that list all markets ask for contracts as well."""
    return encode({"success": True, "code": 0, "data": []})


def _one_or_all(parameters: Parameters, row: Callable[[Symbol], Mapping[str, object]]) -> Answer:
    chosen = parameters.symbols("symbol")
    if len(chosen) == 1:
        return encode(row(chosen[0]))
    return [encode(row(symbol)) for symbol in chosen or listed(EXCHANGE).values()]


def _price_weight(parameters: Parameters) -> int:
    return 1 if parameters.text("symbol") else 2


def _day_weight(parameters: Parameters) -> int:
    return 1 if parameters.text("symbol") else 40


ENDPOINTS = {
    "/api/v3/ping": PublicEndpoint(ping, lambda _: 1),
    "/api/v3/time": PublicEndpoint(server_time, lambda _: 1),
    "/api/v3/defaultSymbols": PublicEndpoint(default_symbols, lambda _: 1),
    "/api/v3/exchangeInfo": PublicEndpoint(exchange_info, lambda _: 10),
    "/api/v3/ticker/price": PublicEndpoint(ticker_price, _price_weight),
    "/api/v3/ticker/24hr": PublicEndpoint(ticker_day, _day_weight),
    "/api/v3/klines": PublicEndpoint(klines, lambda _: 1),
    "/api/v1/contract/detail": PublicEndpoint(no_futures, lambda _: 1),
}
