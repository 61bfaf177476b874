"""Spot trigger orders as conditional orders: they wait for a price, then place an order of their own."""

from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.bitget import fields
from exchanges.rows import MarketType, OrderRow, Raw, Side

PREFIX: Final = "plan-"  # their ids are counted apart from those of orders


def order(raw: Raw) -> OrderRow:
    """A row of current-plan-order or history-plan-order. It executes nothing by itself.

    On which side of the market it waits is not told: it may limit a loss or take a profit.
    """
    is_market = fields.kind(raw) == "MARKET"
    side = reading.one_of(raw, "side", fields.SIDES)
    size = reading.not_negative(raw, "size")
    by_worth = reading.text(raw, "planType", "") == "total" or (is_market and side is Side.BUY)
    return OrderRow(
        market_type=MarketType.SPOT,
        symbol=fields.symbol(raw),
        order_id=PREFIX + fields.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=side,
        type="TRIGGER" if is_market else "TRIGGER_LIMIT",
        status=reading.one_of(raw, "status", fields.PLAN_STATUSES),
        price=None if is_market else reading.amount(raw, "executePrice", ZERO) or None,
        stop_price=reading.positive(raw, "triggerPrice"),
        quantity=ZERO if by_worth else size,
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force="",
        ordered_at=fields.moment(raw, "cTime"),
        updated_at=fields.moment(raw, "uTime", "cTime"),
        raw=raw,
    )
