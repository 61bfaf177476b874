"""Candles as the exchange gives them, and which are missing for a price somebody needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.django import bulk
from exchanges.rows import CandleRow
from marketdata import routes
from marketdata.models import Candle, Listing

LENGTHS: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
_VALUES = ("open", "high", "low", "close", "volume", "is_final")


@dataclass(frozen=True, slots=True)
class CandleNeed:
    """Candles of a symbol opened in [since, until) that are not stored as final ones."""

    symbol: str
    since: datetime
    until: datetime


def store(*, exchange: str, timeframe: str, rows: Sequence[CandleRow], at: datetime) -> int:
    """Store candles; one that was over when it was read is final and replaces any that was not."""
    ids = dict(
        Listing.objects.filter(exchange=exchange, name__in={row.symbol for row in rows}).values_list(
            "name", "id"
        )
    )
    length = LENGTHS[timeframe]
    written = bulk.upsert(
        table=Candle._meta.db_table,
        columns=("listing_id", "timeframe", "opened_at", *_VALUES),
        rows=[
            (
                ids[row.symbol], timeframe, row.opened_at, row.open, row.high, row.low, row.close, row.volume,
                row.opened_at + length <= at,
            )
            for row in rows
            if row.symbol in ids and row.low > 0
        ],
        key=("listing_id", "timeframe", "opened_at"),
        update=_VALUES,
        where="excluded.is_final OR NOT stored.is_final",
    )  # fmt: skip
    return len(written)


def missing(
    *,
    exchange: str,
    asset: str,
    currency: str,
    timeframe: str,
    since: datetime,
    until: datetime,
    at: datetime,
) -> list[CandleNeed]:
    """What to fetch so that the asset can be priced over [since, until): few ranges, never the future.

    Candles are stored in unbroken stretches, so what is missing lies before, after or between them.
    """
    route = routes.find(exchange=exchange, assets=[asset], currency=currency).get(asset, ())
    length = LENGTHS[timeframe]
    first = _floor(since, length)
    last = min(until, _floor(at, length) + length)
    return [
        CandleNeed(leg.name, gap_since, gap_until)
        for leg in route
        for gap_since, gap_until in _gaps(leg.listing_id, timeframe, first, last, length)
    ]


def _gaps(
    listing_id: int, timeframe: str, since: datetime, until: datetime, length: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of [since, until) without final candles; a listing's time before its first candle is no gap."""
    if since >= until:
        return
    stored = Candle.objects.filter(listing_id=listing_id, timeframe=timeframe, is_final=True)
    inside = list(
        stored.filter(opened_at__gte=since, opened_at__lt=until)
        .order_by("opened_at")
        .values_list("opened_at", flat=True)
    )
    start = since
    for opened_at in inside:
        if opened_at > start:
            yield start, opened_at
        start = opened_at + length
    if start < until:
        yield start, until


def _floor(moment: datetime, length: timedelta) -> datetime:
    epoch = datetime.fromtimestamp(0, tz=moment.tzinfo)
    return epoch + (moment - epoch) // length * length
