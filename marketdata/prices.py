"""The price of an asset in a currency at a time, with where it is from and of which moment.

The price of an hour is the opening of its hourly candle: known before anything that happened in the hour. Where
that candle is missing, the newest one of the three hours before stands in, then the opening of the day's candle.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings

from core import clock
from core.money import CONTEXT, PLACES, quantize
from marketdata import routes
from marketdata.models import Candle, Ticker
from marketdata.routes import Leg, Route

STANDS_IN: Final = timedelta(hours=3)
STALE_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PricePoint:
    """`at` is the moment the price is of; `source` names exchange, symbol and timeframe."""

    price: Decimal
    source: str
    at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Too old to value by; shown with its age, never zeroed."""
        return now - self.at > STALE_AFTER


def price_at(*, asset: str, currency: str, at: datetime) -> PricePoint | None:
    """The price of the hour a moment lies in."""
    hour = clock.floor_hour(at)
    return at_hours(asset=asset, currency=currency, hours=[hour]).get(hour)


def at_hours(*, asset: str, currency: str, hours: Collection[datetime]) -> dict[datetime, PricePoint]:
    """The price of each hour that has one, in two queries a leg."""
    if not hours:
        return {}
    route = _routes([asset], currency).get(asset)
    if asset == currency or route is None:
        return {hour: _par(hour) for hour in hours} if asset == currency else {}
    series = [_Openings(leg, min(hours), max(hours)) for leg in route]
    return _join(hours, [opening.at for opening in series])


def daily_closes(
    *, assets: Collection[str], currency: str, first: date, last: date
) -> dict[tuple[str, date], PricePoint]:
    """The close of each day's final candle by asset and day; days without one are left out."""
    found = _routes(assets, currency)
    ids = {leg.listing_id for route in found.values() for leg in route}
    rows = Candle.objects.filter(
        listing_id__in=ids,
        timeframe="1d",
        is_final=True,
        opened_at__gte=clock.day_start(first),
        opened_at__lt=clock.day_end(last),
    ).values_list("listing_id", "opened_at", "close")
    closes = {(listing_id, clock.utc_day(opened_at)): close for listing_id, opened_at, close in rows}
    days = {day for _, day in closes}
    points = {}
    for asset, route in found.items():
        for day in days:
            legs = [
                _directed(leg, closes.get((leg.listing_id, day)), "1d", clock.day_end(day)) for leg in route
            ]
            point = _chain(legs)
            if point is not None:
                points[asset, day] = point
    return points


def latest(*, assets: Collection[str], currency: str) -> dict[str, PricePoint]:
    """The newest known price of each asset: of every leg the last ticker, as old as the older one."""
    found = _routes(assets, currency)
    ids = {leg.listing_id for route in found.values() for leg in route}
    tickers = {
        listing_id: (price, read_at)
        for listing_id, price, read_at in Ticker.objects.filter(listing_id__in=ids).values_list(
            "listing_id", "price", "read_at"
        )
    }
    points = {}
    for asset, route in found.items():
        legs = [
            _directed(leg, *_ticker(tickers.get(leg.listing_id))) if leg.listing_id in tickers else None
            for leg in route
        ]
        point = _chain(legs)
        if point is not None:
            points[asset] = point
    if currency in assets:
        points[currency] = _par(max((at for _, at in tickers.values()), default=clock.EPOCH))
    return points


def _ticker(row: tuple[Decimal, datetime] | None) -> tuple[Decimal | None, str, datetime]:
    price, read_at = row if row else (None, clock.EPOCH)
    return price, "ticker", read_at


def _par(at: datetime) -> PricePoint:
    return PricePoint(Decimal(1), "par", at)


def _routes(assets: Collection[str], currency: str) -> dict[str, Route]:
    wanted = [asset for asset in assets if asset != currency]
    if not wanted:
        return {}
    return routes.find(exchange=settings.PRICE_EXCHANGE, assets=wanted, currency=currency)


class _Openings:
    """Opening prices of one leg around the wanted hours."""

    def __init__(self, leg: Leg, first: datetime, last: datetime) -> None:
        self._leg = leg
        rows = Candle.objects.filter(
            listing_id=leg.listing_id,
            timeframe__in=("1h", "1d"),
            opened_at__gte=clock.day_start(clock.utc_day(first)) - STANDS_IN,
            opened_at__lte=last,
        ).order_by("opened_at")
        self._hourly: list[tuple[datetime, Decimal]] = []
        self._daily: dict[date, tuple[datetime, Decimal]] = {}
        for timeframe, opened_at, price in rows.values_list("timeframe", "opened_at", "open"):
            if timeframe == "1h":
                self._hourly.append((opened_at, price))
            else:
                self._daily[clock.utc_day(opened_at)] = (opened_at, price)
        self._times = [opened_at for opened_at, _ in self._hourly]

    def at(self, hour: datetime) -> PricePoint | None:
        place = bisect_right(self._times, hour) - 1
        if place >= 0 and hour - self._times[place] <= STANDS_IN:
            opened_at, price = self._hourly[place]
            return _directed(self._leg, price, "1h", opened_at)
        daily = self._daily.get(clock.utc_day(hour))
        return _directed(self._leg, daily[1], "1d", daily[0]) if daily else None


def _join(
    hours: Collection[datetime], series: Sequence[Callable[[datetime], PricePoint | None]]
) -> dict[datetime, PricePoint]:
    points = {}
    for hour in hours:
        point = _chain([at(hour) for at in series])
        if point is not None:
            points[hour] = point
    return points


def _directed(leg: Leg, price: Decimal | None, timeframe: str, at: datetime) -> PricePoint | None:
    """The leg's price in its direction, rounded to the 18 places that are kept."""
    if not price:
        return None
    value = quantize(CONTEXT.divide(Decimal(1), price)) if leg.inverted else price
    return PricePoint(value, f"{leg.label}:{timeframe}", at) if value else None


def _chain(legs: Sequence[PricePoint | None]) -> PricePoint | None:
    """The product of all legs, as old as the oldest; None if one is missing."""
    if not legs or any(leg is None for leg in legs):
        return None
    known = [leg for leg in legs if leg is not None]
    price = known[0].price
    for leg in known[1:]:
        price = quantize(CONTEXT.multiply(price, leg.price), PLACES)
    if not price:
        return None
    return PricePoint(price, " × ".join(leg.source for leg in known), min(leg.at for leg in known))
