"""Signed endpoints of /spot/trade and /spot/account/assets: balances, fills and orders of classic accounts."""

from collections.abc import Iterator
from typing import Final, TypeVar

from exchanges.simulators.bitget import errors, names, wire
from exchanges.simulators.bitget.context import Answer, Context, Rows, SignedEndpoint
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.facts import Order
from exchanges.simulators.symbols import Symbol, assets

_DAYS: Final = 90
_MOST_PLANS: Final = 100
T = TypeVar("T")


def balances(context: Context, parameters: Parameters) -> Answer:
    """`hold_only` by default: what is not zero."""
    account, wanted = context.account, parameters.text("coin").upper()
    every = parameters.text("assetType") == "all"
    held = [name for name in assets(names.EXCHANGE) if every or account.free[name] or account.locked[name]]
    return Rows([wire.encode(wire.asset(account, name)) for name in held if wanted in ("", name)])


def fills(context: Context, parameters: Parameters) -> Answer:
    """Newest first, of one symbol or of all."""
    symbol, order_id = parameters.symbol(), parameters.text("orderId")
    span, limit, below = parameters.span(context.now_ms, days=_DAYS), parameters.limit(), parameters.below()
    account = context.account
    rows = [
        row
        for row in _of(account.fills, symbol)
        if row.executed_at in span
        and names.fill_id(row) < below
        and order_id in ("", str(names.order_id(wire.order_of(row, account))))
    ]
    rows.sort(key=names.fill_id, reverse=True)
    return Rows([wire.fill(row, account) for row in rows[:limit]])


def history(context: Context, parameters: Parameters) -> Answer:
    """Ended orders by the time they were placed, newest first, of one symbol or of all."""
    symbol = parameters.symbol()
    span, limit, below = parameters.span(context.now_ms, days=_DAYS), parameters.limit(), parameters.below()
    rows = [
        row
        for row in _of(context.account.orders, symbol)
        if not row.is_open
        and names.is_placed(row)
        and names.order_id(row) < below
        and placed_at(context, row) in span
    ]
    rows.sort(key=names.order_id, reverse=True)
    return Rows([_encoded(context, row) for row in rows[:limit]])


def unfilled(context: Context, parameters: Parameters) -> Answer:
    symbol, limit, below = parameters.symbol(), parameters.limit(), parameters.below()
    rows = [
        row
        for row in context.account.open_orders.values()
        if names.is_placed(row)
        and names.order_id(row) < below
        and (symbol is None or row.symbol == symbol.name)
    ]
    rows.sort(key=names.order_id, reverse=True)
    told = [wire.open_order(row, placed_at(context, row), context.account.uid) for row in rows[:limit]]
    return Rows([wire.encode(row) for row in told])


def order(context: Context, parameters: Parameters) -> Answer:
    """By Bitget's id or the client's; an array with one, or none."""
    asked, by_client = parameters.text("orderId"), parameters.text("clientOid")
    if not asked and not by_client:
        raise errors.missing_parameter("orderId")
    for row in _of(context.account.orders, None):
        if not names.is_placed(row):
            continue
        if asked == str(names.order_id(row)) or (by_client and by_client == row.client_order_id):
            return Rows([_encoded(context, row)])
    return Rows([])


def plans(context: Context, parameters: Parameters) -> Answer:
    """Trigger orders that wait, of one symbol or of all."""
    rows = [row for row in _of(context.account.orders, parameters.symbol()) if _waits(row)]
    return _plans(rows, parameters)


def plan_history(context: Context, parameters: Parameters) -> Answer:
    """Trigger orders that ended."""
    parameters.required("startTime"), parameters.required("endTime")
    span = parameters.span(context.now_ms, days=_DAYS)
    rows = [
        row
        for row in _of(context.account.orders, parameters.symbol())
        if names.is_plan(row) and not _waits(row) and row.placed_at in span
    ]
    return _plans(rows, parameters)


def refused(context: Context, parameters: Parameters) -> Answer:
    """Keys of simulated accounts may read only."""
    raise errors.no_permission()


def placed_at(context: Context, row: Order) -> int:
    """A trigger places its order when it fires: as its first fill comes."""
    if not names.is_plan(row):
        return row.placed_at
    fills = context.account.fills.get(row.symbol, ())
    return min((fill.executed_at for fill in fills if fill.order_id == row.order_id), default=row.placed_at)


def _waits(row: Order) -> bool:
    return names.is_plan(row) and wire.plan_status(row) == "not_trigger"


def _plans(rows: list[Order], parameters: Parameters) -> Answer:
    limit, below = parameters.limit(usual=20, most=_MOST_PLANS), parameters.below()
    found = sorted((row for row in rows if names.plan_id(row) < below), key=names.plan_id, reverse=True)
    page = found[:limit]
    more = (
        ("nextFlag", len(found) > limit),
        ("idLessThan", str(names.plan_id(page[-1])) if page else ""),
    )
    return Rows([wire.encode(wire.plan(row)) for row in page], "orderList", more)


def _encoded(context: Context, row: Order) -> bytes:
    return wire.encode(wire.order(row, placed_at(context, row), context.account.uid))


def _of(rows: dict[str, list[T]], symbol: Symbol | None) -> Iterator[T]:
    if symbol is not None:
        yield from rows.get(symbol.name, ())
        return
    for each in rows.values():
        yield from each


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v2/spot/account/assets"): balances,
    ("GET", "/api/v2/spot/trade/fills"): fills,
    ("GET", "/api/v2/spot/trade/history-orders"): history,
    ("GET", "/api/v2/spot/trade/unfilled-orders"): unfilled,
    ("GET", "/api/v2/spot/trade/orderInfo"): order,
    ("GET", "/api/v2/spot/trade/current-plan-order"): plans,
    ("GET", "/api/v2/spot/trade/history-plan-order"): plan_history,
}
