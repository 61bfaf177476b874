"""Public endpoints of contracts: what is listed, prices, funding rates."""

from collections.abc import Callable
from typing import Final

from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from exchanges.simulators.contracts import FUNDING_MS, ContractMarket, Listing, Terms
from exchanges.simulators.klines import candle
from exchanges.simulators.mexc import contract_errors as errors
from exchanges.simulators.mexc import contract_wire as wire
from exchanges.simulators.mexc.contract_wire import Json
from exchanges.simulators.mexc.parameters import Parameters
from exchanges.simulators.world import World

INTERVALS: Final = {f"Min{count}": count * MINUTE_MS for count in (1, 5, 15, 30, 60)} | {
    "Hour4": 4 * HOUR_MS,
    "Day1": DAY_MS,
}
_MOST_CANDLES: Final = 2_000
_PRICES: Final = ("open", "high", "low", "close")
Answer = Json | int | list[Json]
Endpoint = Callable[[World, int, Parameters], Answer]


def ping(world: World, now_ms: int, parameters: Parameters) -> Answer:
    return now_ms


def detail(world: World, now_ms: int, parameters: Parameters) -> Answer:
    """Of one contract an object, of all a list."""
    terms = terms_of(world)
    if parameters.text("symbol"):
        return wire.contract(_find(world, parameters), terms)
    return [wire.contract(row, terms) for row in terms.listings.values()]


def ticker(world: World, now_ms: int, parameters: Parameters) -> Answer:
    if parameters.text("symbol"):
        return _ticker(world, now_ms, _find(world, parameters))
    return [_ticker(world, now_ms, row) for row in terms_of(world).listings.values()]


def fair_price(world: World, now_ms: int, parameters: Parameters) -> Answer:
    row = _find(world, parameters)
    price = ContractMarket(world.market).mark(row, now_ms)
    return {"symbol": wire.name(row), "fairPrice": wire.number(price), "timestamp": now_ms}


def index_price(world: World, now_ms: int, parameters: Parameters) -> Answer:
    row = _find(world, parameters)
    price = ContractMarket(world.market).price(row, now_ms)
    return {"symbol": wire.name(row), "indexPrice": wire.number(price), "timestamp": now_ms}


def funding_rate(world: World, now_ms: int, parameters: Parameters) -> Answer:
    row, at = _find(world, parameters), (now_ms // FUNDING_MS + 1) * FUNDING_MS
    rate, _ = ContractMarket(world.market).funding_rate(row, at)
    return {
        "symbol": wire.name(row),
        "fundingRate": wire.number(rate),
        "maxFundingRate": 0.003,
        "minFundingRate": -0.003,
        "collectCycle": 8,
        "nextSettleTime": at,
        "timestamp": now_ms,
    }


def kline(world: World, now_ms: int, parameters: Parameters) -> Answer:
    """Candles opened in [start, end], in seconds, as columns; the last ones where that is too many."""
    row, interval = _find(world, parameters), parameters.text("interval") or "Min1"
    if interval not in INTERVALS:
        raise errors.bad_parameter("interval")
    length, market = INTERVALS[interval], world.market
    start, end = parameters.integer("start"), parameters.integer("end")
    last = min(now_ms if end is None else end * SECOND_MS, now_ms) // length * length
    earliest = max(market.first_day_ms, (start or 0) * SECOND_MS)
    opened = range(-(-earliest // length) * length, last + 1, length)[-_MOST_CANDLES:]
    found = [candle(market, row.symbol, at, length, now_ms) for at in opened]
    prices = {name: [wire.number(getattr(each, name)) for each in found] for name in _PRICES}
    volumes = [each.volume // row.size for each in found]
    return {
        "time": [at // SECOND_MS for at in opened],
        **prices,
        "vol": volumes,
        "amount": [0 for _ in found],
    }


def terms_of(world: World) -> Terms:
    terms = world.house.contracts
    if terms is None:
        raise errors.no_contract()
    return terms


def _ticker(world: World, now_ms: int, row: Listing) -> Json:
    market = ContractMarket(world.market)
    last = market.price(row, now_ms)
    return {
        "symbol": wire.name(row),
        "lastPrice": wire.number(last),
        "bid1": wire.number(last - row.tick),
        "ask1": wire.number(last + row.tick),
        "indexPrice": wire.number(last),
        "fairPrice": wire.number(market.mark(row, now_ms)),
        "volume24": 0,
        "amount24": 0,
        "timestamp": now_ms,
    }


def _find(world: World, parameters: Parameters) -> Listing:
    listed = wire.listings(terms_of(world))
    name = parameters.text("symbol")
    if name not in listed:
        raise errors.no_contract()
    return listed[name]


PREFIX: Final = "/api/v1/contract/"
ENDPOINTS: Final[dict[str, Endpoint]] = {
    "ping": ping,
    "detail": detail,
    "ticker": ticker,
    "fair_price/{symbol}": fair_price,
    "index_price/{symbol}": index_price,
    "funding_rate/{symbol}": funding_rate,
    "kline/{symbol}": kline,
}
