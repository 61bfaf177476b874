"""Public endpoints of /futures: contracts, prices, candles and funding rates, for each settle asset."""

from collections.abc import Callable
from typing import Final

from exchanges.simulators.clock import SECOND_MS
from exchanges.simulators.contracts import FUNDING_MS, ContractMarket, Listing, Terms
from exchanges.simulators.gateio import contract_wire as wire
from exchanges.simulators.gateio import errors
from exchanges.simulators.gateio.context import Answer, PublicContext, PublicEndpoint
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.gateio.public import INTERVALS, candle_range
from exchanges.simulators.gateio.wire import encode, short
from exchanges.simulators.klines import candle

_MOST_RATES: Final = 1000
Endpoint = Callable[[str, PublicContext, Parameters], Answer]


def contracts(settle: str, context: PublicContext, parameters: Parameters) -> Answer:
    return [encode(_contract(context, row)) for row in _listings(settle, context).values()]


def contract(settle: str, context: PublicContext, parameters: Parameters) -> Answer:
    return encode(_contract(context, _find(settle, context, parameters.required("contract"))))


def tickers(settle: str, context: PublicContext, parameters: Parameters) -> Answer:
    asked, market = parameters.text("contract"), _market(context)
    found = [_find(settle, context, asked)] if asked else list(_listings(settle, context).values())
    return [
        encode(
            wire.ticker(
                row,
                last=market.price(row, context.now_ms),
                mark=market.mark(row, context.now_ms),
                rate=market.funding_rate(row, _next_funding(context))[0],
            )
        )
        for row in found
    ]


def candlesticks(settle: str, context: PublicContext, parameters: Parameters) -> Answer:
    """As of spot, as objects; of the mark price too (`mark_BTC_USDT`)."""
    row = _find(settle, context, parameters.required("contract").removeprefix("mark_"))
    interval = parameters.text("interval") or "5m"
    if interval not in INTERVALS:
        raise errors.invalid_value("interval", interval)
    length = INTERVALS[interval]
    first, last = candle_range(parameters, length, context.now_ms)
    market, now_ms = context.world.market, context.now_ms
    first = max(first, -(-market.first_day_ms // length) * length)
    told = [
        (at, candle(market, row.symbol, at, length, now_ms))
        for at in range(first, min(last, now_ms) + 1, length)
    ]
    return [
        encode(
            {
                "t": at // SECOND_MS,
                "o": short(each.open),
                "h": short(each.high),
                "l": short(each.low),
                "c": short(each.close),
                "v": each.volume // row.size,
                "sum": "0",
            }
        )
        for at, each in told
    ]


def funding_rate(settle: str, context: PublicContext, parameters: Parameters) -> Answer:
    """Past rates, newest first."""
    row, market = _find(settle, context, parameters.required("contract")), _market(context)
    limit = parameters.integer("limit", default=100, least=1, most=_MOST_RATES)
    newest = _next_funding(context) - FUNDING_MS
    moments = range(newest, max(newest - limit * FUNDING_MS, context.world.market.first_day_ms), -FUNDING_MS)
    return [encode({"t": at // SECOND_MS, "r": short(market.funding_rate(row, at)[0])}) for at in moments]


def _contract(context: PublicContext, row: Listing) -> wire.Json:
    market, now_ms = _market(context), context.now_ms
    rate, _ = market.funding_rate(row, _next_funding(context))
    last, mark = market.price(row, now_ms), market.mark(row, now_ms)
    return wire.contract(row, _terms(context), last=last, mark=mark, rate=rate, now_ms=now_ms)


def _listings(settle: str, context: PublicContext) -> dict[str, Listing]:
    return dict(wire.listings(_terms(context), settle))


def _find(settle: str, context: PublicContext, name: str) -> Listing:
    found = _listings(settle, context)
    if name not in found:
        raise errors.contract_not_found(name)
    return found[name]


def _terms(context: PublicContext) -> Terms:
    terms = context.world.house.contracts
    if terms is None:
        raise errors.ApiError("NOT_FOUND", "Requested path is not found", status=404)
    return terms


def _market(context: PublicContext) -> ContractMarket:
    return ContractMarket(context.world.market)


def _next_funding(context: PublicContext) -> int:
    return (context.now_ms // FUNDING_MS + 1) * FUNDING_MS


def _public(endpoint: Endpoint, settle: str) -> PublicEndpoint:
    def answer(context: PublicContext, parameters: Parameters) -> Answer:
        return endpoint(settle, context, parameters)

    return answer


_PATHS: Final[dict[str, Endpoint]] = {
    "contracts": contracts,
    "contracts/{contract}": contract,
    "tickers": tickers,
    "candlesticks": candlesticks,
    "funding_rate": funding_rate,
}
ENDPOINTS: Final[dict[tuple[str, str], PublicEndpoint]] = {
    ("GET", f"/api/v4/futures/{settle}/{path}"): _public(endpoint, settle)
    for settle in wire.SETTLES
    for path, endpoint in _PATHS.items()
}
