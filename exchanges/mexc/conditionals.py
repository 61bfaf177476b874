"""Plan orders, and stops of positions, as conditional orders. They execute nothing by themselves."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.contract_units import units
from exchanges.mexc.contracts import Deed, Terms, deed, order_type, position_side, side_in_mode
from exchanges.reading import UnreadableRow
from exchanges.rows import MarketType, OrderRow, OrderStatus, PositionSide, Raw, Side

PLAN: Final = "plan-"  # their ids are counted apart from those of orders
STOP: Final = "stop-"
TAKE: Final = "take-"  # the profit to take of the row whose loss to stop is `stop-…`
_FIRED: Final = {TAKE: "1", STOP: "2"}  # `triggerSide`
_STATUS: Final[Mapping[str, OrderStatus]] = {
    "1": OrderStatus.NEW,
    "2": OrderStatus.CANCELED,
    "3": OrderStatus.EXPIRED,  # it fired: what it placed is an order of its own, which has the fills
    "4": OrderStatus.CANCELED,  # its position was closed
    "5": OrderStatus.REJECTED,
}
# By side and triggerType (1: at or above, 2: at or below): what limits a loss.
_LOSSES: Final = {
    (Side.BUY, "1"): True,
    (Side.SELL, "2"): True,
    (Side.BUY, "2"): False,
    (Side.SELL, "1"): False,
}
_CLOSING: Final = {
    PositionSide.LONG: Deed(Side.SELL, PositionSide.LONG, closes=True),
    PositionSide.SHORT: Deed(Side.BUY, PositionSide.SHORT, closes=True),
}


def plan(raw: Raw, terms: Terms, *, is_hedged: bool) -> OrderRow:
    """A row of planorder/list/orders."""
    what, (placed, force) = deed(raw), order_type(raw)
    is_loss = _LOSSES.get((what.side, reading.text(raw, "triggerType")))
    if is_loss is None:
        raise UnreadableRow("its triggerType is unknown")
    kind = "STOP_LOSS" if is_loss else "TAKE_PROFIT"
    limit = ZERO if placed == "MARKET" else reading.amount(raw, "price", ZERO)
    return _row(
        raw,
        terms,
        what,
        order_id=PLAN + reading.text(raw, "id"),
        kind=f"{kind}_LIMIT" if limit else kind,
        limit=limit,
        trigger="triggerPrice",
        time_in_force=force,
        placed=reading.placed_order(raw, "orderId"),
        is_hedged=is_hedged,
    )


def stop(raw: Raw, terms: Terms, *, is_hedged: bool) -> OrderRow | None:
    """The loss to stop of a row of stoporder/list/orders; None where it has none."""
    if not reading.amount(raw, "stopLossPrice", ZERO):
        return None
    return _guard(raw, terms, (STOP, "STOP_LOSS", "stopLossPrice"), is_hedged=is_hedged)


def take(raw: Raw, terms: Terms, *, is_hedged: bool) -> OrderRow | None:
    """The profit to take of the same row; None where it has none."""
    if not reading.amount(raw, "takeProfitPrice", ZERO):
        return None
    return _guard(raw, terms, (TAKE, "TAKE_PROFIT", "takeProfitPrice"), is_hedged=is_hedged)


def _guard(raw: Raw, terms: Terms, named: tuple[str, str, str], *, is_hedged: bool) -> OrderRow:
    prefix, kind, trigger = named
    has_fired = reading.text(raw, "triggerSide", "") == _FIRED[prefix]
    return _row(
        raw,
        terms,
        _CLOSING[position_side(raw)],
        order_id=prefix + reading.text(raw, "id"),
        kind=kind,
        limit=ZERO,
        trigger=trigger,
        is_hedged=is_hedged,
        placed=reading.placed_order(raw, "placeOrderId") if has_fired else "",
    )


def _row(
    raw: Raw,
    terms: Terms,
    what: Deed,
    *,
    order_id: str,
    kind: str,
    limit: Decimal,
    trigger: str,
    is_hedged: bool,
    time_in_force: str = "",
    placed: str = "",
) -> OrderRow:
    state = reading.text(raw, "state")
    if state not in _STATUS:
        raise UnreadableRow(f"state {state!r:.40} is unknown")
    symbol = reading.text(raw, "symbol")
    at = reading.moment_ms(raw, "createTime")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        order_id=order_id,
        client_order_id="",
        order_list_id="",
        side=what.side,
        type=kind,
        status=_STATUS[state],
        price=limit or None,
        stop_price=reading.positive(raw, trigger),
        quantity=units(reading.not_negative(raw, "vol"), terms(symbol)),
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force=time_in_force,
        ordered_at=at,
        updated_at=reading.moment_ms(raw, "updateTime") if raw.get("updateTime") else at,
        raw=raw,
        position_side=side_in_mode(raw, what.position, is_hedged=is_hedged),
        reduce_only=what.closes or raw.get("reduceOnly") is True,
        placed_order_id=placed,
    )
