"""Endpoints of /mix: the futures wallets, positions, orders, fills and bills of classic accounts, by product."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from exchanges.simulators.bitget import errors, ledger, mix_wire, names, public, wire
from exchanges.simulators.bitget.context import (
    Answer,
    Context,
    PublicContext,
    PublicEndpoint,
    Rows,
    SignedEndpoint,
)
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ConditionalOrder, ContractOrder
from exchanges.simulators.contracts import ContractMarket, Listing, Terms

# What they settle in; in coins, and for practice, nothing is traded here.
PRODUCTS: Final = {
    "USDT-FUTURES": "USDT",
    "USDC-FUTURES": "USDC",
    **dict.fromkeys(("COIN-FUTURES", "SUSDT-FUTURES", "SUSDC-FUTURES", "SCOIN-FUTURES"), ""),
}
# Their names are not those of spot.
_GRANULARITIES: Final = {
    name.replace("min", "m").replace("h", "H").replace("1day", "1D"): frame
    for name, frame in public.GRANULARITIES.items()
}
_PLAN_TYPES: Final = ("normal_plan", "track_plan", "profit_loss")
_WEEK: Final = 7
_BILL_DAYS: Final = 30
_ORDER_DAYS: Final = 90
T = TypeVar("T")


def accounts(context: Context, parameters: Parameters) -> Answer:
    coin = _coin(parameters)
    return Rows([wire.encode(mix_wire.account(context.account.margin, coin, context.now_ms))] if coin else [])


def account(context: Context, parameters: Parameters) -> Answer:
    coin = _coin(parameters)
    parameters.required("symbol"), parameters.required("marginCoin")
    return wire.encode(mix_wire.account(context.account.margin, coin, context.now_ms))


def positions(context: Context, parameters: Parameters) -> Answer:
    coin, margin = _coin(parameters), context.account.margin
    wanted = parameters.text("symbol").upper()
    held = margin.held() if margin else []
    rows = [
        mix_wire.position(row, margin, context.now_ms)
        for row in held
        if margin and row.listing.settle == coin and wanted in ("", names.contract(row.listing.name))
    ]
    return Rows([wire.encode(row) for row in rows])


def fills(context: Context, parameters: Parameters) -> Answer:
    """Newest first, at most a week at once."""
    coin, margin = _coin(parameters), context.account.margin
    span, limit, below = parameters.span(context.now_ms, days=_WEEK), parameters.limit(), parameters.below()
    wanted, order_id = parameters.text("symbol").upper(), parameters.text("orderId")
    rows = [
        row
        for row in _of(margin, coin, wanted, lambda one: one.fills)
        if row.executed_at in span and row.fill_id < below and order_id in ("", str(row.order_id))
    ]
    rows.sort(key=lambda row: row.fill_id, reverse=True)
    page = rows[:limit]
    told = [mix_wire.fill(row, margin) for row in page] if margin else []
    return _ended(told, "fillList", page[-1].fill_id if page else None)


def history(context: Context, parameters: Parameters) -> Answer:
    """Ended orders by the time they were placed, newest first."""
    span = parameters.span(context.now_ms, days=_ORDER_DAYS, usual_days=_WEEK)
    return _orders(context, parameters, lambda row: not row.is_open and row.placed_at in span)


def pending(context: Context, parameters: Parameters) -> Answer:
    return _orders(context, parameters, lambda row: row.is_open)


def detail(context: Context, parameters: Parameters) -> Answer:
    coin, margin = _coin(parameters), context.account.margin
    wanted, asked = parameters.required("symbol").upper(), parameters.text("orderId")
    for row in _of(margin, coin, wanted, lambda one: one.orders):
        if margin and asked == str(row.order_id):
            told = mix_wire.order(row, margin)
            return wire.encode(told | {"state": told.pop("status")})
    raise errors.ApiError("40109", "The data of the order cannot be found, please confirm the order number")


def plans(context: Context, parameters: Parameters) -> Answer:
    return _plans(context, parameters, lambda row: row.is_open)


def plan_history(context: Context, parameters: Parameters) -> Answer:
    span = parameters.span(context.now_ms, days=_ORDER_DAYS, usual_days=_WEEK)
    return _plans(context, parameters, lambda row: not row.is_open and row.placed_at in span)


def bills(context: Context, parameters: Parameters) -> Answer:
    """One row for every movement of the wallet, newest first, at most 30 days at once."""
    coin, margin = _coin(parameters), context.account.margin
    span = parameters.span(context.now_ms, days=_BILL_DAYS)
    limit, below, kind = parameters.limit(), parameters.below(), parameters.text("businessType")
    rows = [
        row
        for row in (ledger.bills(margin) if margin else ())
        if row.coin == coin and row.at in span and row.bill_id < below and kind in ("", row.kind)
    ]
    rows.sort(key=lambda row: row.bill_id, reverse=True)
    page = rows[:limit]
    return _ended([row.wire() for row in page], "bills", page[-1].bill_id if page else None)


def contracts(context: PublicContext, parameters: Parameters) -> Answer:
    terms, wanted = _terms(context), parameters.text("symbol").upper()
    rows = [
        mix_wire.contract(row, terms.taker_fee, terms.maker_fee)
        for row in _listed(context, _coin(parameters))
        if wanted in ("", names.contract(row.name))
    ]
    return Rows([wire.encode(row) for row in rows])


def tickers(context: PublicContext, parameters: Parameters) -> Answer:
    market = ContractMarket(context.world.market)
    rows = [mix_wire.ticker(market, row, context.now_ms) for row in _listed(context, _coin(parameters))]
    return Rows([wire.encode(row) for row in rows])


def candles(context: PublicContext, parameters: Parameters) -> Answer:
    return public.newest(context, _named(context, parameters).symbol, parameters, _GRANULARITIES)


def old_candles(context: PublicContext, parameters: Parameters) -> Answer:
    return public.older(context, _named(context, parameters).symbol, parameters, _GRANULARITIES)


def _named(context: PublicContext, parameters: Parameters) -> Listing:
    wanted = parameters.required("symbol").upper()
    for row in _listed(context, _coin(parameters)):
        if names.contract(row.name) == wanted:
            return row
    raise errors.invalid_symbol(wanted)


def _orders(context: Context, parameters: Parameters, is_meant: Callable[[ContractOrder], bool]) -> Answer:
    coin, margin, wanted = _coin(parameters), context.account.margin, parameters.text("symbol").upper()
    limit, below = parameters.limit(), parameters.below()
    rows = [
        row
        for row in _of(margin, coin, wanted, lambda one: one.orders)
        if row.order_id < below and is_meant(row)
    ]
    rows.sort(key=lambda row: row.order_id, reverse=True)
    page = rows[:limit]
    told = [wire.encode(mix_wire.order(row, margin)) for row in page] if margin else []
    return _ended(told, "entrustedList", page[-1].order_id if page else None)


def _plans(context: Context, parameters: Parameters, is_meant: Callable[[ConditionalOrder], bool]) -> Answer:
    """The list of stops and targets; nobody here places the other kinds."""
    kind = parameters.required("planType")
    if kind not in _PLAN_TYPES:
        raise errors.invalid_value("planType")
    coin, margin, wanted = _coin(parameters), context.account.margin, parameters.text("symbol").upper()
    limit, below, asked = parameters.limit(), parameters.below(), parameters.text("orderId")
    rows = [
        row
        for row in _of(margin, coin, wanted, lambda one: one.conditional_orders)
        if kind == "profit_loss"
        and row.order_id < below
        and asked in ("", str(row.order_id))
        and is_meant(row)
    ]
    rows.sort(key=lambda row: row.order_id, reverse=True)
    page = rows[:limit]
    told = [wire.encode(mix_wire.plan(row, margin)) for row in page] if margin else []
    return _ended(told, "entrustedList", page[-1].order_id if page else None)


def _of(
    margin: MarginAccount | None,
    coin: str,
    wanted: str,
    of: Callable[[MarginAccount], dict[str, list[T]]],
) -> Iterable[T]:
    """Rows of one contract, or of all that settle in a coin."""
    if margin is None:
        return
    for name, rows in of(margin).items():
        if names.settle(name) == coin and wanted in ("", names.contract(name)):
            yield from rows


def _ended(rows: list[bytes], member: str, last: int | None) -> Answer:
    end: Any = None if last is None else str(last)
    return Rows(rows, member, (("endId", end),))


def _coin(parameters: Parameters) -> str:
    """What a product settles in."""
    product = parameters.required("productType").upper()
    if product not in PRODUCTS:
        raise errors.invalid_value("productType")
    return PRODUCTS[product]


def _listed(context: PublicContext, coin: str) -> list[Listing]:
    return [row for row in _terms(context).listings.values() if row.settle == coin]


def _terms(context: PublicContext) -> Terms:
    terms = context.world.house.contracts
    if terms is None:
        raise errors.not_found()
    return terms


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v2/mix/account/accounts"): accounts,
    ("GET", "/api/v2/mix/account/account"): account,
    ("GET", "/api/v2/mix/account/bill"): bills,
    ("GET", "/api/v2/mix/position/all-position"): positions,
    ("GET", "/api/v2/mix/order/fills"): fills,
    ("GET", "/api/v2/mix/order/fill-history"): fills,
    ("GET", "/api/v2/mix/order/orders-pending"): pending,
    ("GET", "/api/v2/mix/order/orders-history"): history,
    ("GET", "/api/v2/mix/order/detail"): detail,
    ("GET", "/api/v2/mix/order/orders-plan-pending"): plans,
    ("GET", "/api/v2/mix/order/orders-plan-history"): plan_history,
}
PUBLIC: Final[dict[tuple[str, str], PublicEndpoint]] = {
    ("GET", "/api/v2/mix/market/contracts"): contracts,
    ("GET", "/api/v2/mix/market/tickers"): tickers,
    ("GET", "/api/v2/mix/market/candles"): candles,
    ("GET", "/api/v2/mix/market/history-candles"): old_candles,
}
