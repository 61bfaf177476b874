"""Facts as the books read them: streamed in fold order, amounts as whole units of 10**-18. Needs an open door."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

_BATCH: Final = 5_000
_UNITS: Final = "trunc(({0}) * 1000000000000000000)::text"
# Whole microseconds of our time fit a double exactly; extract() would compute in NUMERIC, at ten times the cost.
_MS: Final = "(date_part('epoch', {0}) * 1000000)::bigint / 1000"


class BookFill(NamedTuple):
    """A fill that touches a book as its base, its quote or its fee's coin; `fact` is its row's id."""

    fill_id: str
    symbol: str
    base: str
    quote: str
    side: str
    price: int
    quantity: int
    quote_quantity: int
    fee_amount: int
    fee_currency: str
    executed_ms: int
    order_id: str
    fact: int


class BookTransfer(NamedTuple):
    """A deposit or withdrawal that counts; `quantity` is all that came in or left, the fee included."""

    transfer_id: str
    kind: str
    time_ms: int
    quantity: int


class AssetChange(NamedTuple):
    """What facts changed an asset's balance by on a UTC day."""

    asset: str
    day: date
    traded: Decimal
    deposited: Decimal
    withdrawn: Decimal
    withdrawal_fees: Decimal


# A NUMERIC(38,18) as text has all its 18 decimals: without the point it is the number of units.
_FILLS: Final = f"""
SELECT exchange_fill_id, symbol, base_asset, quote_asset, side, price::text, quantity::text, quote_quantity::text,
       fee_amount::text, fee_currency, {_MS.format("executed_at")}, exchange_order_id, id
FROM orders_fill
WHERE account_id = %(account)s AND executed_at >= %(after)s
  AND (base_asset = %(asset)s OR quote_asset = %(asset)s OR fee_currency = %(asset)s)
ORDER BY executed_at, length(exchange_fill_id), exchange_fill_id COLLATE "C", symbol COLLATE "C"
"""
_TRANSFERS: Final = f"""
SELECT exchange_transfer_id, kind, {_MS.format("occurred_at")}, {_UNITS.format("amount + fee_amount")}
FROM orders_transfer
WHERE account_id = %(account)s AND asset = %(asset)s AND occurred_at >= %(after)s
  AND (kind = 'DEPOSIT' AND status = 'success' OR kind = 'WITHDRAWAL' AND status <> 'failed')
  AND amount + fee_amount > 0
ORDER BY occurred_at, length(exchange_transfer_id), exchange_transfer_id COLLATE "C"
"""
_CHANGES: Final = """
WITH wanted AS (
  SELECT asset, day, day::timestamp AT TIME ZONE 'UTC' AS since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
  FROM unnest(%(assets)s::text[], %(days)s::date[]) AS wanted (asset, day)
), span AS (
  SELECT min(since) AS since, max(until) AS until FROM wanted
), fills AS (
  SELECT (executed_at AT TIME ZONE 'UTC')::date AS day, each.asset, sum(each.amount) AS amount
  FROM orders_fill, LATERAL (VALUES
    (base_asset, CASE side WHEN 'BUY' THEN quantity ELSE -quantity END),
    (quote_asset, CASE side WHEN 'BUY' THEN -quote_quantity ELSE quote_quantity END),
    (fee_currency, -fee_amount)
  ) AS each (asset, amount)
  WHERE account_id = %(account)s AND executed_at >= (SELECT since FROM span) AND executed_at < (SELECT until FROM span)
  GROUP BY 1, 2
), moves AS (
  SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, asset,
         sum(amount) FILTER (WHERE kind = 'DEPOSIT' AND status = 'success') AS deposited,
         sum(amount) FILTER (WHERE kind = 'WITHDRAWAL' AND status <> 'failed') AS withdrawn,
         sum(fee_amount) FILTER (WHERE kind = 'WITHDRAWAL' AND status <> 'failed') AS fees
  FROM orders_transfer
  WHERE account_id = %(account)s AND occurred_at >= (SELECT since FROM span) AND occurred_at < (SELECT until FROM span)
  GROUP BY 1, 2
)
SELECT w.asset, w.day, coalesce(f.amount, 0), coalesce(m.deposited, 0), coalesce(m.withdrawn, 0), coalesce(m.fees, 0)
FROM wanted w LEFT JOIN fills f USING (asset, day) LEFT JOIN moves m USING (asset, day)
"""

