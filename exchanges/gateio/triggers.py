"""Price-triggered orders as conditional orders: they wait for a price, then place an order of their own."""

from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.contract_units import units
from exchanges.gateio import contracts
from exchanges.gateio.contracts import Terms
from exchanges.gateio.mapping import client_id, seconds
from exchanges.reading import UnreadableRow
from exchanges.rows import MarketType, OrderRow, OrderStatus, PositionSide, Raw, Side

PREFIX: Final = "trigger-"  # their ids are counted apart from those of orders
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
# By side and rule: a sale below or a purchase above the market limits a loss.
_KINDS: Final = {
    (Side.SELL, "<="): "STOP_LOSS",
    (Side.SELL, ">="): "TAKE_PROFIT",
    (Side.BUY, ">="): "STOP_LOSS",
    (Side.BUY, "<="): "TAKE_PROFIT",
}
_STATUS: Final = {
    "open": OrderStatus.NEW,
    "cancelled": OrderStatus.CANCELED,
    "finish": OrderStatus.EXPIRED,  # it fired: what it placed is an order of its own, which has the fills
    "failed": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
}
# Of /futures, where rules are numbers and a fate has two words.
_RULES: Final = {"1": ">=", "2": "<="}
_REDUCING: Final = ("is_reduce_only", "reduce_only", "is_close", "close")
_CONTRACT_STATUS: Final = {
    "open": OrderStatus.NEW,
    "inactive": OrderStatus.NEW,  # waits for the order it protects
    "cancelled": OrderStatus.CANCELED,
    "invalid": OrderStatus.CANCELED,
    "succeeded": OrderStatus.EXPIRED,  # it fired
    "failed": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
}


def order(raw: Raw) -> OrderRow:
    """A row of price_orders. It executes nothing by itself."""
    trigger, put = _part(raw, "trigger"), _part(raw, "put")
    side = _SIDES.get(reading.text(put, "side"))
    kind = _KINDS.get((side, reading.text(trigger, "rule"))) if side else None
    if side is None or kind is None:
        raise UnreadableRow("side or rule is unknown")
    is_market = reading.text(put, "type", "limit") == "market"
    status = reading.text(raw, "status")
    if status not in _STATUS:
        raise UnreadableRow(f"status {status!r:.40} is unknown")
    amount = reading.amount(put, "amount")
    return OrderRow(
        market_type=MarketType.SPOT,
        symbol=reading.text(raw, "market"),
        order_id=PREFIX + reading.text(raw, "id"),
        client_order_id=client_id(reading.text(put, "text", "")),
        order_list_id="",
        side=side,
        type=kind if is_market else f"{kind}_LIMIT",
        status=_STATUS[status],
        price=None if is_market else reading.amount(put, "price", ZERO) or None,
        stop_price=reading.amount(trigger, "price"),
        # A market purchase is asked for in the quote.
        quantity=ZERO if is_market and side is Side.BUY else amount,
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force=reading.text(put, "time_in_force", "").upper(),
        ordered_at=seconds(raw, "ctime"),
        updated_at=seconds(raw, "ftime" if raw.get("ftime") else "ctime"),
        raw=raw,
        placed_order_id=reading.placed_order(raw, "fired_order_id"),
    )


def contract_order(raw: Raw, terms: Terms, *, is_dual: bool) -> OrderRow:
    """A row of /futures price_orders. One that closes a whole position has size 0."""
    trigger, initial = _part(raw, "trigger"), _part(raw, "initial")
    symbol = reading.text(initial, "contract")
    size, buys = reading.amount(initial, "size", ZERO), _buys(raw, initial)
    side = Side.BUY if buys else Side.SELL
    kind = _KINDS.get((side, _RULES.get(reading.text(trigger, "rule"), "")))
    if kind is None:
        raise UnreadableRow("its rule is unknown")
    price = reading.amount(initial, "price", ZERO)
    reduces = not size or bool(_closed(raw, initial)) or any(initial.get(key) is True for key in _REDUCING)
    at = contracts.moment(raw, "create_time")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        order_id=PREFIX + reading.text(raw, "id"),
        client_order_id=client_id(reading.text(initial, "text", "")),
        order_list_id="",
        side=side,
        type=f"{kind}_LIMIT" if price else kind,
        status=_contract_status(raw),
        price=price or None,
        stop_price=reading.amount(trigger, "price"),
        quantity=units(abs(size), terms(symbol)),
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force=reading.text(initial, "tif", "").upper(),
        ordered_at=at,
        updated_at=contracts.moment(raw, "finish_time") if raw.get("finish_time") else at,
        raw=raw,
        placed_order_id=reading.placed_order(raw, "trade_id"),
        position_side=contracts.side_of_order(buys, reduces) if is_dual else PositionSide.BOTH,
        reduce_only=reduces,
    )


def _buys(raw: Raw, initial: Raw) -> bool:
    """By the sign of the size; an order that closes a position whole says which one, or says nothing."""
    size = reading.amount(initial, "size", ZERO)
    if size:
        return size > 0
    closed = _closed(raw, initial)
    if not closed:
        raise UnreadableRow("neither size nor order_type tell a side")
    return closed == "short"


def _closed(raw: Raw, initial: Raw) -> str:
    """ "long" or "short" of `close-long-position`, `plan-close-short-position`, `close_long`, …; else ""."""
    words = f"{reading.text(raw, 'order_type', '')} {reading.text(initial, 'auto_size', '')}".replace(
        "_", "-"
    )
    return next((side for side in ("long", "short") if f"close-{side}" in words), "")


def _contract_status(raw: Raw) -> OrderStatus:
    words = reading.text(raw, "status")
    if words == "finished":
        words = reading.text(raw, "finish_as")
    if words not in _CONTRACT_STATUS:
        raise UnreadableRow(f"status {words!r:.40} is unknown")
    return _CONTRACT_STATUS[words]


def _part(raw: Raw, key: str) -> Raw:
    part = raw.get(key)
    if not isinstance(part, dict):
        raise UnreadableRow(f"{key} is missing")
    return part
