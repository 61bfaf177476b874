"""What books, trades and fees say of each UTC day: the sums that a snapshot holds beside its composition."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from portfolio import shares, valuations
from portfolio.models import BookDay, Fee, Trade, TradeKind


class BookRow(NamedTuple):
    """A book at the end of a day it changed."""

    asset: str
    quantity: Decimal
    cost: Decimal
    gross: Decimal
    is_shared: bool = False
    """Of a pool: the account's part of it."""


class Passed(NamedTuple):
    """An amount (signed) that came or went outside the asset's book, and the value it was counted at."""

    quantity: Decimal
    value: Decimal

    def plus(self, quantity: Decimal, value: Decimal) -> "Passed":
        return Passed(self.quantity + quantity, self.value + value)


def books(account: ExchangeAccount) -> dict[date, list[BookRow]]:
    """Of coins, and the account's shares of pools; those of contracts are `contract_days`'."""
    rows: dict[date, list[BookRow]] = defaultdict(list)
    columns = ("book__asset", "quantity", "cost", "gross_pnl")
    of_coins = BookDay.objects.filter(account=account, book__market_type=MarketType.SPOT, book__pool="")
    for day, *row in of_coins.order_by("day").values_list("day", *columns):
        rows[day].append(BookRow(*row))
    for day, parts in shares.by_day(account).items():
        rows[day] += [BookRow(*part[1:], is_shared=True) for part in parts]
    return dict(rows)


def trades(account: ExchangeAccount) -> dict[date, dict[str, Any]]:
    """Sums of the day's trades with known cost; coins spent on fees are no trades."""
    rows = (
        Trade.objects.filter(account=account, kind=TradeKind.TRADE, exit_quantity__gt=0)
        .annotate(day=TruncDate("exit_time"))
        .values("day")
        .annotate(
            net=Sum("net_pnl"),
            count=Count("id"),
            wins=Count("id", filter=Q(net_pnl__gt=0)),
            losses=Count("id", filter=Q(net_pnl__lt=0)),
            best=Max("net_pnl"),
            worst=Min("net_pnl"),
        )
        .order_by("day")
    )
    return {row["day"]: dict(row) for row in rows}


def fees(account: ExchangeAccount) -> dict[date, Decimal]:
    """Value of the day's fees; one that has no price yet is left out."""
    rows = (
        Fee.objects.filter(account=account, value__isnull=False)
        .exclude(fee_type="FUNDING")
        .annotate(day=TruncDate("fee_timestamp"))
        .values_list("day")
        .annotate(value=Sum("value"))
        .order_by("day")
    )
    return dict(rows)


