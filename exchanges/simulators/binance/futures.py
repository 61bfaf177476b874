"""Signed endpoints of /fapi: the wallet, positions, orders, fills and income of USD-M futures."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final, TypeVar

from exchanges.simulators.binance import errors, futures_wire, incomes
from exchanges.simulators.binance.context import Context, SignedEndpoint
from exchanges.simulators.binance.limits import Pool
from exchanges.simulators.binance.parameters import Parameters, find_contract
from exchanges.simulators.binance.private import forbidden
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ConditionalOrder, ContractOrder

_WINDOW_MS: Final = 7 * DAY_MS
_TRADES_DEPTH_MS: Final = 182 * DAY_MS  # six months
_ORDERS_DEPTH_MS: Final = 90 * DAY_MS
_INCOME_DEPTH_MS: Final = 90 * DAY_MS
_UNFILLED_KEPT_MS: Final = 3 * DAY_MS
_T = TypeVar("_T")


def margin_of(context: Context) -> MarginAccount:
    """Accounts without a futures wallet are refused as a key without permission is."""
    if context.account.margin is None:
        raise errors.key_refused()
    return context.account.margin


def balance(context: Context, parameters: Parameters) -> Answer:
    margin = margin_of(context)
    return [encode(futures_wire.balance(margin, name, context.now_ms)) for name in _assets(margin)]


def account(context: Context, parameters: Parameters) -> Answer:
    margin, at = margin_of(context), context.now_ms
    positions = [futures_wire.account_position(margin, row, at) for row in margin.held()]
    return encode(futures_wire.account(margin, _assets(margin), positions, at))


def position_risk(version: int) -> Callable[[Context, Parameters], Answer]:
    """Version 2 tells every contract, version 3 what is held or has open orders."""

    def answer(context: Context, parameters: Parameters) -> Answer:
        margin = margin_of(context)
        wanted = _wanted(parameters)
        listings = margin.terms.listings.values()
        rows = [row for listing in listings for row in futures_wire.empty_positions(margin, listing)]
        return [
            encode(futures_wire.position(margin, row, context.now_ms, version=version))
            for row in rows
            if wanted in ("", row.listing.name) and (version == 2 or row.quantity)
        ]

    return answer


def user_trades(context: Context, parameters: Parameters) -> Answer:
    """Ascending by id: from an id on, or a window of at most seven days, or the last seven days."""
    margin = margin_of(context)
    rows: Sequence = margin.fills.get(_named(parameters), [])  # type: ignore[type-arg]
    limit = parameters.limit(default=500, most=1_000)
    order_id, from_id = parameters.integer("orderId"), parameters.integer("fromId")
    window = _window(context, parameters, depth=_TRADES_DEPTH_MS)
    rows = [row for row in rows if row.executed_at >= context.now_ms - _TRADES_DEPTH_MS]
    if order_id is not None:
        rows = [row for row in rows if row.order_id == order_id]
    if from_id is not None:
        if "startTime" in parameters.values or "endTime" in parameters.values:
            raise errors.bad_combination()
        start = bisect.bisect_left(rows, from_id, key=attrgetter("fill_id"))
        return [futures_wire.fill(row) for row in rows[start : start + limit]]
    rows = [row for row in rows if window.start <= row.executed_at <= window.stop]
    rows = rows[:limit] if "startTime" in parameters.values else rows[-limit:]
    return [futures_wire.fill(row) for row in rows]


def all_orders(context: Context, parameters: Parameters) -> Answer:
    """Ascending by id, by the moment of placing: from `orderId` on, or a window of at most seven days."""
    margin = margin_of(context)
    kept = [row for row in margin.orders.get(_named(parameters), []) if _is_kept(row, context.now_ms)]
    limit = parameters.limit(default=500, most=1_000)
    order_id = parameters.integer("orderId")
    window = _window(context, parameters, depth=_ORDERS_DEPTH_MS)
    if order_id is not None:
        rows = [row for row in kept if row.order_id >= order_id][:limit]
    else:
        rows = _within(kept, window, limit, parameters)
    return [futures_wire.order(row) for row in rows]


def open_orders(context: Context, parameters: Parameters) -> Answer:
    wanted = _wanted(parameters)
    rows = sorted(margin_of(context).open_orders.values(), key=attrgetter("order_id"))
    return [futures_wire.order(row) for row in rows if wanted in ("", row.contract)]


def order(context: Context, parameters: Parameters) -> Answer:
    margin = margin_of(context)
    rows = margin.orders.get(_named(parameters), [])
    order_id, client_id = parameters.integer("orderId"), parameters.text("origClientOrderId")
    if order_id is None and not client_id:
        raise errors.missing_either("origClientOrderId", "orderId")
    for row in reversed(rows):
        if row.order_id == order_id or (order_id is None and row.client_order_id == client_id):
            if not _is_kept(row, context.now_ms):
                break
            return futures_wire.order(row)
    raise errors.no_such_order()


def force_orders(context: Context, parameters: Parameters) -> Answer:
    """What the house closed: of the last seven days, or of a window."""
    margin, wanted = margin_of(context), _wanted(parameters)
    kind = parameters.text("autoCloseType")
    limit = parameters.limit(default=50, most=100)
    window = _window(context, parameters, depth=_ORDERS_DEPTH_MS)
    rows = [
        row
        for name, placed in margin.orders.items()
        for row in placed
        if row.is_liquidation
        and wanted in ("", name)
        and window.start <= row.placed_at <= window.stop
        and kind != "ADL"
    ]
    return [futures_wire.order(row) for row in rows[:limit]]


def open_algo_orders(context: Context, parameters: Parameters) -> Answer:
    margin, wanted = margin_of(context), _wanted(parameters)
    for name in ("algoType", "algoId"):
        parameters.text(name)
    rows = sorted(margin.open_conditionals.values(), key=attrgetter("order_id"))
    return [_conditional(margin, row) for row in rows if wanted in ("", row.contract)]


def all_algo_orders(context: Context, parameters: Parameters) -> Answer:
    """As `all_orders`, with pages."""
    margin = margin_of(context)
    kept = [
        row
        for row in margin.conditional_orders.get(_named(parameters), [])
        if row.status not in ("CANCELED", "EXPIRED") or row.placed_at >= context.now_ms - _UNFILLED_KEPT_MS
    ]
    limit, page = parameters.limit(default=500, most=1_000), parameters.integer("page", default=0) or 0
    algo_id = parameters.integer("algoId")
    window = _window(context, parameters, depth=_ORDERS_DEPTH_MS)
    if algo_id is not None:
        rows = [row for row in kept if row.order_id >= algo_id][:limit]
    else:
        rows = _within(kept, window, limit * (page + 1), parameters)[limit * page :]
    return [_conditional(margin, row) for row in rows]


def algo_order(context: Context, parameters: Parameters) -> Answer:
    margin = margin_of(context)
    algo_id, client_id = parameters.integer("algoId"), parameters.text("clientAlgoId")
    if algo_id is None and not client_id:
        raise errors.missing_either("algoId", "clientAlgoId")
    for rows in margin.conditional_orders.values():
        for row in rows:
            is_kept = row.placed_at >= context.now_ms - _UNFILLED_KEPT_MS
            if row.order_id == algo_id or (algo_id is None and row.client_order_id == client_id):
                if row.status in ("CANCELED", "EXPIRED") and not is_kept:
                    raise errors.no_such_order()
                return _conditional(margin, row)
    raise errors.no_such_order()


def income(context: Context, parameters: Parameters) -> Answer:
    """Ascending by time; three months deep, the last seven days where no time is given."""
    margin, wanted = margin_of(context), _wanted(parameters)
    kind = parameters.text("incomeType")
    limit, page = parameters.limit(default=100, most=1_000), parameters.integer("page", default=1) or 1
    end = parameters.integer("endTime", default=context.now_ms) or 0
    start = parameters.integer("startTime", default=end - _WINDOW_MS) or 0
    start = max(start, context.now_ms - _INCOME_DEPTH_MS)
    rows = [
        row
        for row in incomes.rows(margin)
        if start <= row.at <= end and kind in ("", row.kind) and wanted in ("", row.symbol)
    ]
    return [row.wire() for row in rows[limit * (page - 1) : limit * page]]


def position_mode(context: Context, parameters: Parameters) -> Answer:
    return encode({"dualSidePosition": margin_of(context).is_hedged})


def assets_mode(context: Context, parameters: Parameters) -> Answer:
    margin_of(context)
    return encode({"multiAssetsMargin": False})


def fee_burn(context: Context, parameters: Parameters) -> Answer:
    margin_of(context)
    return encode({"feeBurn": context.account.pays_in_coin})


def account_config(context: Context, parameters: Parameters) -> Answer:
    margin = margin_of(context)
    return encode(
        {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": margin.is_hedged,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }
    )


def symbol_config(context: Context, parameters: Parameters) -> Answer:
    margin, wanted = margin_of(context), _wanted(parameters)
    return [
        encode(
            {
                "symbol": name,
                "marginType": "ISOLATED" if margin.is_isolated(name) else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": margin.leverage(name),
                "maxNotionalValue": "1000000",
            }
        )
        for name in margin.terms.listings
        if wanted in ("", name)
    ]


def leverage_bracket(context: Context, parameters: Parameters) -> Answer:
    margin, wanted = margin_of(context), _wanted(parameters)
    told = [
        {
            "symbol": name,
            "notionalCoef": 1.0,
            "brackets": [
                {
                    "bracket": 1,
                    "initialLeverage": listing.most_leverage,
                    "notionalCap": 1_000_000,
                    "notionalFloor": 0,
                    "maintMarginRatio": listing.maintenance / 100_000,
                    "cum": 0.0,
                }
            ],
        }
        for name, listing in margin.terms.listings.items()
        if wanted in ("", name)
    ]
    return encode(told[0]) if wanted else [encode(row) for row in told]


def commission_rate(context: Context, parameters: Parameters) -> Answer:
    margin, name = margin_of(context), _named(parameters)
    listing, terms = margin.terms.listings[name], margin.terms
    maker = terms.maker_fee if listing.maker_fee is None else listing.maker_fee
    return encode(
        {
            "symbol": name,
            "makerCommissionRate": f"{maker / 100_000:.6f}",
            "takerCommissionRate": f"{terms.taker_fee / 100_000:.6f}",
        }
    )


def _assets(margin: MarginAccount) -> list[str]:
    """Assets that may be held as margin; also those with nothing."""
    settles = [listing.settle for listing in margin.terms.listings.values()]
    return list(dict.fromkeys([margin.owner.house.coin, *settles, *margin.wallet]))


def _conditional(margin: MarginAccount, row: ConditionalOrder) -> bytes:
    placed = margin.orders.get(row.contract, []) if row.actual_order_id else []
    actual = next((each for each in placed if each.order_id == row.actual_order_id), None)
    return futures_wire.conditional(row, actual)


def _is_kept(row: ContractOrder, now_ms: int) -> bool:
    """Orders without a fill that ended are told for three days, all others for ninety."""
    idle = not row.is_open and not row.executed
    return row.placed_at >= now_ms - (_UNFILLED_KEPT_MS if idle else _ORDERS_DEPTH_MS)


def _within(rows: Sequence[_T], window: range, limit: int, parameters: Parameters) -> list[_T]:
    found = [row for row in rows if window.start <= row.placed_at <= window.stop]  # type: ignore[attr-defined]
    return found[:limit] if "startTime" in parameters.values else found[-limit:]


def _window(context: Context, parameters: Parameters, *, depth: int) -> range:
    """Both ends included; the seven days before the end, or after the start, where one is missing."""
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    if start is None:
        start = (context.now_ms if end is None else end) - _WINDOW_MS
    elif start < context.now_ms - depth - DAY_MS:
        raise errors.beyond_search_window()
    if end is None:
        end = start + _WINDOW_MS
    if end - start > _WINDOW_MS:
        raise errors.more_than_7_days()
    return range(start, end)


def _named(parameters: Parameters) -> str:
    """The mandatory `symbol`."""
    name = parameters.text("symbol")
    if not name:
        raise errors.missing_parameter("symbol")
    return find_contract(name).name


def _wanted(parameters: Parameters) -> str:
    """The optional `symbol`, "" for all."""
    return _named(parameters) if parameters.text("symbol") else ""


def _signed(
    answer: Callable[[Context, Parameters], Answer], alone: int, all_symbols: int | None = None
) -> SignedEndpoint:
    """Weight with and without a symbol."""

    def weight(parameters: Parameters) -> int:
        return alone if all_symbols is None or parameters.values.get("symbol") else all_symbols

    return SignedEndpoint(answer, weight, Pool.FAPI)


ENDPOINTS: Mapping[tuple[str, str], SignedEndpoint] = {
    ("GET", "/fapi/v2/balance"): _signed(balance, 5),
    ("GET", "/fapi/v3/balance"): _signed(balance, 5),
    ("GET", "/fapi/v2/account"): _signed(account, 5),
    ("GET", "/fapi/v3/account"): _signed(account, 5),
    ("GET", "/fapi/v2/positionRisk"): _signed(position_risk(2), 5),
    ("GET", "/fapi/v3/positionRisk"): _signed(position_risk(3), 5),
    ("GET", "/fapi/v1/userTrades"): _signed(user_trades, 5),
    ("GET", "/fapi/v1/allOrders"): _signed(all_orders, 5),
    ("GET", "/fapi/v1/openOrders"): _signed(open_orders, 1, 40),
    ("GET", "/fapi/v1/order"): _signed(order, 1),
    ("GET", "/fapi/v1/forceOrders"): _signed(force_orders, 20, 50),
    ("GET", "/fapi/v1/openAlgoOrders"): _signed(open_algo_orders, 1, 40),
    ("GET", "/fapi/v1/allAlgoOrders"): _signed(all_algo_orders, 5),
    ("GET", "/fapi/v1/algoOrder"): _signed(algo_order, 1),
    ("GET", "/fapi/v1/income"): _signed(income, 30),
    ("GET", "/fapi/v1/positionSide/dual"): _signed(position_mode, 30),
    ("GET", "/fapi/v1/multiAssetsMargin"): _signed(assets_mode, 30),
    ("GET", "/fapi/v1/feeBurn"): _signed(fee_burn, 30),
    ("GET", "/fapi/v1/accountConfig"): _signed(account_config, 5),
    ("GET", "/fapi/v1/symbolConfig"): _signed(symbol_config, 5),
    ("GET", "/fapi/v1/leverageBracket"): _signed(leverage_bracket, 1),
    ("GET", "/fapi/v1/commissionRate"): _signed(commission_rate, 20),
    **{
        (method, f"/fapi/v1/{path}"): SignedEndpoint(forbidden, lambda _: 1, Pool.FAPI)
        for method, path in (
            ("POST", "order"),
            ("PUT", "order"),
            ("DELETE", "order"),
            ("DELETE", "allOpenOrders"),
            ("POST", "algoOrder"),
            ("DELETE", "algoOrder"),
            ("POST", "leverage"),
            ("POST", "marginType"),
            ("POST", "positionSide/dual"),
        )
    },
}
