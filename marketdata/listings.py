"""What an exchange lists, under our canonical symbols. Delisted symbols stay, not trading any more."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from core.django import bulk
from exchanges.rows import ListingRow
from marketdata.models import Listing, Symbol

_STATE = ("status", "is_trading", "price_step", "quantity_step", "min_quantity", "min_notional", "updated_at")


def canonical(base: str, quote: str) -> str:
    """`BTC_USDT`."""
    return f"{base}_{quote}"


@transaction.atomic
def store(*, exchange: str, rows: Sequence[ListingRow], at: datetime) -> int:
    """Store a whole answer; what is no longer in it stops trading. Answers how many listings were written."""
    if not rows:
        return 0
    pairs = {canonical(row.base_asset, row.quote_asset): row for row in rows}
    bulk.upsert(
        table=Symbol._meta.db_table,
        columns=("symbol_name", "base_asset", "quote_asset"),
        rows=[(name, row.base_asset, row.quote_asset) for name, row in pairs.items()],
        key=("symbol_name",),
    )
    ids = dict(Symbol.objects.filter(symbol_name__in=list(pairs)).values_list("symbol_name", "id"))
    written = bulk.upsert(
        table=Listing._meta.db_table,
        columns=("exchange", "market_type", "name", "symbol_id", *_STATE),
        rows=[
            (
                exchange, row.market_type, row.symbol, ids[canonical(row.base_asset, row.quote_asset)],
                row.status, row.is_trading, row.price_step, row.quantity_step, row.min_quantity,
                row.min_notional, at,
            )
            for row in rows
        ],
        key=("exchange", "market_type", "name"),
        update=_STATE,
    )  # fmt: skip
    Listing.objects.filter(exchange=exchange, updated_at__lt=at).update(
        is_trading=False, status="DELISTED", updated_at=at
    )
    return len(written)
