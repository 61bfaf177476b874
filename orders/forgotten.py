"""Orders their exchange knows no longer: they left the list of open ones, and by their id nothing is found.

Exchanges drop what ended without a fill after some days (Binance's contracts after three). As they were last seen such
orders would stay open for ever.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Max, Sum

from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType, OrderRow, OrderStatus, PositionSide, Side
from orders.models import Fill, Order

TOO_YOUNG: Final = timedelta(hours=1)
"""Right after an order was placed, an exchange may not find it yet."""
Key = tuple[MarketType, str, str]
"""Market type, symbol, order id."""


@dataclass(frozen=True, slots=True)
class _Executed:
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    last_at: datetime | None = None


def ended(*, account: ExchangeAccount, keys: Collection[Key], at: datetime) -> list[OrderRow]:
    """Of these orders the ones that must have ended, as `ingest.store_orders` takes them: filled where their fills add
    up to it, else cancelled. Their time stays the last one told: any later word of the exchange goes before ours.

    To be asked after fills were read. Inside the owner's door.
    """
    ids = {order_id for _, _, order_id in keys}
    rows = Order.objects.filter(
        account=account,
        exchange_order_id__in=ids,
        status__in=[OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED],
        ordered_at__lt=at - TOO_YOUNG,
    )
    orders = [row for row in rows if _key(row) in keys]
    executed = _executed(account, {row.exchange_order_id for row in orders})
    return [_ended(row, executed.get(_key(row), _Executed())) for row in orders]


def _key(row: Order) -> Key:
    return MarketType(row.market_type), row.symbol, row.exchange_order_id


def _executed(account: ExchangeAccount, ids: Collection[str]) -> dict[Key, _Executed]:
    fills = Fill.objects.filter(account=account, exchange_order_id__in=ids).order_by()
    sums = fills.values_list("market_type", "symbol", "exchange_order_id").annotate(
        quantity=Sum("quantity"), value=Sum("quote_quantity"), last_at=Max("executed_at")
    )
    return {
        (MarketType(market_type), symbol, order_id): _Executed(quantity, value, last_at)
        for market_type, symbol, order_id, quantity, value, last_at in sums
    }


def _ended(row: Order, executed: _Executed) -> OrderRow:
    is_filled = ZERO < row.quantity <= executed.quantity
    return OrderRow(
        market_type=MarketType(row.market_type),
        symbol=row.symbol,
        order_id=row.exchange_order_id,
        client_order_id=row.client_order_id,
        order_list_id=row.order_list_id,
        side=Side(row.side),
        type=row.type,
        status=OrderStatus.FILLED if is_filled else OrderStatus.CANCELED,
        price=row.price,
        stop_price=row.stop_price,
        quantity=row.quantity,
        executed_quantity=max(executed.quantity, row.executed_quantity),
        executed_quote_quantity=max(executed.value, row.executed_quote_quantity),
        time_in_force=row.time_in_force,
        ordered_at=row.ordered_at,
        updated_at=max(executed.last_at or row.exchange_updated_at, row.exchange_updated_at),
        raw=row.raw,
        position_side=PositionSide(row.position_side) if row.position_side else None,
        reduce_only=row.reduce_only,
    )
