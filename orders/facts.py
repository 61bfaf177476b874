"""Facts as the books read them: streamed in fold order, amounts as whole units of 10**-18. Needs an open door."""

from collections.abc import Collection, Generator, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from core.money import ZERO
from exchanges.rows import REPORTED_WALLETS

_BATCH: Final = 5_000
_new: Final = tuple.__new__  # a named tuple without its constructor's cost
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


class ContractFill(NamedTuple):
    """A fill of a contract; `quantity` and `quote_quantity` as `exchanges.rows.ContractSide` says. Amounts of
    `realized_pnl` (None: the exchange does not tell) are in the settle asset."""

    fill_id: str
    symbol: str
    position_side: str
    side: str
    price: int
    quantity: int
    quote_quantity: int
    fee_amount: int
    fee_currency: str
    settle_asset: str
    is_inverse: bool
    realized_pnl: int | None
    is_liquidation: bool
    executed_ms: int
    order_id: str
    fact: int


class FundingFact(NamedTuple):
    """A funding payment: received (> 0) or paid (< 0)."""

    payment_id: str
    symbol: str
    position_side: str
    amount: int
    asset: str
    paid_ms: int
    fact: int


class BookTransfer(NamedTuple):
    """A transfer that counts for a coin's book; `quantity` is all that came in or left, the fee included.

    Of deposits: what the user says it cost, and the withdrawal from another account of theirs that it is (its row).
    """

    transfer_id: str
    kind: str
    time_ms: int
    quantity: int
    fact: int
    stated_cost: int | None
    carried_by: int | None


class AssetChange(NamedTuple):
    """What facts changed an asset's balance by on a UTC day."""

    asset: str
    day: date
    traded: Decimal
    deposited: Decimal
    withdrawn: Decimal
    withdrawal_fees: Decimal
    settled: Decimal = ZERO
    funding: Decimal = ZERO
    income: Decimal = ZERO
    moved: Decimal = ZERO


# A NUMERIC(38,18) as text has all its 18 decimals: without the point it is the number of units.
# Of a contract a coin's book sees the fee alone: it reads as a fill of no coin, for nothing.
_FILLS: Final = f"""
SELECT exchange_fill_id, symbol, base_asset, quote_asset, side, price::text, quantity::text, quote_quantity::text,
       fee_amount::text, fee_currency, {_MS.format("executed_at")}, exchange_order_id, id, market_type = 'spot'
FROM orders_fill
WHERE account_id = %(account)s AND executed_at >= %(after)s AND (
  market_type = 'spot' AND (base_asset = %(asset)s OR quote_asset = %(asset)s OR fee_currency = %(asset)s)
  OR market_type <> 'spot' AND fee_currency = %(asset)s AND fee_amount <> 0)
ORDER BY executed_at, length(exchange_fill_id), exchange_fill_id COLLATE "C", symbol COLLATE "C"
"""
_CONTRACT_FILLS: Final = f"""
SELECT exchange_fill_id, symbol, position_side, side, price::text, quantity::text, quote_quantity::text,
       fee_amount::text, fee_currency, settle_asset, is_inverse, realized_pnl::text, is_liquidation,
       {_MS.format("executed_at")}, exchange_order_id, id
FROM orders_fill
WHERE account_id = %(account)s AND market_type <> 'spot' AND symbol = %(symbol)s AND position_side = %(side)s
  AND executed_at >= %(after)s
ORDER BY executed_at, length(exchange_fill_id), exchange_fill_id COLLATE "C"
"""
_CONTRACT_FUNDING: Final = f"""
SELECT exchange_payment_id, symbol, position_side, {_UNITS.format("amount")}, asset, {_MS.format("paid_at")}, id
FROM orders_fundingpayment
WHERE account_id = %(account)s AND symbol = %(symbol)s AND position_side = %(side)s AND paid_at >= %(after)s
ORDER BY paid_at, length(exchange_payment_id), exchange_payment_id COLLATE "C"
"""
_ALL_OF_IT: Final = "amount + CASE WHEN kind IN ('AIRDROP', 'INTEREST') THEN -fee_amount ELSE fee_amount END"
_TRANSFERS: Final = f"""
SELECT exchange_transfer_id, kind, {_MS.format("occurred_at")}, {_UNITS.format(_ALL_OF_IT)}, t.id,
       {_UNITS.format("c.cost")}, o.outgoing_id
FROM orders_transfer t
LEFT JOIN orders_statedcost c ON c.transfer_id = t.id
LEFT JOIN orders_owntransfer o ON o.incoming_id = t.id AND o.state = 'confirmed'
WHERE t.account_id = %(account)s AND asset = %(asset)s AND occurred_at >= %(after)s
  AND (kind IN ('DEPOSIT', 'AIRDROP', 'INTEREST') AND status = 'success' OR kind = 'WITHDRAWAL' AND status <> 'failed')
  AND {_ALL_OF_IT} > 0
ORDER BY occurred_at, length(exchange_transfer_id), exchange_transfer_id COLLATE "C"
"""
# What a fill moves, as (asset, traded, settled): of a contract only its profit and its fee.
_FILL_MOVES: Final = """(VALUES
    (CASE market_type WHEN 'spot' THEN base_asset ELSE settle_asset END,
     CASE WHEN market_type <> 'spot' THEN 0 WHEN side = 'BUY' THEN quantity ELSE -quantity END,
     coalesce(realized_pnl, 0)),
    (quote_asset,
     CASE WHEN market_type <> 'spot' THEN 0 WHEN side = 'BUY' THEN -quote_quantity ELSE quote_quantity END, 0),
    (fee_currency, -fee_amount, 0)
  ) AS each (asset, traded, settled)"""
