"""Endpoints of unified accounts (/api/v3): a list and a cursor, at most 30 days at once, 90 days back."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from exchanges.simulators.bitget import errors, ledger, mix_wire, names, private, unified_wire, wire
from exchanges.simulators.bitget.context import (
    Answer,
    Context,
    PublicContext,
    PublicEndpoint,
    Rows,
    SignedEndpoint,
)
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.contracts import Listing
from exchanges.simulators.facts import Transfer
from exchanges.simulators.symbols import assets, listed

CATEGORIES: Final = ("SPOT", "MARGIN", "USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")
_DAYS: Final = 30
_INCOMES: Final = {
    "bonus_issue": "TRACE_SHARE_BENEFIT_USER_IN",
    "cash_gift_issue": "TRACE_SHARE_BENEFIT_USER_IN",
    "risk_captital_user_transfer": "LIQ_FEE",
}
T = TypeVar("T")
Told = tuple[int, Callable[[], dict[str, Any]]]  # id, and how the row is written


def settings(context: Context, parameters: Parameters) -> Answer:
    margin = context.account.margin
    return wire.encode(
        {
            "uid": str(context.account.uid),
            "accountMode": "unified",
            "assetMode": "single",
            "accountLevel": "advanced",
            "holdMode": mix_wire.mode(margin) if margin else "one_way_mode",
            "stpMode": "none",
            "symbolConfigList": [],
            "coinConfigList": [],
        }
    )


def info(context: Context, parameters: Parameters) -> Answer:
    account = context.account
    withdraws = ["withdraw"] if account.can_withdraw else []
    return wire.encode(
        {
            "userId": str(account.uid),
            "inviterId": "",
            "parentId": "",
            "channelCode": "",
            "channel": "",
            "ips": "",
            "permType": "read-and-write" if withdraws else "read-only",
            "permissions": ["uta_mgt", "uta_trade", *withdraws],
            "regisTime": str(context.world.market.first_day_ms),
        }
    )


def balances(context: Context, parameters: Parameters) -> Answer:
    account, wanted = context.account, parameters.text("coin").upper()
    rows = [
        wire.encode(unified_wire.asset(account, coin, context.now_ms))
        for coin in assets(names.EXCHANGE)
        if unified_wire.balance(account, coin) and wanted in ("", coin)
    ]
    return Rows(rows, "assets", (("accountEquity", "0"), ("usdtEquity", "0"), ("unrealisedPnl", "0")))


def funding_assets(context: Context, parameters: Parameters) -> Answer:
    margin = context.account.margin
    held = margin.outside if margin else {}
    return Rows(
        [
            wire.encode(
                {
                    "coin": coin,
                    "available": wire.short(amount),
                    "frozen": "0",
                    "balance": wire.short(amount),
                }
            )
            for coin, amount in held.items()
            if amount
        ]
    )


def fills(context: Context, parameters: Parameters) -> Answer:
    """Of a category or of all; no symbol can be named."""
    span, order_id = parameters.span(context.now_ms, days=_DAYS), parameters.text("orderId")
    category, account = _category(parameters), context.account
    rows: list[Told] = []
    if category in ("", "SPOT"):
        rows += [
            (names.fill_id(row), partial(unified_wire.fill, row, account))
            for row in _flat(account.fills)
            if row.executed_at in span
        ]
    rows += [
        (row.fill_id, partial(unified_wire.contract_fill, row))
        for name, each in (account.margin.fills if account.margin else {}).items()
        if category in ("", unified_wire.category(name))
        for row in each
        if row.executed_at in span
    ]
    return _page(rows, parameters, lambda row: order_id in ("", row["orderId"]))


def unfilled(context: Context, parameters: Parameters) -> Answer:
    rows = _orders(context, _category(parameters), is_open=True)
    return _page(rows, parameters, _named(parameters))


def history(context: Context, parameters: Parameters) -> Answer:
    parameters.required("category")
    span, named = parameters.span(context.now_ms, days=_DAYS), _named(parameters)
    rows = _orders(context, _category(parameters), is_open=False)
    return _page(rows, parameters, lambda row: int(row["createdTime"]) in span and named(row))


def order(context: Context, parameters: Parameters) -> Answer:
    asked, by_client = parameters.text("orderId"), parameters.text("clientOid")
    for is_open in (True, False):
        for number, told in _orders(context, "", is_open=is_open):
            if str(number) == asked or (by_client and told()["clientOid"] == by_client):
                return wire.encode(told())
    raise errors.ApiError("25204", "Order does not exist")


def strategies(context: Context, parameters: Parameters) -> Answer:
    """Those that wait: all of them at once."""
    rows = sorted(_strategies(context, parameters), key=lambda row: row[0], reverse=True)
    waiting = [told() for _, told in rows]
    return Rows([wire.encode(row) for row in waiting if row["status"] == "pending"])


def strategy_history(context: Context, parameters: Parameters) -> Answer:
    span = parameters.span(context.now_ms, days=_DAYS)
    rows = _strategies(context, parameters)
    return _page(rows, parameters, lambda row: row["status"] != "pending" and int(row["createdTime"]) in span)


def positions(context: Context, parameters: Parameters) -> Answer:
    parameters.required("category")
    category, margin, wanted = _category(parameters), context.account.margin, parameters.text("symbol")
    rows = [
        wire.encode(unified_wire.position(row, margin, context.now_ms))
        for row in (margin.held() if margin else ())
        if margin
        and unified_wire.category(row.listing.name) == category
        and wanted in ("", names.contract(row.listing.name))
    ]
    return Rows(rows, "list")


def records(context: Context, parameters: Parameters) -> Answer:
    """The unified wallet's ledger of contracts; what moves between spot and contracts stays in the wallet."""
    parameters.required("category")
    category, kind = _category(parameters), parameters.text("type")
    span, coin = parameters.span(context.now_ms, days=_DAYS), parameters.text("coin").upper()
    margin = context.account.margin
    rows: list[Told] = []
    for bill in ledger.bills(margin) if margin else ():
        name = _record_type(bill)
        if name and f"{bill.coin}-FUTURES" == category and bill.at in span:
            rows.append((bill.bill_id, partial(unified_wire.record, bill, name)))
    return _page(rows, parameters, lambda row: kind in ("", row["type"]) and coin in ("", row["coin"]))