_AFTER: Final = """
WITH wanted AS (
  SELECT asset, day, since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
  FROM unnest(%(assets)s::text[], %(days)s::date[], %(since)s::timestamptz[]) AS wanted (asset, day, since)
), later AS (
  SELECT w.asset, w.day, w.since, f.executed_at AS at, each.amount
  FROM wanted w
  JOIN orders_fill f ON f.account_id = %(account)s AND f.executed_at > w.since AND f.executed_at < w.until,
  LATERAL (VALUES
    (f.base_asset, CASE f.side WHEN 'BUY' THEN f.quantity ELSE -f.quantity END),
    (f.quote_asset, CASE f.side WHEN 'BUY' THEN -f.quote_quantity ELSE f.quote_quantity END),
    (f.fee_currency, -f.fee_amount)
  ) AS each (asset, amount)
  WHERE each.asset = w.asset
  UNION ALL
  SELECT w.asset, w.day, w.since, t.occurred_at,
         CASE t.kind WHEN 'DEPOSIT' THEN t.amount ELSE -t.amount - t.fee_amount END
  FROM wanted w
  JOIN orders_transfer t ON t.account_id = %(account)s AND t.asset = w.asset AND t.occurred_at > w.since
   AND t.occurred_at < w.until
   AND (t.kind = 'DEPOSIT' AND t.status = 'success' OR t.kind = 'WITHDRAWAL' AND t.status <> 'failed')
)
SELECT asset, day, sum(amount), coalesce(sum(amount) FILTER (WHERE at > since + %(margin)s::interval), 0)
FROM later GROUP BY asset, day
"""


def book_fills(*, account_id: UUID, asset: str, after: datetime | None) -> Iterator[BookFill]:
    """Fills that touch the asset's book, from a moment on (inclusive), in fold order; few are held at a time."""
    for row in _stream("book_fills", _FILLS, account_id, asset, after):
        fill_id, symbol, base, quote, side, price, quantity, value, fee, coin, at, order_id, fact = row
        yield BookFill(
            fill_id, symbol, base, quote, side, int(price.replace(".", "")), int(quantity.replace(".", "")),
            int(value.replace(".", "")), int(fee.replace(".", "")), coin, at, order_id, fact,
        )  # fmt: skip


def book_transfers(*, account_id: UUID, asset: str, after: datetime | None) -> Iterator[BookTransfer]:
    """Deposits that arrived and withdrawals that did not fail, in fold order, from a moment on (inclusive)."""
    scope: dict[str, Any] = {"account": account_id, "asset": asset, "after": after or "1970-01-01Z"}
    with connection.cursor() as cursor:
        cursor.execute(_TRANSFERS, scope)
        rows = cursor.fetchall()
    for transfer_id, kind, at, quantity in rows:
        yield BookTransfer(transfer_id, kind, at, int(quantity))


def asset_changes(*, account_id: UUID, pairs: Collection[tuple[str, date]]) -> list[AssetChange]:
    """Exact sums by asset and day, for the days asked; a day without facts any more comes as zeros."""
    if not pairs:
        return []
    assets, days = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"account": account_id, "assets": list(assets), "days": list(days)})
        return [AssetChange(*row) for row in cursor.fetchall()]


def changes_after(
    *, account_id: UUID, moments: Mapping[tuple[str, date], datetime], margin: timedelta
) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
    """By asset and UTC day: what facts changed after a moment of that day until its end, and what of it came later
    than `margin` after the moment. Left out where there is nothing."""
    if not moments:
        return {}
    assets, days = zip(*moments, strict=True)
    scope: dict[str, Any] = {
        "account": account_id,
        "assets": list(assets),
        "days": list(days),
        "since": list(moments.values()),
        "margin": margin,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, scope)
        return {(asset, day): (after, late) for asset, day, after, late in cursor.fetchall()}


def _stream(
    name: str, sql: str, account_id: UUID, asset: str, after: datetime | None
) -> Iterator[tuple[Any, ...]]:
    """Rows of a server-side cursor, which lives in the open transaction."""
    connection.ensure_connection()
    with connection.connection.cursor(name=name) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(sql, {"account": account_id, "asset": asset, "after": after or "1970-01-01Z"})
        while rows := cursor.fetchmany(_BATCH):
            yield from rows
