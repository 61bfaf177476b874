"""Candles: stored once closed for good, and which are missing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.clock import DAY, EPOCH
from core.django import bulk
from core.errors import Invalid, NotFound
from exchanges.rows import CandleRow, MarketType
from marketdata import routes
from marketdata.models import Candle, Listing

TIMEFRAMES: Final[Mapping[str, timedelta]] = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": DAY,
}
# A candle read sooner after its close may have been read before it.
SETTLING: Final = timedelta(minutes=1)
# Gaps with no more stored candles between them are asked for together: a page holds twice as many.
_TOGETHER: Final = 500
_PRICES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class CandleNeed:
    """Candles of a wire symbol opened in [since, until)."""

    exchange: str
    symbol: str
    since: datetime
    until: datetime
    market_type: MarketType = MarketType.SPOT


def store(
    *,
    exchange: str,
    timeframe: str,
    rows: Sequence[CandleRow],
    at: datetime,
    market_type: MarketType = MarketType.SPOT,
) -> int:
    """Keep candles read at `at`; answers how many are new or changed. A final one is mended only by a final one.

    Raises NotFound for a symbol the exchange does not list, Invalid for an unknown timeframe.
    """
    length = _length(timeframe)
    ids = _listing_ids(exchange, market_type, {row.symbol for row in rows})
    values = sorted(
        (ids[row.symbol], row.opened_at, row.opened_at + length + SETTLING <= at, *_prices(row))
        for row in rows
    )
    written = bulk.upsert(
        table=Candle._meta.db_table,
        columns=("listing_id", "opened_at", "is_final", *_PRICES),
        rows=values,
        key=("listing_id", "timeframe", "opened_at"),
        update=("is_final", *_PRICES),
        where="excluded.is_final OR NOT stored.is_final",
        fixed={"timeframe": timeframe},
        summary="SELECT count(*) FROM written",
    )
    return sum(count for (count,) in written)


def missing(
    *,
    exchanges: Sequence[str],
    asset: str,
    currency: str,
    timeframe: str,
    since: datetime,
    until: datetime,
    at: datetime,
) -> list[CandleNeed]:
    """Candles opened in [since, until), and not after `at`, that are not stored as final: few half-open ranges.

    Those of the best route from asset to currency (both legs of a bridge). Nothing for an asset without a
    route, or that is the currency.
    """
    length = _length(timeframe)
    if asset == currency:
        return []
    among = routes.markets(exchanges=exchanges, assets=[asset], currency=currency)
    found = routes.find(asset=asset, currency=currency, among=among)
    opens = _opens(since, min(until, at), length)
    return [
        CandleNeed(leg.market.exchange, leg.market.name, first, last + length)
        for leg in (found[0] if found else ())
        for first, last in _gaps(opens, _final(leg.market.listing_id, timeframe, opens))
    ]


def missing_of_contracts(
    *,
    exchange: str,
    contracts: Collection[str],
    exchanges: Sequence[str],
    asset: str,
    currency: str,
    timeframe: str,
    since: datetime,
    until: datetime,
    at: datetime,
) -> list[CandleNeed]:
    """Candles of an exchange's contracts on an asset, closed in [since, until) and by `at`, that stand in where no
    spot market of `exchanges` has stored one, and that are not stored either."""
    length = _length(timeframe)
    opens = [each for each in _opens(since, until, length) if each + length + SETTLING <= at]
    among = routes.markets(exchanges=exchanges, assets=[asset], currency=currency)
    for route in routes.find(asset=asset, currency=currency, among=among):
        known = [_final(leg.market.listing_id, timeframe, opens) for leg in route]
        priced = set[datetime].intersection(*known)
        opens = [each for each in opens if each not in priced]
    if not opens:
        return []
    listed = Listing.objects.filter(exchange=exchange, market_type=MarketType.FUTURES, name__in=contracts)
    return [
        CandleNeed(exchange, name, first, last + length, MarketType.FUTURES)
        for name, listing_id in listed.order_by("name").values_list("name", "id")
        for first, last in _gaps(opens, _final(listing_id, timeframe, opens))
    ]


def _length(timeframe: str) -> timedelta:
    if timeframe not in TIMEFRAMES:
        raise Invalid(f"Timeframe {timeframe!r:.20} is not one of {', '.join(TIMEFRAMES)}.")
    return TIMEFRAMES[timeframe]


def _listing_ids(exchange: str, market_type: MarketType, names: Collection[str]) -> dict[str, int]:
    listed = Listing.objects.filter(exchange=exchange, market_type=market_type, name__in=names)
    ids = dict(listed.values_list("name", "id"))
    if unknown := set(names) - ids.keys():
        raise NotFound(f"{exchange} does not list {', '.join(sorted(unknown))}.")
    return ids


def _prices(row: CandleRow) -> tuple[object, ...]:
    return row.open, row.high, row.low, row.close, row.volume


def _opens(since: datetime, until: datetime, length: timedelta) -> list[datetime]:
    """When the candles of [since, until) open; the one that `since` lies in is the first."""
    first = EPOCH + (since - EPOCH) // length * length
    count = -((first - until) // length) if until > first else 0
    return [first + number * length for number in range(count)]


def _final(listing_id: int, timeframe: str, opens: Sequence[datetime]) -> set[datetime]:
    if not opens:
        return set()
    stored = Candle.objects.filter(
        listing_id=listing_id, timeframe=timeframe, opened_at__range=(opens[0], opens[-1]), is_final=True
    )
    return set(stored.values_list("opened_at", flat=True))


def _gaps(opens: Iterable[datetime], stored: set[datetime]) -> list[tuple[datetime, datetime]]:
    """First and last missing open of each gap; gaps close to each other are one."""
    gaps: list[tuple[datetime, datetime]] = []
    between = 0
    for moment in opens:
        if moment in stored:
            between += 1
            continue
        if gaps and between <= _TOGETHER:
            gaps[-1] = (gaps[-1][0], moment)
        else:
            gaps.append((moment, moment))
        between = 0
    return gaps