def funding_records(context: Context, parameters: Parameters) -> Answer:
    """The funding wallet's ledger."""
    span, coin = parameters.span(context.now_ms, days=_DAYS), parameters.text("coin").upper()
    rows: list[Told] = [
        (names.bill_id("transfer", row.moved_at, row.transfer_id), partial(unified_wire.moved, row))
        for row in ledger.transfers(context.account)
        if "margin" in (row.from_wallet, row.to_wallet) and row.moved_at in span
    ]
    return _page(rows, parameters, lambda row: coin in ("", row["coin"]))


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _outer(context, parameters, context.account.deposits, unified_wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _outer(context, parameters, context.account.withdrawals, unified_wire.withdrawal)


def instruments(context: PublicContext, parameters: Parameters) -> Answer:
    parameters.required("category")
    category = _category(parameters)
    if category in ("SPOT", "MARGIN"):
        rows = (
            [_spot_instrument(row) for row in listed(names.EXCHANGE).values()] if category == "SPOT" else []
        )
        return Rows([wire.encode(row) for row in rows])
    terms = context.world.house.contracts
    held = terms.listings.values() if terms else ()
    told = [_instrument(row, category) for row in held if unified_wire.category(row.name) == category]
    return Rows([wire.encode(row) for row in told])


def _spot_instrument(row: Any) -> dict[str, Any]:
    classic = wire.symbol(row, 100)
    return {
        "symbol": row.name,
        "category": "SPOT",
        "baseCoin": row.base,
        "quoteCoin": row.quote,
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "minOrderQty": classic["minTradeAmount"],
        "maxOrderQty": "0",
        "pricePrecision": classic["pricePrecision"],
        "quantityPrecision": classic["quantityPrecision"],
        "quotePrecision": "8",
        "minOrderAmount": classic["minTradeUSDT"],
        "maxSymbolOrderNum": "500",
        "maxProductOrderNum": "500",
        "status": "online",
        "maintainTime": "",
    }


def _instrument(row: Listing, category: str) -> dict[str, Any]:
    classic = mix_wire.contract(row, 60, 20)
    return {
        "symbol": classic["symbol"],
        "category": category,
        "baseCoin": row.base,
        "quoteCoin": row.quote,
        "makerFeeRate": classic["makerFeeRate"],
        "takerFeeRate": classic["takerFeeRate"],
        "minOrderQty": classic["minTradeNum"],
        "maxOrderQty": "1200",
        "pricePrecision": classic["pricePlace"],
        "quantityPrecision": classic["volumePlace"],
        "quotePrecision": "",
        "priceMultiplier": wire.short(row.tick),
        "quantityMultiplier": wire.short(row.step),
        "type": "perpetual",
        "minOrderAmount": classic["minTradeUSDT"],
        "status": "online",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "0",
        "fundInterval": "8",
        "minLeverage": "1",
        "maxLeverage": classic["maxLever"],
        "maintainTime": "",
    }


def _orders(context: Context, category: str, *, is_open: bool) -> list[Told]:
    account, margin = context.account, context.account.margin
    rows: list[Told] = []
    if category in ("", "SPOT"):
        rows += [
            (names.order_id(row), partial(unified_wire.order, row, private.placed_at(context, row)))
            for row in _flat(account.orders)
            if row.is_open is is_open and names.is_placed(row)
        ]
    if margin:
        rows += [
            (row.order_id, partial(unified_wire.contract_order, row, margin))
            for name, each in margin.orders.items()
            if category in ("", unified_wire.category(name))
            for row in each
            if row.is_open is is_open
        ]
    return rows


def _strategies(context: Context, parameters: Parameters) -> list[Told]:
    """`trigger` for spot, `tpsl` for contracts; without a type both."""
    parameters.required("category")
    category, kind = _category(parameters), parameters.text("type")
    account, margin = context.account, context.account.margin
    rows: list[Told] = []
    if category == "SPOT" and kind in ("", "trigger"):
        rows += [
            (names.plan_id(row), partial(unified_wire.trigger, row))
            for row in _flat(account.orders)
            if names.is_plan(row)
        ]
    if margin and kind in ("", "tpsl"):
        rows += [
            (row.order_id, partial(unified_wire.stop, row, margin))
            for name, each in margin.conditional_orders.items()
            if unified_wire.category(name) == category
            for row in each
        ]
    return rows


def _record_type(bill: ledger.Bill) -> str:
    """ "" for what this ledger does not tell."""
    if bill.kind == ledger.FUNDING:
        return f"CONTRACT_MAIN_SETTLE_FEE_USER_{'IN' if bill.amount > 0 else 'OUT'}"
    if bill.kind in _INCOMES:
        return _INCOMES[bill.kind]
    return "" if bill.kind.startswith("trans_") else bill.kind.upper()


def _outer(
    context: Context, parameters: Parameters, rows: list[Transfer], told: Callable[[Transfer], dict[str, Any]]
) -> Answer:
    """Both times must be told; a plain array, the cursor is the last id."""
    parameters.required("startTime"), parameters.required("endTime")
    span = parameters.span(context.now_ms, days=_DAYS, keeps=True)
    limit, below = parameters.limit(usual=20), parameters.below("cursor")
    found = [row for row in rows if row.applied_at in span and names.transfer_id(row) < below]
    found.sort(key=names.transfer_id, reverse=True)
    return Rows([wire.encode(told(row)) for row in found[:limit]])


def _page(rows: list[Told], parameters: Parameters, is_meant: Callable[[dict[str, Any]], bool]) -> Answer:
    """Newest first; the cursor is the last id."""
    limit, below = parameters.limit(), parameters.below("cursor")
    page: list[dict[str, Any]] = []
    last = 0
    for number, told in sorted(rows, key=lambda row: row[0], reverse=True):
        if number >= below or len(page) >= limit:
            continue
        row = told()
        if is_meant(row):
            page.append(row)
            last = number
    cursor = str(last) if page else None
    return Rows([wire.encode(row) for row in page], "list", (("cursor", cursor),))


def _named(parameters: Parameters) -> Callable[[dict[str, Any]], bool]:
    wanted = parameters.text("symbol").upper()
    return lambda row: wanted in ("", row["symbol"])


def _category(parameters: Parameters) -> str:
    """ "" for none."""
    name = parameters.text("category").upper()
    if name and name not in CATEGORIES:
        raise errors.invalid_value("category")
    return name


def _flat(rows: dict[str, list[T]]) -> Iterable[T]:
    for each in rows.values():
        yield from each


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v3/account/settings"): settings,
    ("GET", "/api/v3/account/info"): info,
    ("GET", "/api/v3/account/assets"): balances,
    ("GET", "/api/v3/account/funding-assets"): funding_assets,
    ("GET", "/api/v3/account/financial-records"): records,
    ("GET", "/api/v3/account/funding-financial-records"): funding_records,
    ("GET", "/api/v3/account/deposit-records"): deposits,
    ("GET", "/api/v3/account/withdrawal-records"): withdrawals,
    ("GET", "/api/v3/trade/fills"): fills,
    ("GET", "/api/v3/trade/unfilled-orders"): unfilled,
    ("GET", "/api/v3/trade/history-orders"): history,
    ("GET", "/api/v3/trade/order-info"): order,
    ("GET", "/api/v3/trade/unfilled-strategy-orders"): strategies,
    ("GET", "/api/v3/trade/history-strategy-orders"): strategy_history,
    ("GET", "/api/v3/position/current-position"): positions,
}
PUBLIC: Final[dict[tuple[str, str], PublicEndpoint]] = {
    ("GET", "/api/v3/market/instruments"): instruments,
}
