"""Signed endpoints of /spot: balances, fills and orders."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from exchanges.simulators.facts import Fill, Order
from exchanges.simulators.gateio import errors, ledger, names, wire
from exchanges.simulators.gateio.context import Answer, Context, SignedEndpoint
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.symbols import Symbol, assets

_MOST_ROWS: Final = 1000
_MOST_OPEN: Final = 100
T = TypeVar("T")


def accounts(context: Context, parameters: Parameters) -> Answer:
    wanted = parameters.text("currency")
    rows = wire.accounts(context.account, assets(names.EXCHANGE))
    return [wire.encode(row) for row in rows if wanted in ("", row["currency"])]


def my_trades(context: Context, parameters: Parameters) -> Answer:
    """Newest first, of one pair or of all."""
    symbol = parameters.pair()
    order_id = parameters.text("order_id")
    if order_id and symbol is None:
        raise errors.missing_parameter("currency_pair")
    span, chosen = parameters.span(context.now_ms), parameters.page(most=_MOST_ROWS)
    rows = [
        row
        for row in _of(context.account.fills, symbol)
        if row.executed_at in span and order_id in ("", str(names.order_id(row.symbol, row.order_id)))
    ]
    rows.sort(key=lambda row: (row.executed_at, row.symbol, row.fill_id), reverse=True)
    coin = context.account.house.coin
    return [wire.fill(row, coin) for row in rows[chosen]]


def orders(context: Context, parameters: Parameters) -> Answer:
    """Open ones of a pair, or those that ended in a span, of one pair or of all; newest first."""
    status = parameters.required("status")
    if status == "open":
        return _open_of_a_pair(context, parameters)
    if status != "finished":
        raise errors.invalid_value("status", status)
    symbol, side = parameters.pair(), parameters.text("side")
    span, chosen = parameters.span(context.now_ms), parameters.page(most=_MOST_ROWS)
    rows = [
        row
        for row in _of(context.account.orders, symbol)
        if not row.is_open
        and names.is_placed(row)
        and row.updated_at in span
        and side in ("", row.side.lower())
    ]
    rows.sort(key=lambda row: (row.updated_at, row.symbol, row.order_id), reverse=True)
    return _encoded(context, rows[chosen])


def open_orders(context: Context, parameters: Parameters) -> Answer:
    """By pair; a page holds up to `limit` orders of every pair."""
    chosen = parameters.page(most=_MOST_OPEN)
    groups: dict[str, list[Order]] = defaultdict(list)
    for row in _open(context):
        groups[row.symbol].append(row)
    return [
        wire.encode(
            {
                "currency_pair": names.pair(symbol),
                "total": len(rows),
                "orders": [wire.order(row, _fills(context, row)) for row in rows[chosen]],
            }
        )
        for symbol, rows in sorted(groups.items())
    ]


def order(context: Context, parameters: Parameters) -> Answer:
    """By id; by the client's own text only as long as it is open."""
    symbol, asked = parameters.pair(), parameters.required("order_id")
    for row in _of(context.account.orders, symbol):
        if not names.is_placed(row):
            continue
        if asked == str(names.order_id(row.symbol, row.order_id)) or (
            row.is_open and asked == names.text(row) and asked.startswith("t-")
        ):
            return wire.encode(wire.order(row, _fills(context, row)))
    raise errors.order_not_found()


def price_orders(context: Context, parameters: Parameters) -> Answer:
    """Price-triggered orders, waiting or not, newest first."""
    status, market = parameters.required("status"), parameters.text("market")
    if status not in ("open", "finished"):
        raise errors.invalid_value("status", status)
    chosen = parameters.offset(most=_MOST_ROWS)
    rows = [
        row
        for row in _of(context.account.orders, names.find(market) if market else None)
        if names.is_trigger(row) and (wire.trigger_status(row) == "open") == (status == "open")
    ]
    rows.sort(key=lambda row: (row.placed_at, row.symbol, row.order_id), reverse=True)
    return [wire.encode(wire.trigger(row, context.account.uid)) for row in rows[chosen]]


def price_order(context: Context, parameters: Parameters) -> Answer:
    asked = parameters.required("order_id")
    for row in _of(context.account.orders, None):
        if names.is_trigger(row) and asked == str(names.trigger_id(row)):
            return wire.encode(wire.trigger(row, context.account.uid))
    raise errors.trigger_not_found()


def account_book(context: Context, parameters: Parameters) -> Answer:
    """The wallet's ledger, newest first; a code asked for counts more than a type."""
    span, chosen = parameters.span(context.now_ms), parameters.page(most=_MOST_OPEN)
    currency, kind, code = (parameters.text(name) for name in ("currency", "type", "code"))
    found = [
        entry
        for entry in ledger.entries(context.account, span)
        if currency in ("", entry.row.asset)
        and (code == str(entry.row.kind[1]) if code else kind in ("", entry.row.kind[0]))
    ]
    return [wire.encode(entry.told()) for entry in found[chosen]]


def refused(context: Context, parameters: Parameters) -> Answer:
    """Keys of simulated accounts may read only."""
    raise errors.read_only()


def _open_of_a_pair(context: Context, parameters: Parameters) -> Answer:
    parameters.required("currency_pair")
    symbol, chosen = parameters.pair(), parameters.page(most=_MOST_OPEN)
    rows = [row for row in _open(context) if symbol is not None and row.symbol == symbol.name]
    return _encoded(context, rows[chosen])


def _open(context: Context) -> list[Order]:
    """Open orders of the book, newest first."""
    rows = [row for row in context.account.open_orders.values() if names.is_placed(row)]
    return sorted(rows, key=lambda row: (row.placed_at, row.symbol, row.order_id), reverse=True)


def _encoded(context: Context, rows: Iterable[Order]) -> list[bytes]:
    rows = list(rows)
    wanted = {(row.symbol, row.order_id) for row in rows}
    fills: dict[tuple[str, int], list[Fill]] = defaultdict(list)
    for symbol in {symbol for symbol, _ in wanted}:
        for fill in context.account.fills.get(symbol, ()):
            if (symbol, fill.order_id) in wanted:
                fills[symbol, fill.order_id].append(fill)
    return [wire.encode(wire.order(row, fills[row.symbol, row.order_id])) for row in rows]


def _fills(context: Context, row: Order) -> list[Fill]:
    return [fill for fill in context.account.fills.get(row.symbol, ()) if fill.order_id == row.order_id]


def _of(rows: dict[str, list[T]], symbol: Symbol | None) -> Iterator[T]:
    if symbol is not None:
        yield from rows.get(symbol.name, ())
        return
    for each in rows.values():
        yield from each


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v4/spot/accounts"): accounts,
    ("GET", "/api/v4/spot/account_book"): account_book,
    ("GET", "/api/v4/spot/my_trades"): my_trades,
    ("GET", "/api/v4/spot/orders"): orders,
    ("GET", "/api/v4/spot/open_orders"): open_orders,
    ("GET", "/api/v4/spot/orders/{order_id}"): order,
    ("GET", "/api/v4/spot/price_orders"): price_orders,
    ("GET", "/api/v4/spot/price_orders/{order_id}"): price_order,
    ("POST", "/api/v4/spot/orders"): refused,
    ("DELETE", "/api/v4/spot/orders"): refused,
    ("DELETE", "/api/v4/spot/orders/{order_id}"): refused,
    ("POST", "/api/v4/spot/price_orders"): refused,
}
