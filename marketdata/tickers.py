"""The latest price of every listing."""

from collections.abc import Sequence
from datetime import datetime

from core.django import bulk
from exchanges.rows import MarketType, PriceRow
from marketdata.models import Listing, Ticker


def store(
    *, exchange: str, rows: Sequence[PriceRow], at: datetime, market_type: MarketType = MarketType.SPOT
) -> int:
    """Keep prices read at `at` (of contracts: mark prices); answers how many. An older reading never replaces a newer.

    Symbols that are not listed yet are passed over: they wait for the listings.
    """
    listed = Listing.objects.filter(exchange=exchange, market_type=market_type)
    ids = dict(listed.values_list("name", "id"))
    prices = {ids[row.symbol]: row.price for row in rows if row.symbol in ids}
    written = bulk.upsert(
        table=Ticker._meta.db_table,
        columns=("listing_id", "price"),
        rows=sorted(prices.items()),
        key=("listing_id",),
        update=("price", "read_at"),
        where="excluded.read_at > stored.read_at",
        fixed={"read_at": at},
        summary="SELECT count(*) FROM written",
    )
    return sum(count for (count,) in written)
