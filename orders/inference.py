"""One fill in place of those that nobody knows: what an order executed, at the best price known of it.

It stands, marked as inferred and without a fee, as long as no execution of its order is known; with the first that
comes it goes, and the books are folded again. Works inside the owner's open door.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from core.clock import utc_day
from core.money import CONTEXT, quantize
from exchanges.rows import FillRow, MarketType, Side
from orders.models import Fill, Order
from orders.touched import Touched

SOURCE: Final = "inferred"


def without_fills(*, account_id: UUID, order_ids: Collection[int] | None = None, source: str) -> list[Order]:
    """Spot orders of a source that executed something no fill tells of, oldest first."""
    rows = Order.objects.filter(
        account_id=account_id, market_type=MarketType.SPOT, executed_quantity__gt=0, source=source
    )
    if order_ids is not None:
        rows = rows.filter(id__in=list(order_ids))
    orders = list(rows.order_by("ordered_at", "id"))
    known = set(
        Fill.objects.filter(
            account_id=account_id, symbol__in={order.symbol for order in orders}, market_type=MarketType.SPOT
        ).values_list("symbol", "exchange_order_id")
    )
    return [order for order in orders if (order.symbol, order.exchange_order_id) not in known]


def infer(order: Order, *, base: str, quote: str) -> FillRow | None:
    """All that the order executed, at its average price, else at its limit; None where neither is known."""
    quantity, value = order.executed_quantity, order.executed_quote_quantity
    price = quantize(CONTEXT.divide(value, quantity)) if value else order.price
    if not price:
        return None
    return FillRow(
        market_type=MarketType.SPOT,
        symbol=order.symbol,
        base_asset=base,
        quote_asset=quote,
        fill_id=f"inferred:{order.exchange_order_id}"[:64],
        order_id=order.exchange_order_id,
        side=Side(order.side),
        price=price,
        quantity=quantity,
        quote_quantity=value or quantize(CONTEXT.multiply(price, quantity)),
        fee_amount=Decimal(0),
        fee_currency=quote,
        is_maker=False,
        executed_at=order.filled_at or order.exchange_updated_at,
        raw={"inferred": "average price" if value else "limit price"},
    )


def give_way(*, account_id: UUID, rows: Sequence[FillRow]) -> Touched:
    """Executions came: inferred fills of their orders go. Answers what that touches."""
    touched = Touched()
    standing = Fill.objects.filter(account_id=account_id, is_inferred=True)
    if not standing.exists():
        return touched
    told = {(row.market_type.value, row.symbol, row.order_id) for row in rows}
    gone = [
        fill
        for fill in standing.filter(
            symbol__in={symbol for _, symbol, _ in told},
            exchange_order_id__in={order for _, _, order in told},
        )
        if (fill.market_type, fill.symbol, fill.exchange_order_id) in told
    ]
    for fill in gone:
        touched.changed += 1
        for asset in (fill.base_asset, fill.quote_asset):
            touched.note(asset, fill.executed_at)
            touched.days.add((asset, utc_day(fill.executed_at)))
    # What was folded from them goes with the next fold, by the moment noted; nothing else refers to a fact.
    doomed = Fill.objects.filter(id__in=[fill.pk for fill in gone])
    doomed._raw_delete(doomed.db)
    return touched
