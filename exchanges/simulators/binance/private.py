"""Signed endpoints of /api/v3: account, fills and orders."""

import bisect
from collections.abc import Sequence
from operator import attrgetter

from exchanges.simulators.binance import errors, wire
from exchanges.simulators.binance.context import Context, SignedEndpoint
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Fill, Order
from exchanges.simulators.symbols import assets

_ARCHIVED_AFTER_MS = 90 * DAY_MS


def account(context: Context, parameters: Parameters) -> Answer:
    omit_zero = parameters.flag("omitZeroBalances")
    return encode(wire.account(context.account, omit_zero=omit_zero, assets=assets("binance")))


def my_trades(context: Context, parameters: Parameters) -> Answer:
    """Ascending by id. Only the documented combinations of parameters; a window of times is at most 24
    hours."""
    rows: Sequence[Fill] = context.account.fills.get(parameters.symbol().name, [])
    limit = parameters.limit(default=500, most=1_000)
    from_id, order_id = parameters.integer("fromId"), parameters.integer("orderId")
    start, end = _window(parameters)
    if (start is not None or end is not None) and (from_id is not None or order_id is not None):
        raise errors.bad_combination()
    if order_id is not None:
        rows = [row for row in rows if row.order_id == order_id]
    if from_id is not None:
        position = bisect.bisect_left(rows, from_id, key=attrgetter("fill_id"))
        return [wire.fill(row) for row in rows[position : position + limit]]
    if start is not None or end is not None:
        least, most = start or 0, context.now_ms if end is None else end
        rows = [row for row in rows if least <= row.executed_at <= most]
    rows = rows[:limit] if start is not None else rows[-limit:]
    return [wire.fill(row) for row in rows]


def all_orders(context: Context, parameters: Parameters) -> Answer:
    """All states, ascending by id; from `orderId` on, or in a window of placing times, or the latest."""
    rows: Sequence[Order] = context.account.orders.get(parameters.symbol().name, [])
    limit = parameters.limit(default=500, most=1_000)
    order_id = parameters.integer("orderId")
    start, end = _window(parameters)
    if start is not None or end is not None:
        least, most = start or 0, context.now_ms if end is None else end
        rows = [row for row in rows if least <= row.placed_at <= most]
    if order_id is not None:
        rows = rows[bisect.bisect_left(rows, order_id, key=attrgetter("order_id")) :]
    rows = rows[:limit] if order_id is not None or start is not None else rows[-limit:]
    return [wire.order(row) for row in rows]


def open_orders(context: Context, parameters: Parameters) -> Answer:
    wanted = parameters.symbol().name if "symbol" in parameters.values else ""
    rows = sorted(context.account.open_orders.values(), key=attrgetter("symbol", "order_id"))
    return [wire.order(row) for row in rows if wanted in ("", row.symbol)]


def order(context: Context, parameters: Parameters) -> Answer:
    """By id or client id; one cancelled or expired without a fill more than 90 days ago is archived."""
    symbol = parameters.symbol()
    order_id, client_id = parameters.integer("orderId"), parameters.text("origClientOrderId")
    if order_id is None and not client_id:
        raise errors.missing_either("origClientOrderId", "orderId")
    for row in reversed(context.account.orders.get(symbol.name, [])):
        if row.order_id == order_id or (order_id is None and row.client_order_id == client_id):
            idle = not row.is_open and not row.executed
            if idle and row.updated_at < context.now_ms - _ARCHIVED_AFTER_MS:
                raise errors.archived_order()
            return wire.order(row)
    raise errors.no_such_order()


def forbidden(context: Context, parameters: Parameters) -> Answer:
    """Keys of simulated accounts may read only."""
    raise errors.key_refused()


def _window(parameters: Parameters) -> tuple[int | None, int | None]:
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    if start is not None and end is not None and end - start > DAY_MS:
        raise errors.more_than_24_hours()
    return start, end


def _my_trades_weight(parameters: Parameters) -> int:
    return 5 if "orderId" in parameters.values else 20


def _open_orders_weight(parameters: Parameters) -> int:
    return 6 if "symbol" in parameters.values else 80


ENDPOINTS = {
    ("GET", "/api/v3/account"): SignedEndpoint(account, lambda _: 20),
    ("GET", "/api/v3/myTrades"): SignedEndpoint(my_trades, _my_trades_weight),
    ("GET", "/api/v3/allOrders"): SignedEndpoint(all_orders, lambda _: 20),
    ("GET", "/api/v3/openOrders"): SignedEndpoint(open_orders, _open_orders_weight),
    ("GET", "/api/v3/order"): SignedEndpoint(order, lambda _: 4),
    ("POST", "/api/v3/order"): SignedEndpoint(forbidden, lambda _: 1),
    ("DELETE", "/api/v3/order"): SignedEndpoint(forbidden, lambda _: 1),
    ("DELETE", "/api/v3/openOrders"): SignedEndpoint(forbidden, lambda _: 1),
}