# As `orders.movements.counts` says.
_COUNTS: Final = "CASE kind WHEN 'WITHDRAWAL' THEN status <> 'failed' ELSE status = 'success' END"
_INCOME: Final = (
    "CASE WHEN kind IN ('REBATE', 'AIRDROP', 'INTEREST') THEN amount - fee_amount"
    " WHEN kind = 'CHARGE' THEN -amount - fee_amount ELSE 0 END"
)
_MOVED: Final = """CASE kind WHEN 'INTERNAL' THEN
    CASE WHEN to_wallet = ANY(%(wallets)s::text[]) THEN amount ELSE 0 END
    - CASE WHEN from_wallet = ANY(%(wallets)s::text[]) THEN amount + fee_amount ELSE 0 END ELSE 0 END"""
_PAID: Final = "CASE kind WHEN 'DEPOSIT' THEN amount WHEN 'WITHDRAWAL' THEN -amount - fee_amount ELSE 0 END"
_CHANGES: Final = f"""
WITH wanted AS (
  SELECT asset, day, day::timestamp AT TIME ZONE 'UTC' AS since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
  FROM unnest(%(assets)s::text[], %(days)s::date[]) AS wanted (asset, day)
), span AS (
  SELECT min(since) AS since, max(until) AS until FROM wanted
), fills AS (
  SELECT (executed_at AT TIME ZONE 'UTC')::date AS day, each.asset, sum(each.traded) AS traded,
         sum(each.settled) AS settled
  FROM orders_fill, LATERAL {_FILL_MOVES}
  WHERE account_id = %(account)s AND executed_at >= (SELECT since FROM span) AND executed_at < (SELECT until FROM span)
  GROUP BY 1, 2
), moves AS (
  SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, asset,
         sum(amount) FILTER (WHERE kind = 'DEPOSIT') AS deposited,
         sum(amount) FILTER (WHERE kind = 'WITHDRAWAL') AS withdrawn,
         sum(fee_amount) FILTER (WHERE kind = 'WITHDRAWAL') AS fees,
         sum({_INCOME}) AS income, sum({_MOVED}) AS moved
  FROM orders_transfer
  WHERE account_id = %(account)s AND occurred_at >= (SELECT since FROM span) AND occurred_at < (SELECT until FROM span)
    AND {_COUNTS}
  GROUP BY 1, 2
), payments AS (
  SELECT (paid_at AT TIME ZONE 'UTC')::date AS day, asset, sum(amount) AS funding
  FROM orders_fundingpayment
  WHERE account_id = %(account)s AND paid_at >= (SELECT since FROM span) AND paid_at < (SELECT until FROM span)
  GROUP BY 1, 2
)
SELECT w.asset, w.day, coalesce(f.traded, 0), coalesce(m.deposited, 0), coalesce(m.withdrawn, 0), coalesce(m.fees, 0),
       coalesce(f.settled, 0), coalesce(p.funding, 0), coalesce(m.income, 0), coalesce(m.moved, 0)
FROM wanted w LEFT JOIN fills f USING (asset, day) LEFT JOIN moves m USING (asset, day)
LEFT JOIN payments p USING (asset, day)
"""

_AFTER: Final = f"""
WITH wanted AS (
  SELECT asset, day, since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
  FROM unnest(%(assets)s::text[], %(days)s::date[], %(since)s::timestamptz[]) AS wanted (asset, day, since)
), later AS (
  SELECT w.asset, w.day, w.since, f.executed_at AS at, each.traded + each.settled AS amount
  FROM wanted w
  JOIN orders_fill f ON f.account_id = %(account)s AND f.executed_at > w.since AND f.executed_at < w.until,
  LATERAL {_FILL_MOVES}
  WHERE each.asset = w.asset
  UNION ALL
  SELECT w.asset, w.day, w.since, t.occurred_at, {_PAID} + {_INCOME} + {_MOVED}
  FROM wanted w
  JOIN orders_transfer t ON t.account_id = %(account)s AND t.asset = w.asset AND t.occurred_at > w.since
   AND t.occurred_at < w.until AND {_COUNTS}
  UNION ALL
  SELECT w.asset, w.day, w.since, p.paid_at, p.amount
  FROM wanted w
  JOIN orders_fundingpayment p ON p.account_id = %(account)s AND p.asset = w.asset AND p.paid_at > w.since
   AND p.paid_at < w.until
)
SELECT asset, day, sum(amount), coalesce(sum(amount) FILTER (WHERE at > since + %(margin)s::interval), 0)
FROM later GROUP BY asset, day
"""


