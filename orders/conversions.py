"""Conversions, stored as what they are to the books: an exit of one coin and an entry of the other at the same value.

Each becomes a fill marked `is_conversion`. It is told so that its value is known best: by the money in it, else by the
coin received, which dust is turned into and which has a price more likely than the dust.
"""

from collections.abc import Sequence
from typing import Final

from django.conf import settings

from core.money import CONTEXT, quantize
from credentials.models import ExchangeAccount
from exchanges.rows import ConversionRow, FillRow, MarketType, Side
from orders.ingest import store_fills
from orders.touched import Touched

CONVERSION_ID: Final = "convert-"
"""Begins the ids of their fills."""


def store_conversions(
    *, account: ExchangeAccount, rows: Sequence[ConversionRow], source: str, run_id: int | None
) -> Touched:
    """Append conversions not known yet; in conflict as `store_fills`. Inside the owner's open door."""
    fills = [as_fill(row) for row in rows]
    return store_fills(account=account, rows=fills, source=source, run_id=run_id, is_conversion=True)


def as_fill(row: ConversionRow) -> FillRow:
    """Bought with money, or sold for what came; the price is rounded to 18 places, both amounts are exact."""
    is_buy = row.from_asset in settings.CASH_ASSETS
    base, quantity = (row.to_asset, row.to_amount) if is_buy else (row.from_asset, row.from_amount)
    quote, paid = (row.from_asset, row.from_amount) if is_buy else (row.to_asset, row.to_amount)
    name = f"{CONVERSION_ID}{row.conversion_id}"
    return FillRow(
        market_type=MarketType.SPOT,
        symbol=f"{base}{quote}",
        base_asset=base,
        quote_asset=quote,
        fill_id=name,
        order_id=name,
        side=Side.BUY if is_buy else Side.SELL,
        price=quantize(CONTEXT.divide(paid, quantity)),
        quantity=quantity,
        quote_quantity=paid,
        fee_amount=row.fee_amount,
        fee_currency=row.fee_currency,
        is_maker=False,
        executed_at=row.occurred_at,
        raw=row.raw,
    )