def open_counts(account: ExchangeAccount, days: Sequence[date]) -> dict[date, int]:
    """How many positions were open at each day's end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.day, count(p.id) FROM unnest(%s::date[]) AS d (day) LEFT JOIN portfolio_position p"
            " ON p.account_id = %s AND p.entered_quantity > 0"
            " AND p.opened_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'"
            " AND (p.closed_at IS NULL OR p.closed_at >= (d.day + 1)::timestamp AT TIME ZONE 'UTC') GROUP BY d.day",
            [list(days), account.id],
        )
        return dict(cursor.fetchall())


# Legs outside the account's books, of cash and of pooled coins, at the values the books took (accounting.events);
# both legs of a fill between two kinds of cash have the same value, so its price does not matter. Fills in the
# reporting currency alone move nothing. A leg without a value has no price yet.
_OF_DAY: Final = """
    AND (t.symbol, t.exit_order_id) IN (
      SELECT symbol, CASE exchange_order_id WHEN '' THEN exchange_fill_id ELSE exchange_order_id END FROM orders_fill
      WHERE account_id = %(account)s AND executed_at >= %(since)s AND executed_at < %(until)s)"""
_LEGS: Final = f"""
WITH pins AS ({valuations.NEWEST}), fills AS (
  SELECT f.*, CASE f.side WHEN 'BUY' THEN 1 ELSE -1 END AS sign,
    CASE WHEN f.quote_asset = %(currency)s THEN 1 WHEN q.price IS NOT NULL THEN q.price
         WHEN f.base_asset = ANY(%(cash)s) AND f.quote_asset = ANY(%(cash)s) THEN 0 END AS quote_price
  FROM orders_fill f
  LEFT JOIN pins q ON q.asset = f.quote_asset AND q.at = date_trunc('hour', f.executed_at, 'UTC')
  WHERE f.account_id = %(account)s AND f.executed_at >= %(since)s AND f.executed_at < %(until)s AND (
    f.market_type = 'spot'
    AND (f.quote_asset <> %(currency)s AND f.quote_asset = ANY(%(outside)s) OR f.base_asset = ANY(%(outside)s))
    OR f.fee_amount <> 0 AND f.fee_currency <> %(currency)s AND f.fee_currency = ANY(%(outside)s))
), legs AS (
  SELECT f.executed_at AS at, each.asset, each.what, each.amount, each.value
  FROM fills f LEFT JOIN portfolio_fee fee ON fee.fill_id = f.id, LATERAL (VALUES
    (CASE f.market_type WHEN 'spot' THEN f.base_asset END, 'traded',
     f.sign * f.quantity, f.sign * f.quote_quantity * f.quote_price),
    (CASE f.market_type WHEN 'spot' THEN f.quote_asset END, 'traded',
     -f.sign * f.quote_quantity, -f.sign * f.quote_quantity * f.quote_price),
    (f.fee_currency, 'fees', -f.fee_amount, CASE WHEN f.fee_amount = 0 THEN 0 ELSE -fee.value END)
  ) AS each (asset, what, amount, value)
  WHERE each.asset = ANY(%(outside)s)
  UNION ALL
  SELECT x.executed_at, b.asset, 'unknown', -a.quantity, -a.proceeds
  FROM portfolio_trade t
  JOIN portfolio_position p ON p.id = t.position_id JOIN portfolio_book b ON b.id = p.book_id
  JOIN portfolio_allocation a ON a.trade_id = t.id AND a.source = 'UNKNOWN'
  JOIN orders_fill x ON x.id = a.exit_fill_id
  WHERE t.account_id = %(account)s AND t.market_type = 'spot' AND t.unknown_quantity > 0 AND b.pool = ''{{trades}}
  UNION ALL
  SELECT d.day::timestamp AT TIME ZONE 'UTC', b.asset, 'carried', d.moved_quantity, d.moved_cost
  FROM portfolio_bookday d JOIN portfolio_book b ON b.id = d.book_id
  WHERE d.account_id = %(account)s AND (d.moved_quantity <> 0 OR d.moved_cost <> 0) AND b.pool = ''
  UNION ALL
  SELECT fee_timestamp, fee_currency, 'network_fees', -fee_amount, -value FROM portfolio_fee
  WHERE account_id = %(account)s AND transfer_id IS NOT NULL
  UNION ALL
  SELECT d.day::timestamp AT TIME ZONE 'UTC', d.asset, each.what, each.amount, 0
  FROM portfolio_assetday d, LATERAL (VALUES
    ('settled', d.settled), ('funding', d.funding), ('income', d.income)) AS each (what, amount)
  WHERE d.account_id = %(account)s AND each.amount <> 0
)
"""
_PASSED: Final = f"""{_LEGS.format(trades="")}
SELECT (at AT TIME ZONE 'UTC')::date AS day, asset, sum(amount), round(sum(value), 18)
FROM legs WHERE value IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
_KINDS: Final = f"""{_LEGS.format(trades=_OF_DAY)}
SELECT asset, what, count(*) FILTER (WHERE value IS NOT NULL), sum(amount) FILTER (WHERE value IS NOT NULL), sum(value),
       count(*) FILTER (WHERE value IS NULL), sum(amount) FILTER (WHERE value IS NULL)
FROM legs WHERE at >= %(since)s AND at < %(until)s GROUP BY 1, 2 ORDER BY 1, 2
"""


class Legs(NamedTuple):
    """Of one asset and day what passed outside its book in one way: `what` of _LEGS. `value` is not rounded."""

    asset: str
    what: str
    facts: int
    quantity: Decimal
    value: Decimal
    unvalued: int
    """How many more there are whose price is not known, which count nowhere."""
    unvalued_quantity: Decimal


def passed(account: ExchangeAccount) -> dict[date, dict[str, Passed]]:
    """By day and asset what moved outside the account's books: cash and pooled coins in trades, coins of unknown cost
    sold, coins that left a book at cost or came into one, fees of withdrawals; rebates, charges, airdrops and interest,
    which nothing else counts; and what contracts settled and paid, which `contract_days` counts. Deposits and
    withdrawals themselves are valued at the close."""
    found: dict[date, dict[str, Passed]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_PASSED, _of(account) | {"since": "-infinity", "until": "infinity"})
        for day, asset, quantity, value in cursor.fetchall():
            found[day][asset] = Passed(quantity, value)
    return dict(found)


def legs(account: ExchangeAccount, day: date) -> list[Legs]:
    """What a day of `passed` is made of; those without a price beside it."""
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, _of(account) | {"since": clock.day_start(day), "until": clock.day_end(day)})
        return [Legs._make(ZERO if each is None else each for each in row) for row in cursor.fetchall()]


def _of(account: ExchangeAccount) -> dict[str, Any]:
    return {
        "account": account.id,
        "user": account.user_id,
        "currency": account.user.reporting_currency,
        "cash": sorted(settings.CASH_ASSETS),
        "outside": sorted({*settings.CASH_ASSETS, *shares.coins(account)}),
    }
