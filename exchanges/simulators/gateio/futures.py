"""Signed endpoints of /futures: wallets, positions, orders, fills and the ledger, for each settle asset."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from exchanges.simulators.clock import DAY_MS, SECOND_MS
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ConditionalOrder, ContractFill, ContractOrder
from exchanges.simulators.gateio import contract_book, errors
from exchanges.simulators.gateio import contract_wire as wire
from exchanges.simulators.gateio.context import Answer, Context, SignedEndpoint
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.gateio.private import refused
from exchanges.simulators.gateio.wire import encode

_MOST_ROWS: Final = 1000
_MOST_POSITIONS: Final = 100
_HALF_A_YEAR_MS: Final = 180 * DAY_MS  # so far back reach the lists that are not asked by time
T = TypeVar("T", ContractFill, ContractOrder, ConditionalOrder)
Endpoint = Callable[[MarginAccount, str, Context, Parameters], Answer]


def accounts(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    return encode(wire.account(margin, settle, context.now_ms))


def positions(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    rows = [row for row in margin.held() if row.listing.settle == wire.SETTLES[settle]]
    chosen = parameters.offset(most=_MOST_POSITIONS) if parameters.text("limit") else slice(None)
    return [encode(wire.position(margin, row, context.now_ms)) for row in rows[chosen]]


def orders(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    """Open ones, or those of the last half year that ended; newest first."""
    status = _status(parameters)
    since = context.now_ms - _HALF_A_YEAR_MS
    rows = [
        row
        for row in _of(margin, settle, margin.orders, parameters)
        if row.is_open == (status == "open") and (row.is_open or row.placed_at >= since)
    ]
    return _orders(margin, rows, parameters)


def orders_timerange(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    """Those that ended, by the time they were placed; newest first."""
    span = parameters.span(context.now_ms)
    found = _of(margin, settle, margin.orders, parameters)
    return _orders(margin, [row for row in found if not row.is_open and row.placed_at in span], parameters)


def order(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    asked = parameters.required("order_id")
    for row in _of(margin, settle, margin.orders, parameters):
        if str(row.order_id) == asked:
            return encode(wire.order(margin, row))
    raise errors.order_not_found()


def my_trades(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    since, asked = context.now_ms - _HALF_A_YEAR_MS, parameters.text("order")
    rows = [
        row
        for row in _of(margin, settle, margin.fills, parameters)
        if row.executed_at >= since and asked in ("", str(row.order_id))
    ]
    return _fills(margin, rows, parameters, id_field="id")


def my_trades_timerange(
    margin: MarginAccount, settle: str, context: Context, parameters: Parameters
) -> Answer:
    span = parameters.span(context.now_ms)
    rows = [row for row in _of(margin, settle, margin.fills, parameters) if row.executed_at in span]
    return _fills(margin, rows, parameters, id_field="trade_id")


def account_book(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    """The ledger, newest first; of late Gate.io is said to refuse what is older than `ledger_days`."""
    span, kind = parameters.span(context.now_ms), parameters.text("type")
    if span.start < context.now_ms - context.ledger_days * DAY_MS:
        raise errors.invalid_range("from is too early")
    contract = parameters.text("contract")
    rows = [
        row
        for row in contract_book.rows(margin, settle)
        if int(row["time"]) * SECOND_MS in span
        and kind in ("", row["type"])
        and contract in ("", row["contract"])
    ]
    return [encode(row) for row in rows[parameters.offset(most=_MOST_ROWS)]]


def price_orders(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    """Price-triggered orders, waiting or not, newest first."""
    status = _status(parameters)
    found = _of(margin, settle, margin.conditional_orders, parameters)
    rows = sorted((row for row in found if row.is_open == (status == "open")), key=_placed, reverse=True)
    return [encode(wire.trigger(margin, row)) for row in rows[parameters.offset(most=_MOST_ROWS)]]


def price_order(margin: MarginAccount, settle: str, context: Context, parameters: Parameters) -> Answer:
    asked = parameters.required("order_id")
    for row in _of(margin, settle, margin.conditional_orders, parameters):
        if str(row.order_id) == asked:
            return encode(wire.trigger(margin, row))
    raise errors.trigger_not_found()


def _of(margin: MarginAccount, settle: str, rows: dict[str, list[T]], parameters: Parameters) -> Iterator[T]:
    """Of a wallet's contracts, or of the one asked for."""
    listings, asked = wire.listings(margin.terms, settle), parameters.text("contract")
    if asked and asked not in listings:
        raise errors.contract_not_found(asked)
    for name, listing in listings.items():
        if asked in ("", name):
            yield from rows.get(listing.name, ())


def _orders(margin: MarginAccount, rows: Iterable[ContractOrder], parameters: Parameters) -> Answer:
    chosen = parameters.offset(most=_MOST_ROWS)
    return [encode(wire.order(margin, row)) for row in sorted(rows, key=_placed, reverse=True)[chosen]]


def _fills(
    margin: MarginAccount, rows: list[ContractFill], parameters: Parameters, *, id_field: str
) -> Answer:
    rows.sort(key=lambda row: (row.executed_at, row.fill_id), reverse=True)
    chosen = rows[parameters.offset(most=_MOST_ROWS)]
    return [encode(wire.fill(margin, row, id_field=id_field)) for row in chosen]


def _placed(row: ContractOrder | ConditionalOrder) -> tuple[int, int]:
    return row.placed_at, row.order_id


def _status(parameters: Parameters) -> str:
    status = parameters.required("status")
    if status not in ("open", "finished"):
        raise errors.invalid_value("status", status)
    return status


def _signed(endpoint: Endpoint, settle: str) -> SignedEndpoint:
    """The endpoint of one wallet, for those who have it and whose key may see it."""

    def answer(context: Context, parameters: Parameters) -> Answer:
        margin = context.account.margin
        if not context.sees_contracts:
            raise errors.no_permission("futures")
        if margin is None or wire.SETTLES[settle] not in margin.wallet:
            raise errors.no_futures_account()
        return endpoint(margin, settle, context, parameters)

    return answer


_PATHS: Final[dict[str, Endpoint]] = {
    "accounts": accounts,
    "positions": positions,
    "orders": orders,
    "orders_timerange": orders_timerange,
    "orders/{order_id}": order,
    "my_trades": my_trades,
    "my_trades_timerange": my_trades_timerange,
    "account_book": account_book,
    "price_orders": price_orders,
    "price_orders/{order_id}": price_order,
}
ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", f"/api/v4/futures/{settle}/{path}"): _signed(endpoint, settle)
    for settle in wire.SETTLES
    for path, endpoint in _PATHS.items()
} | {
    ("POST", f"/api/v4/futures/{settle}/{path}"): refused
    for settle in wire.SETTLES
    for path in ("orders", "price_orders")
}
