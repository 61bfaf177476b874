"""Price-triggered orders as conditional orders: they wait for a price, then place an order of their own."""

from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.gateio.mapping import client_id, seconds
from exchanges.reading import UnreadableRow
from exchanges.rows import MarketType, OrderRow, OrderStatus, Raw, Side

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
    )


def _part(raw: Raw, key: str) -> Raw:
    part = raw.get(key)
    if not isinstance(part, dict):
        raise UnreadableRow(f"{key} is missing")
    return part
