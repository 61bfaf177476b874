"""Signed endpoints of account, fills and orders. Lists come newest first and have no pages."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Fill, Order
from exchanges.simulators.mexc import errors, wire
from exchanges.simulators.mexc.context import Context, SignedEndpoint
from exchanges.simulators.mexc.parameters import EXCHANGE, Parameters
from exchanges.simulators.symbols import assets

FILLS_KEPT_MS = 30 * DAY_MS
ORDERS_KEPT_MS = 7 * DAY_MS
_SYMBOLS_AT_ONCE = 5
Row = TypeVar("Row")


def account(context: Context, parameters: Parameters) -> Answer:
    return encode(wire.account(context.account, assets(EXCHANGE)))


def uid(context: Context, parameters: Parameters) -> Answer:
    return encode({"uid": str(context.account.uid)})


def api_key_info(context: Context, parameters: Parameters) -> Answer:
    asked = parameters.text("accessKey")
    if not asked:
        raise errors.missing_parameter("accessKey")
    if asked != context.account.api_key:
        raise errors.no_such_key()
    return encode(wire.api_key(context.account, context.world.market.first_day_ms))


def trade_fee(context: Context, parameters: Parameters) -> Answer:
    parameters.symbol()
    house = context.account.house
    data = {"makerCommission": house.maker_fee / 100_000, "takerCommission": house.taker_fee / 100_000}
    return encode(wire.envelope(data, context.server_ms))


def mx_deduct(context: Context, parameters: Parameters) -> Answer:
    return encode(wire.envelope({"mxDeductEnable": context.account.pays_in_coin}, context.server_ms))


def my_trades(context: Context, parameters: Parameters) -> Answer:
    """At most 100, and nothing older than 30 days, whatever is asked."""
    symbol = parameters.symbol()
    order_id, limit = parameters.text("orderId"), parameters.limit(default=100, most=100)
    start, end = _window(parameters, context)
    start = max(start or 0, context.now_ms - FILLS_KEPT_MS)
    rows: Iterable[Fill] = context.account.fills.get(symbol.name, [])
    if order_id:
        rows = [row for row in rows if wire.order_id(context.account, row) == order_id]
    chosen = [row for row in rows if start <= row.executed_at <= end]
    chosen.sort(key=attrgetter("executed_at", "fill_id"), reverse=True)
    return [wire.fill(context.account, row) for row in chosen[:limit]]


def all_orders(context: Context, parameters: Parameters) -> Answer:
    """All states, by the time of placing: the last 24 hours unless asked otherwise, at most seven days back."""
    symbol, limit = parameters.symbol(), parameters.limit(default=500, most=1_000)
    start, end = _window(parameters, context)
    if start is not None and end - start > ORDERS_KEPT_MS:
        raise errors.bad_combination()
    start = end - DAY_MS if start is None else start
    start = max(start, context.now_ms - ORDERS_KEPT_MS)
    rows = [row for row in context.account.orders.get(symbol.name, []) if start <= row.placed_at <= end]
    rows.sort(key=attrgetter("placed_at", "order_id"), reverse=True)
    return [wire.order(context.account, row) for row in rows[:limit]]


def open_orders(context: Context, parameters: Parameters) -> Answer:
    """Of up to five symbols, or of all."""
    wanted = {symbol.name for symbol in parameters.symbols("symbol")}
    if len(wanted) > _SYMBOLS_AT_ONCE:
        raise errors.bad_combination()
    rows: list[Order] = sorted(
        context.account.open_orders.values(), key=attrgetter("placed_at"), reverse=True
    )
    return [wire.order(context.account, row) for row in rows if not wanted or row.symbol in wanted]


def order(context: Context, parameters: Parameters) -> Answer:
    """By id or client id."""
    symbol = parameters.symbol()
    order_id, client_id = parameters.text("orderId"), parameters.text("origClientOrderId")
    if not order_id and not client_id:
        raise errors.missing_either("origClientOrderId", "orderId")
    for row in reversed(context.account.orders.get(symbol.name, [])):
        if order_id == wire.order_id(context.account, row) or (
            not order_id and client_id == wire.client_order_id(row)
        ):
            return wire.order(context.account, row)
    raise errors.no_such_order()


def forbidden(context: Context, parameters: Parameters) -> Answer:
    """Keys of simulated accounts may read only."""
    raise errors.forbidden()


def _window(parameters: Parameters, context: Context) -> tuple[int | None, int]:
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    return start, context.now_ms if end is None else end


ENDPOINTS = {
    ("GET", "/api/v3/account"): SignedEndpoint(account, 10),
    ("GET", "/api/v3/uid"): SignedEndpoint(uid, 1),
    ("GET", "/api/v3/apiKeyInfo"): SignedEndpoint(api_key_info, 1),
    ("GET", "/api/v3/tradeFee"): SignedEndpoint(trade_fee, 20),
    ("GET", "/api/v3/mxDeduct/enable"): SignedEndpoint(mx_deduct, 1),
    ("GET", "/api/v3/myTrades"): SignedEndpoint(my_trades, 10),
    ("GET", "/api/v3/allOrders"): SignedEndpoint(all_orders, 10),
    ("GET", "/api/v3/openOrders"): SignedEndpoint(open_orders, 3),
    ("GET", "/api/v3/order"): SignedEndpoint(order, 2),
    ("POST", "/api/v3/order"): SignedEndpoint(forbidden, 1),
    ("DELETE", "/api/v3/order"): SignedEndpoint(forbidden, 1),
    ("DELETE", "/api/v3/openOrders"): SignedEndpoint(forbidden, 1),
}