def book_fills(*, account_id: UUID, asset: str, after: datetime | None) -> Iterator[BookFill]:
    """Fills that touch the asset's book, from a moment on (inclusive), in fold order; few are held at a time.

    A contract's fill whose fee is paid in the asset has no base, and the fee's coin for a quote that nothing of was
    paid: the fee is all of it that a coin's book bears.
    """
    for row in _stream("book_fills", _FILLS, account_id, after, asset=asset):
        fill_id, symbol, base, quote, side, price, quantity, value, fee, coin, at, order_id, fact, is_spot = (
            row
        )
        units = int(fee.replace(".", ""))
        if is_spot:
            amounts = int(price.replace(".", "")), int(quantity.replace(".", "")), int(value.replace(".", ""))
            yield _new(
                BookFill, (fill_id, symbol, base, quote, side, *amounts, units, coin, at, order_id, fact)
            )
        else:
            whole = int(quantity.replace(".", ""))
            yield BookFill(fill_id, symbol, "", coin, side, 0, whole, 0, units, coin, at, order_id, fact)


def contract_fills(
    *, account_id: UUID, symbol: str, side: str, after: datetime | None
) -> Generator[ContractFill, None, None]:
    """Fills of one side of a contract (BOTH, LONG, SHORT), from a moment on (inclusive), in fold order: by time, then
    the longer id later, then the id."""
    for row in _stream("contract_fills", _CONTRACT_FILLS, account_id, after, symbol=symbol, side=side):
        fill_id, name, position, way, price, quantity, value, fee, coin, settle, inverse, pnl, *rest = row
        yield ContractFill(
            fill_id, name, position, way, int(price.replace(".", "")), int(quantity.replace(".", "")),
            int(value.replace(".", "")), int(fee.replace(".", "")), coin, settle, inverse,
            None if pnl is None else int(pnl.replace(".", "")), *rest,
        )  # fmt: skip


def contract_funding(
    *, account_id: UUID, symbol: str, side: str, after: datetime | None
) -> Generator[FundingFact, None, None]:
    """Funding of one side of a contract, from a moment on (inclusive), in fold order: by time, then the longer id
    later, then the id. Exchanges that do not tell the side say BOTH, also in hedge mode."""
    for row in _stream("contract_funding", _CONTRACT_FUNDING, account_id, after, symbol=symbol, side=side):
        payment_id, name, position, amount, asset, at, fact = row
        yield FundingFact(payment_id, name, position, int(amount), asset, at, fact)


def book_transfers(*, account_id: UUID, asset: str, after: datetime | None) -> Iterator[BookTransfer]:
    """Deposits, airdrops and interest that arrived and withdrawals that did not fail, in fold order, from a moment on
    (inclusive)."""
    scope: dict[str, Any] = {"account": account_id, "asset": asset, "after": after or "1970-01-01Z"}
    with connection.cursor() as cursor:
        cursor.execute(_TRANSFERS, scope)
        rows = cursor.fetchall()
    for transfer_id, kind, at, quantity, fact, cost, carried_by in rows:
        stated = None if cost is None else int(cost)
        yield BookTransfer(transfer_id, kind, at, int(quantity), fact, stated, carried_by)


def asset_changes(*, account_id: UUID, pairs: Collection[tuple[str, date]]) -> list[AssetChange]:
    """Exact sums by asset and day, for the days asked; a day without facts any more comes as zeros."""
    if not pairs:
        return []
    assets, days = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGES,
            {
                "account": account_id,
                "assets": list(assets),
                "days": list(days),
                "wallets": list(REPORTED_WALLETS),
            },
        )
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
        "wallets": list(REPORTED_WALLETS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, scope)
        return {(asset, day): (after, late) for asset, day, after, late in cursor.fetchall()}


def _stream(
    name: str, sql: str, account_id: UUID, after: datetime | None, **scope: str
) -> Iterator[tuple[Any, ...]]:
    """Rows of a server-side cursor, which lives in the open transaction."""
    connection.ensure_connection()
    # One of each account may be open at a time.
    with connection.connection.cursor(name=f"{name}_{account_id.hex}") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(sql, {"account": account_id, "after": after or "1970-01-01Z", **scope})
        while rows := cursor.fetchmany(_BATCH):
            yield from rows
