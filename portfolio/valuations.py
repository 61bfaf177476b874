"""Prices used once stay used: each (asset, currency, hour) a fact needed is pinned in `Valuation`.

A fill's fee coin and a quote coin that is not the reporting currency are valued at the opening price of the
hour the fill happened in; mended candles change nothing that is pinned.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection

from marketdata import prices
from portfolio.models import Valuation

# The hours an account's facts since a moment need, less those pinned already.
_NEEDED = """
SELECT DISTINCT asset, date_trunc('hour', at, 'UTC') AS hour FROM (
  SELECT fee_currency AS asset, executed_at AS at FROM orders_fill
   WHERE account_id = %(account)s AND executed_at >= %(since)s
     AND fee_amount <> 0
     AND (market_type <> 'spot' OR fee_currency <> base_asset AND fee_currency <> quote_asset)
  UNION ALL
  SELECT CASE market_type WHEN 'spot' THEN quote_asset ELSE settle_asset END, executed_at
   FROM orders_fill WHERE account_id = %(account)s AND executed_at >= %(since)s
  UNION ALL
  SELECT asset, paid_at FROM orders_fundingpayment WHERE account_id = %(account)s AND paid_at >= %(since)s
  UNION ALL
  SELECT asset, occurred_at FROM orders_transfer
   WHERE account_id = %(account)s AND occurred_at >= %(since)s
     AND (fee_amount <> 0 OR kind IN ('AIRDROP', 'INTEREST') AND status = 'success')
) AS used
WHERE asset <> %(currency)s
EXCEPT
SELECT asset, at FROM portfolio_valuation
WHERE user_id = %(user)s AND currency = %(currency)s AND at >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
"""

# Pinned prices as a query: the newest version of each, from the hour of a moment on.
NEWEST = """
  SELECT DISTINCT ON (asset, at) asset, at, price, source FROM portfolio_valuation
  WHERE user_id = %(user)s AND currency = %(currency)s AND at >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
  ORDER BY asset, at, version DESC
"""

HOUR = timedelta(hours=1)
_GAP = timedelta(days=7)  # needs closer than this are fetched as one range


@dataclass(frozen=True, slots=True)
class PriceNeed:
    """Candles of `asset` in `currency` that somebody waits for, opened in [since, until)."""

    asset: str
    currency: str
    since: datetime
    until: datetime
    timeframe: str
    also: tuple[str, ...] = ()
    """Exchanges to ask where the price exchange does not list the asset: those of the accounts that need it."""
    contracts: tuple[str, ...] = ()
    """Contracts on the asset at those exchanges: their candles stand in where no spot market has any."""


def needed_hours(
    *, user_id: UUID, account_id: UUID, currency: str, since: datetime
) -> dict[str, list[datetime]]:
    """Hours by asset that facts since a moment need and nobody pinned yet, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEEDED, {"account": account_id, "user": user_id, "currency": currency, "since": since}
        )
        hours: dict[str, list[datetime]] = defaultdict(list)
        for asset, hour in sorted(cursor.fetchall()):
            hours[asset].append(hour)
    return dict(hours)


def pin(
    *, user_id: UUID, account_id: UUID, exchange: str, currency: str, since: datetime
) -> dict[str, list[datetime]]:
    """Pin the prices that are known; answers the hours by asset that still have none. `exchange`: the account's."""
    needed = needed_hours(user_id=user_id, account_id=account_id, currency=currency, since=since)
    missing: dict[str, list[datetime]] = {}
    for asset, hours in needed.items():
        points = prices.at_hours(asset=asset, currency=currency, hours=hours, also=[exchange])
        Valuation.objects.bulk_create(
            [
                Valuation(
                    user_id=user_id,
                    asset=asset,
                    currency=currency,
                    at=hour,
                    price=point.price,
                    source=point.source,
                    source_at=point.at,
                )
                for hour, point in points.items()
            ],
            ignore_conflicts=True,
            batch_size=2000,
        )
        unknown = [hour for hour in hours if hour not in points]
        if unknown:
            missing[asset] = unknown
    return missing


def pinned(*, user_id: UUID, currency: str, since: datetime) -> dict[tuple[str, datetime], Decimal]:
    """Pinned prices by asset and hour; the newest version of each."""
    rows = (
        Valuation.objects.filter(user_id=user_id, currency=currency, at__gte=since)
        .order_by("version")
        .values_list("asset", "at", "price")
    )
    return {(asset, at): price for asset, at, price in rows}


def as_needs(missing: dict[str, list[datetime]], *, exchange: str, currency: str) -> list[PriceNeed]:
    """Hours as few ranges of hourly candles."""
    needs = []
    for asset, hours in missing.items():
        first = last = hours[0]
        for hour in [*hours[1:], None]:
            if hour is not None and hour - last <= _GAP:
                last = hour
                continue
            needs.append(PriceNeed(asset, currency, first, last + HOUR, "1h", also=(exchange,)))
            if hour is not None:
                first = last = hour
    return needs
