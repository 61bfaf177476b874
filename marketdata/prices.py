"""What an asset was worth: at an hour, at a day's end, now. Every answer says where it is from and of when.

Prices come from the candles and tickers of `PRICE_EXCHANGE`, and for what it does not list from those of the exchanges
in `also`, over the first route (direct, inverse, or a bridge) that has them. What has no price is left out; nothing is
made up.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from django.db import connection

from core import clock
from marketdata import routes
from marketdata.models import Candle, Ticker
from marketdata.routes import Route

OLDEST: Final = timedelta(hours=3)  # how much older than its hour an hourly candle may be
_ITSELF: Final = "itself"
_When = TypeVar("_When", date, datetime, None)


@dataclass(frozen=True, slots=True)
class PricePoint:
    """`source` names exchange:SYMBOL:what (legs of a bridge joined by `*`); `at` is the moment the price is of."""

    price: Decimal
    source: str
    at: datetime


class _Quote(NamedTuple):
    """What one listing quotes."""

    price: Decimal
    what: str
    at: datetime


def at_hours(
    *, asset: str, currency: str, hours: Collection[datetime], also: Collection[str] = ()
) -> dict[datetime, PricePoint]:
    """Prices at the beginnings of hours.

    The open of the 1h candle opened then; else of the newest 1h candle at most three hours older; else of that
    UTC day's 1d candle. A number of queries that does not grow with the hours.
    """
    if asset == currency:
        return {hour: _one(hour) for hour in hours}
    among = routes.markets(exchanges=routes.sources(also), assets=[asset], currency=currency)
    quotes: dict[int, Mapping[datetime, _Quote]] = {}
    found: dict[datetime, PricePoint] = {}
    for route in routes.find(asset=asset, currency=currency, among=among):
        wanted = sorted(set(hours) - found.keys())
        if not wanted:
            break
        for listing_id in _listings([route]) - quotes.keys():
            quotes[listing_id] = _opens(listing_id, wanted)
        found |= _along(route, wanted, quotes)
    return found


def price_at(*, asset: str, currency: str, at: datetime) -> PricePoint | None:
    """The price of the hour `at` lies in, by the rule of `at_hours`."""
    hour = clock.floor_hour(at)
    return at_hours(asset=asset, currency=currency, hours=[hour]).get(hour)


def daily_closes(
    *, assets: Collection[str], currency: str, first: date, last: date, also: Collection[str] = ()
) -> dict[tuple[str, date], PricePoint]:
    """Closes by (asset, UTC day), of final candles only.

    The day the newest ticker is of, if it has no final candle yet, closes at that ticker for now.
    """
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    closes = {(asset, day): _one(clock.day_end(day)) for asset in assets if asset == currency for day in days}
    found = _routes(assets, currency, also)
    quotes = _closes(_listings(route for every in found.values() for route in every), first, last)
    for asset, every in found.items():
        for route in every:
            for day, point in _along(route, days, quotes).items():
                closes.setdefault((asset, day), point)
    for asset, point in latest(assets=found, currency=currency, also=also).items():
        if first <= (day := clock.utc_day(point.at)) <= last:
            closes.setdefault((asset, day), point)
    return closes


def latest(*, assets: Collection[str], currency: str, also: Collection[str] = ()) -> dict[str, PricePoint]:
    """The newest prices read, however old: their age is for the caller to judge. The currency itself is 1, now."""
    points = {asset: _one(clock.now()) for asset in assets if asset == currency}
    found = _routes(assets, currency, also)
    read = Ticker.objects.filter(
        listing_id__in=_listings(route for every in found.values() for route in every)
    )
    quotes = {
        listing_id: {None: _Quote(price, "ticker", read_at)}
        for listing_id, price, read_at in read.values_list("listing_id", "price", "read_at")
        if price > 0
    }
    for asset, every in found.items():
        for route in every:
            if point := _along(route, [None], quotes).get(None):
                points.setdefault(asset, point)
    return points


def _one(at: datetime) -> PricePoint:
    return PricePoint(Decimal(1), _ITSELF, at)


def _routes(assets: Collection[str], currency: str, also: Collection[str]) -> dict[str, list[Route]]:
    among = routes.markets(exchanges=routes.sources(also), assets=assets, currency=currency)
    return {
        asset: routes.find(asset=asset, currency=currency, among=among)
        for asset in assets
        if asset != currency
    }


def _listings(found: Iterable[Route]) -> set[int]:
    return {leg.market.listing_id for route in found for leg in route}


def _along(
    route: Route, moments: Iterable[_When], quotes: Mapping[int, Mapping[_When, _Quote]]
) -> dict[_When, PricePoint]:
    """Prices at those moments for which every leg has a quote."""
    legs = [quotes.get(leg.market.listing_id, {}) for leg in route]
    points = {
        moment: _point(route, [leg[moment] for leg in legs])
        for moment in moments
        if all(moment in leg for leg in legs)
    }
    return {moment: point for moment, point in points.items() if point is not None}


def _point(route: Route, quotes: Sequence[_Quote]) -> PricePoint | None:
    """The price along a route by its legs' quotes, as old as the oldest; None if it rounds to nothing."""
    price = routes.product(route, [quote.price for quote in quotes])
    source = routes.source(route, [quote.what for quote in quotes])
    return PricePoint(price, source, min(quote.at for quote in quotes)) if price else None


def _opens(listing_id: int, hours: Sequence[datetime]) -> dict[datetime, _Quote]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT hour, found.open, found.timeframe, found.opened_at
            FROM unnest(%(hours)s::timestamptz[]) AS hour, LATERAL (
              (SELECT open, timeframe, opened_at FROM marketdata_candle
               WHERE listing_id = %(listing)s AND timeframe = '1h'
               AND opened_at BETWEEN hour - %(oldest)s::interval AND hour ORDER BY opened_at DESC LIMIT 1)
              UNION ALL
              (SELECT open, timeframe, opened_at FROM marketdata_candle
               WHERE listing_id = %(listing)s AND timeframe = '1d' AND opened_at = date_trunc('day', hour, 'UTC'))
              ORDER BY timeframe DESC LIMIT 1
            ) AS found
            """,
            {"hours": list(hours), "listing": listing_id, "oldest": str(OLDEST)},
        )
        return {hour: _Quote(price, what, at) for hour, price, what, at in cursor.fetchall()}


def _closes(listing_ids: Collection[int], first: date, last: date) -> dict[int, dict[date, _Quote]]:
    stored = Candle.objects.filter(
        listing_id__in=listing_ids,
        timeframe="1d",
        is_final=True,
        opened_at__range=(clock.day_start(first), clock.day_start(last)),
    )
    quotes: dict[int, dict[date, _Quote]] = {}
    for listing_id, opened_at, close in stored.values_list("listing_id", "opened_at", "close"):
        day = clock.utc_day(opened_at)
        quotes.setdefault(listing_id, {})[day] = _Quote(close, "1d", clock.day_end(day))
    return quotes
