"""Public endpoints of /fapi: time, contracts, mark prices, funding rates, candles."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.simulators.amounts import text
from exchanges.simulators.binance import errors, futures_wire
from exchanges.simulators.binance.context import PublicContext, PublicEndpoint
from exchanges.simulators.binance.limits import Pool
from exchanges.simulators.binance.parameters import LISTINGS, Parameters, find_contract
from exchanges.simulators.binance.public import INTERVALS, ping, server_time
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.contracts import FUNDING_MS, ContractMarket, Listing
from exchanges.simulators.klines import candle, last_day, quote_volume

_PAGES = ((99, 1), (499, 2), (1_000, 5))  # (rows asked at most, weight of candles)


def exchange_info(context: PublicContext, parameters: Parameters) -> Answer:
    onboard = context.world.market.first_day_ms
    return encode(
        {
            "exchangeFilters": [],
            "rateLimits": futures_wire.rate_limits(context.limits.fapi),
            "serverTime": context.server_ms,
            "assets": [
                {"asset": name, "marginAvailable": True, "autoAssetExchange": "-10000"}
                for name in ("USDT", "USDC", "BNB")
            ],
            "symbols": [futures_wire.symbol(row, onboard) for row in LISTINGS.values()],
            "timezone": "UTC",
        }
    )


def premium_index(context: PublicContext, parameters: Parameters) -> Answer:
    market = ContractMarket(context.world.market)
    return _one_or_many(parameters, lambda row: futures_wire.premium(market, row, context.now_ms))


def ticker_price(context: PublicContext, parameters: Parameters) -> Answer:
    market = ContractMarket(context.world.market)

    def price(row: Listing) -> dict[str, Any]:
        last = futures_wire.short(market.price(row, context.now_ms))
        return {"symbol": row.name, "price": last, "time": context.now_ms}

    return _one_or_many(parameters, price)


def ticker_day(context: PublicContext, parameters: Parameters) -> Answer:
    market, now_ms = context.world.market, context.now_ms

    def statistics(row: Listing) -> dict[str, Any]:
        whole, last = last_day(market, row.symbol, now_ms), market.price(row.symbol, now_ms)
        return {
            "symbol": row.name,
            "priceChange": text(last - whole.open),
            "priceChangePercent": f"{Decimal((last - whole.open) * 100) / whole.open:.3f}",
            "weightedAvgPrice": text((whole.high + whole.low) // 2),
            "lastPrice": text(last),
            "lastQty": futures_wire.short(row.step),
            "openPrice": text(whole.open),
            "highPrice": text(whole.high),
            "lowPrice": text(whole.low),
            "volume": text(whole.volume),
            "quoteVolume": text(quote_volume(whole)),
            "openTime": now_ms - DAY_MS,
            "closeTime": now_ms,
            "firstId": 1,
            "lastId": 1_000,
            "count": 1_000,
        }

    return _one_or_many(parameters, statistics)


def klines(context: PublicContext, parameters: Parameters) -> Answer:
    """As those of spot markets; at most 1,500 in an answer."""
    row = _named(parameters)
    interval = parameters.text("interval")
    if not interval:
        raise errors.missing_parameter("interval")
    if interval not in INTERVALS:
        raise errors.bad_interval()
    length, limit = INTERVALS[interval], parameters.limit(default=500, most=1_500)
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    market, now_ms = context.world.market, context.now_ms
    last = min(now_ms if end is None else end, now_ms) // length * length
    first = last - (limit - 1) * length if start is None else -(-start // length) * length
    first = max(first, -(-market.first_day_ms // length) * length)
    found = [
        (at, candle(market, row.symbol, at, length, now_ms)) for at in range(first, last + 1, length)[:limit]
    ]
    return [futures_wire.kline(at, length, each, quote_volume(each)) for at, each in found]


def funding_rate(context: PublicContext, parameters: Parameters) -> Answer:
    row = _named(parameters)
    limit = parameters.limit(default=100, most=1_000)
    start, end = parameters.integer("startTime"), parameters.integer("endTime", default=context.now_ms)
    market = ContractMarket(context.world.market)
    last = min(end or 0, context.now_ms) // FUNDING_MS * FUNDING_MS
    first = last - (limit - 1) * FUNDING_MS if start is None else -(-start // FUNDING_MS) * FUNDING_MS
    first = max(first, -(-market.market.first_day_ms // FUNDING_MS) * FUNDING_MS)
    rows = []
    for at in range(first, last + 1, FUNDING_MS)[:limit]:
        rate, late = market.funding_rate(row, at)
        told = {"symbol": row.name, "fundingTime": at + late, "fundingRate": text(rate)}
        rows.append(encode(told | {"markPrice": text(market.mark(row, at))}))
    return rows


def funding_info(context: PublicContext, parameters: Parameters) -> Answer:
    return [
        encode(
            {
                "symbol": name,
                "adjustedFundingRateCap": "0.02000000",
                "adjustedFundingRateFloor": "-0.02000000",
                "fundingIntervalHours": 8,
                "disclaimer": False,
            }
        )
        for name in LISTINGS
    ]


def _named(parameters: Parameters) -> Listing:
    name = parameters.text("symbol")
    if not name:
        raise errors.missing_parameter("symbol")
    return find_contract(name)


def _one_or_many(parameters: Parameters, row: Callable[[Listing], Mapping[str, Any]]) -> Answer:
    if parameters.text("symbol"):
        return encode(row(_named(parameters)))
    return [encode(row(listing)) for listing in LISTINGS.values()]


def _klines_weight(parameters: Parameters) -> int:
    asked = int(parameters.values.get("limit") or 500)
    return next((weight for most, weight in _PAGES if asked <= most), 10)


def _public(
    answer: Callable[[PublicContext, Parameters], Answer], alone: int, all_symbols: int | None = None
) -> PublicEndpoint:
    def weight(parameters: Parameters) -> int:
        return alone if all_symbols is None or parameters.values.get("symbol") else all_symbols

    return PublicEndpoint(answer, weight, Pool.FAPI)


ENDPOINTS: Mapping[str, PublicEndpoint] = {
    "/fapi/v1/ping": _public(ping, 1),
    "/fapi/v1/time": _public(server_time, 1),
    "/fapi/v1/exchangeInfo": _public(exchange_info, 1),
    "/fapi/v1/premiumIndex": _public(premium_index, 1, 10),
    "/fapi/v1/ticker/price": _public(ticker_price, 1, 2),
    "/fapi/v2/ticker/price": _public(ticker_price, 1, 2),
    "/fapi/v1/ticker/24hr": _public(ticker_day, 1, 40),
    "/fapi/v1/klines": PublicEndpoint(klines, _klines_weight, Pool.FAPI),
    "/fapi/v1/fundingRate": _public(funding_rate, 1),
    "/fapi/v1/fundingInfo": _public(funding_info, 1),
}
