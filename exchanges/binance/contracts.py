"""Rows of USD-M futures as ours. Every reader raises UnreadableRow or InvalidAmount for a row it cannot read.

Quantities are in the base asset: a contract is one unit of it.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from core.money import ZERO
from exchanges import reading
from exchanges.binance import mapping
from exchanges.binance_like import quote_quantity, side
from exchanges.contract_units import margin_balance
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    Contract,
    ContractSide,
    FillRow,
    ListingRow,
    MarginMode,
    MarketType,
    OrderRow,
    OrderStatus,
    PositionRow,
    PositionSide,
    PriceRow,
    Raw,
    Side,
)

Terms = Callable[[str], Contract]  # symbol to what it is; raises UnreadableRow

WALLET: Final = "futures"
PREFIX: Final = "algo-"  # ids of conditional orders are counted apart from those of orders
_ONE: Final = Decimal(1)
_SETTLES: Final = ("USDT", "USDC", "BUSD", "FDUSD", "BTC")
_LIQUIDATIONS: Final = ("autoclose-", "adl_autoclose")  # how the exchange names its own orders
_STATUS: Final = {
    **{status.value: status for status in OrderStatus},
    "NEW_INSURANCE": OrderStatus.NEW,
    "NEW_ADL": OrderStatus.NEW,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
_ALGO_STATUS: Final = {
    "NEW": OrderStatus.NEW,
    "TRIGGERING": OrderStatus.NEW,
    "TRIGGERED": OrderStatus.EXPIRED,  # it fired: what it placed is an order of its own, which has the fills
    "FINISHED": OrderStatus.EXPIRED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
_MARGIN_MODES: Final = {
    "cross": MarginMode.CROSS,
    "crossed": MarginMode.CROSS,
    "isolated": MarginMode.ISOLATED,
}


def listing(raw: Raw) -> ListingRow:
    """A symbol of /fapi exchangeInfo: filters as on spot markets, the notional under another name."""
    filters = [each for each in raw.get("filters") or () if isinstance(each, Mapping)]
    least = next((each for each in filters if each.get("filterType") == "MIN_NOTIONAL"), {})
    row = mapping.listing({**raw, "isSpotTradingAllowed": True})
    contract = Contract(row.base_asset, row.quote_asset, reading.text(raw, "marginAsset"), _ONE)
    least_notional = reading.amount(least, "notional", ZERO) or None
    return replace(
        row, market_type=MarketType.FUTURES, min_notional=least_notional, raw=raw, contract=contract
    )


def terms_of(symbol: str, known: Mapping[str, Contract]) -> Contract:
    """What a contract is; one that is no longer listed is read by the asset its name ends with."""
    if symbol in known:
        return known[symbol]
    pair = symbol.partition("_")[0]  # BTCUSDT_260327 is settled on a day
    for settle in _SETTLES:
        if pair.endswith(settle) and pair != settle:
            return Contract(pair.removesuffix(settle), settle, settle, _ONE)
    raise UnreadableRow(f"contract {symbol!r:.40} is unknown")


def mark_price(raw: Raw) -> PriceRow | None:
    """A row of premiumIndex."""
    value = reading.amount(raw, "markPrice", ZERO)
    return PriceRow(symbol=reading.text(raw, "symbol"), price=value) if value > 0 else None


def balance(raw: Raw) -> BalanceRow | None:
    """One of account's assets. In multi-assets mode the wallet may be below zero, and what is available may come
    from other assets."""
    unrealized = reading.amount(raw, "unrealizedProfit", ZERO)
    return margin_balance(
        reading.text(raw, "asset"),
        reading.amount(raw, "walletBalance"),
        available=reading.amount(raw, "availableBalance"),
        unrealized=unrealized,
        wallet=WALLET,
        raw=raw,
    )


def position(raw: Raw, terms: Terms, configs: Mapping[str, Raw]) -> PositionRow | None:
    """A row of positionRisk; None where nothing is held. Version 3 leaves leverage and margin mode to
    symbolConfig."""
    amount = reading.amount(raw, "positionAmt")
    if not amount:
        return None
    symbol = reading.text(raw, "symbol")
    config = raw if raw.get("marginType") is not None else configs.get(symbol, {})
    told, contract = position_side(raw), terms(symbol)
    margin_mode = _MARGIN_MODES.get(reading.text(config, "marginType", "").lower())
    margin = reading.amount(
        raw, "isolatedMargin" if margin_mode is MarginMode.ISOLATED else "initialMargin", ZERO
    )
    signed = PositionSide.LONG if amount > 0 else PositionSide.SHORT
    return PositionRow(
        symbol=symbol,
        side=signed if told is PositionSide.BOTH else told,
        is_hedged=told is not PositionSide.BOTH,
        quantity=abs(amount),
        settle_asset=reading.text(raw, "marginAsset", contract.settle_asset),
        is_inverse=False,
        entry_price=reading.not_negative(raw, "entryPrice"),
        mark_price=reading.amount(raw, "markPrice", ZERO) or None,
        liquidation_price=reading.amount(raw, "liquidationPrice", ZERO) or None,
        leverage=reading.amount(config, "leverage", ZERO) or None,
        margin_mode=margin_mode,
        margin=margin or None,
        unrealized_pnl=reading.amount(raw, "unRealizedProfit", ZERO),
        raw=raw,
    )


def fill(raw: Raw, terms: Terms, liquidations: Collection[str]) -> FillRow:
    """A row of userTrades; `liquidations` are ids of orders the exchange placed itself."""
    symbol = reading.text(raw, "symbol")
    contract = terms(symbol)
    price, quantity = reading.positive(raw, "price"), reading.positive(raw, "qty")
    fee, order_id = reading.amount(raw, "commission", ZERO), mapping.identity(raw, "orderId")
    return FillRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        base_asset=contract.base_asset,
        quote_asset=contract.quote_asset,
        fill_id=mapping.identity(raw, "id"),
        order_id=order_id,
        side=_bought(raw),
        price=price,
        quantity=quantity,
        quote_quantity=quote_quantity(raw, price, quantity),
        fee_amount=fee,
        fee_currency=reading.text(raw, "commissionAsset", None if fee else contract.settle_asset),
        is_maker=reading.flag(raw, "maker"),
        executed_at=reading.moment_ms(raw, "time"),
        raw=raw,
        contract=ContractSide(
            settle_asset=contract.settle_asset,
            is_inverse=False,
            position_side=position_side(raw),
            realized_pnl=reading.amount(raw, "realizedPnl"),
            is_liquidation=order_id in liquidations,
        ),
    )


def order(raw: Raw) -> OrderRow:
    """A row of allOrders or openOrders, or one order."""
    executed, ordered_at = reading.amount(raw, "executedQty"), reading.moment_ms(raw, "time")
    status = reading.text(raw, "status")
    if status not in _STATUS:
        raise UnreadableRow(f"status {status!r:.40} is unknown")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=reading.text(raw, "symbol"),
        order_id=mapping.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOrderId", ""),
        order_list_id="",
        side=side(raw),
        type=reading.text(raw, "type"),
        status=_STATUS[status],
        price=reading.amount(raw, "price", ZERO) or None,
        stop_price=reading.amount(raw, "stopPrice", ZERO) or None,
        quantity=reading.not_negative(raw, "origQty"),
        executed_quantity=executed,
        executed_quote_quantity=reading.amount(raw, "cumQuote", ZERO),
        time_in_force=reading.text(raw, "timeInForce", ""),
        ordered_at=ordered_at,
        updated_at=reading.moment_ms(raw, "updateTime") if raw.get("updateTime") else ordered_at,
        raw=raw,
        position_side=position_side(raw),
        reduce_only=reading.flag(raw, "reduceOnly", False) or reading.flag(raw, "closePosition", False),
    )


def conditional_order(raw: Raw) -> OrderRow:
    """A row of openAlgoOrders or allAlgoOrders. It executes nothing by itself; one that closes a whole position
    names no quantity."""
    status, ordered_at = reading.text(raw, "algoStatus"), reading.moment_ms(raw, "createTime")
    if status not in _ALGO_STATUS:
        raise UnreadableRow(f"status {status!r:.40} is unknown")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=reading.text(raw, "symbol"),
        order_id=PREFIX + mapping.identity(raw, "algoId"),
        client_order_id=reading.text(raw, "clientAlgoId", ""),
        order_list_id="",
        side=side(raw),
        type=reading.text(raw, "orderType"),
        status=_ALGO_STATUS[status],
        price=reading.amount(raw, "price", ZERO) or None,
        stop_price=reading.amount(raw, "triggerPrice", ZERO) or None,
        quantity=reading.amount(raw, "quantity", ZERO),
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force=reading.text(raw, "timeInForce", ""),
        ordered_at=ordered_at,
        updated_at=reading.moment_ms(raw, "updateTime") if raw.get("updateTime") else ordered_at,
        raw=raw,
        placed_order_id=reading.placed_order(raw, "actualOrderId"),
        position_side=position_side(raw),
        reduce_only=reading.flag(raw, "reduceOnly", False) or reading.flag(raw, "closePosition", False),
    )


def is_liquidation(raw: object) -> bool:
    """Whether the exchange placed this order itself: to liquidate, or to reduce the other side of one."""
    name = raw.get("clientOrderId") if isinstance(raw, Mapping) else None
    return isinstance(name, str) and name.startswith(_LIQUIDATIONS)


def position_side(raw: Raw) -> PositionSide:
    words = reading.text(raw, "positionSide", PositionSide.BOTH)
    try:
        return PositionSide(words)
    except ValueError:
        raise UnreadableRow(f"positionSide {words!r:.40} is unknown") from None


def _bought(raw: Raw) -> Side:
    if raw.get("side") is not None:
        return side(raw)
    return Side.BUY if reading.flag(raw, "buyer") else Side.SELL
