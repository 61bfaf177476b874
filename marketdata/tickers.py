"""The latest price of every listing."""

from collections.abc import Sequence
from datetime import datetime

from core.django import bulk
from exchanges.rows import PriceRow
from marketdata.models import Listing, Ticker


def store(*, exchange: str, rows: Sequence[PriceRow], at: datetime) -> int:
    """Keep the newest price of each listed symbol; answers how many there are. Prices of zero are no prices."""
    ids = dict(Listing.objects.filter(exchange=exchange).values_list("name", "id"))
    prices = [(ids[row.symbol], row.price, at) for row in rows if row.symbol in ids and row.price > 0]
    bulk.upsert(
        table=Ticker._meta.db_table,
        columns=("listing_id", "price", "read_at"),
        rows=prices,
        key=("listing_id",),
        update=("price", "read_at"),
        where="excluded.read_at >= stored.read_at",
    )
    return len(prices)
