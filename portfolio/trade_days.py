"""Sums over closed trades by account, UTC day, symbol and strategy: kept where days change, read for any period.

What `accounting.trade_sums` computes from single trades in memory, the database computes here where they lie.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min, QuerySet, Sum

from portfolio.accounting.periods import Period
from portfolio.accounting.trade_sums import TradeSums
from portfolio.models import TradeDay

_EXTREMES: Final = {"largest_win": Max("largest_win"), "largest_loss": Min("largest_loss")}
COLUMNS: Final = tuple(column.name for column in fields(TradeSums) if column.name != "fee_exits")
_TOGETHER: Final[Mapping[str, Any]] = {
    f"{name}_sum": _EXTREMES[name] if name in _EXTREMES else Sum(name) for name in COLUMNS
}

# Whole days of an account, each by its index on exit times: the offset keeps the planner from comparing every day with
# every trade, as it does where it cannot tell how few trades a day has.
_OF_DAYS: Final = """
FROM unnest(%(accounts)s::uuid[], %(days)s::date[]) AS d (account_id, day)
CROSS JOIN LATERAL (
  SELECT * FROM portfolio_trade WHERE user_id = %(user)s AND account_id = d.account_id AND kind = 'TRADE'
    AND exit_time >= d.day::timestamp AT TIME ZONE 'UTC' AND exit_time < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
  OFFSET 0) t
"""
# A coin's stop is in the quote of the order that opened its position, its entry in the reporting currency: the stop is
# worth what the quote was then.
_STOP: Final = """
CROSS JOIN LATERAL (SELECT t.stop_loss_price * CASE
    WHEN t.stop_loss_price IS NULL OR t.market_type <> 'spot' THEN 1 ELSE (
    SELECT CASE coalesce(f.quote_asset, b.currency) WHEN b.currency THEN 1 ELSE (
        SELECT v.price FROM portfolio_valuation v
        WHERE v.user_id = t.user_id AND v.asset = f.quote_asset AND v.currency = b.currency
          AND v.at = date_trunc('hour', f.executed_at, 'UTC') ORDER BY v.version DESC LIMIT 1) END
    FROM portfolio_position p JOIN portfolio_book b ON b.id = p.book_id
    LEFT JOIN orders_fill f ON f.id = p.opening_fill_id
    WHERE p.id = t.position_id) END AS price) stop
"""
# A stop on the losing side of the entry; of contracts the entry value (in the reporting currency) shrinks with the
# price, of inverse ones with its inverse.
_RISK: Final = """
CASE WHEN t.side = 'LONG' AND stop.price >= t.entry_price
       OR t.side = 'SHORT' AND stop.price <= t.entry_price THEN NULL
     WHEN t.market_type = 'spot' THEN round((t.entry_price - stop.price) * t.exit_quantity, 18)
     WHEN t.is_inverse THEN round(abs(t.cost * (stop.price - t.entry_price)) / nullif(stop.price, 0), 18)
     ELSE round(abs(t.cost * (t.entry_price - stop.price)) / nullif(t.entry_price, 0), 18) END
"""
# The portfolio as it stood at the end of the day before the entry.
_WRITE: Final = f"""
INSERT INTO portfolio_tradeday (user_id, account_id, day, symbol, strategy, trades, wins, losses, gross, profit, loss,
  fees, volume, hold, largest_win, largest_loss, risk_percent, risk_count, multiple, multiple_squared, multiple_count,
  unknown_cost_trades)
SELECT %(user)s, account_id, day, symbol, strategy, count(*) FILTER (WHERE known),
  count(*) FILTER (WHERE known AND net > 0), count(*) FILTER (WHERE known AND net < 0),
  coalesce(sum(gross) FILTER (WHERE known), 0),
  coalesce(sum(net) FILTER (WHERE known AND net > 0), 0), coalesce(-sum(net) FILTER (WHERE known AND net < 0), 0),
  coalesce(sum(fees) FILTER (WHERE known), 0), coalesce(sum(volume) FILTER (WHERE known), 0),
  coalesce(sum(hold) FILTER (WHERE known), interval '0'),
  max(net) FILTER (WHERE known AND net > 0), min(net) FILTER (WHERE known AND net < 0),
  coalesce(sum(round(100 * risk / equity, 18)) FILTER (WHERE known AND risk > 0 AND equity > 0), 0),
  count(*) FILTER (WHERE known AND risk > 0 AND equity > 0),
  coalesce(sum(multiple) FILTER (WHERE known), 0), coalesce(sum(multiple * multiple) FILTER (WHERE known), 0),
  count(multiple) FILTER (WHERE known), count(*) FILTER (WHERE NOT known)
FROM (
  SELECT r.*, round(r.net / nullif(r.risk, 0), 18) AS multiple, CASE WHEN r.risk IS NOT NULL THEN (
      SELECT s.total_balance FROM portfolio_portfoliosnapshot s
      WHERE s.account_id = r.account_id AND s.snapshot_date = (r.entry_time AT TIME ZONE 'UTC')::date - 1) END AS equity
  FROM (
    SELECT d.account_id, d.day, t.symbol, t.strategy, t.exit_quantity <> 0 AS known, t.net_pnl AS net,
      t.gross_pnl AS gross, t.entry_fees + t.exit_fees AS fees, t.cost + t.proceeds AS volume, t.hold_duration AS hold,
      t.entry_time, {_RISK} AS risk
    {_OF_DAYS} {_STOP}
  ) r
) x GROUP BY account_id, day, symbol, strategy
"""
_CLEAR: Final = """
DELETE FROM portfolio_tradeday t USING unnest(%(accounts)s::uuid[], %(days)s::date[]) AS d (account_id, day)
WHERE t.user_id = %(user)s AND t.account_id = d.account_id AND t.day = d.day
"""
_TAKE: Final = """
WITH taken AS (DELETE FROM portfolio_changedday WHERE user_id = %s RETURNING account_id, day, is_of_trades)
SELECT DISTINCT account_id, day, is_of_trades FROM taken
"""
# Their risk is measured by the equity of the day before.
_PLANNED_BY: Final = """
SELECT DISTINCT t.account_id, (t.exit_time AT TIME ZONE 'UTC')::date
FROM unnest(%(accounts)s::uuid[], %(days)s::date[]) AS d (account_id, day)
CROSS JOIN LATERAL (
  SELECT account_id, exit_time FROM portfolio_trade
  WHERE user_id = %(user)s AND account_id = d.account_id AND stop_loss_price IS NOT NULL
    AND entry_time >= (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    AND entry_time < (d.day + 2)::timestamp AT TIME ZONE 'UTC'
  OFFSET 0) t
"""
_EVERY: Final = """
SELECT account_id, (exit_time AT TIME ZONE 'UTC')::date FROM portfolio_trade WHERE user_id = %(user)s
UNION SELECT account_id, day FROM portfolio_tradeday WHERE user_id = %(user)s
"""
Days = dict[UUID, set[date]]


@dataclass(frozen=True, slots=True)
class Changed:
    """By account, the days whose trades, and whose equity, changed."""

    traded: Days
    valued: Days


def take(*, user_id: UUID) -> Changed:
    """The days that were noted as changed; they are noted no longer, once this transaction ends."""
    changed = Changed(defaultdict(set), defaultdict(set))
    for account_id, day, is_of_trades in _ask(_TAKE, [user_id]):
        (changed.traded if is_of_trades else changed.valued)[account_id].add(day)
    for account_id, day in _ask(_PLANNED_BY, _scope(user_id, changed.valued)):
        changed.traded[account_id].add(day)
    return changed


def every_day(*, user_id: UUID) -> Days:
    """All days that have, or had, a trade."""
    days: Days = defaultdict(set)
    for account_id, day in _ask(_EVERY, {"user": user_id}):
        days[account_id].add(day)
    return days


def sum_days(*, user_id: UUID, days: Days) -> None:
    """Add up the trades of some days anew."""
    scope = _scope(user_id, days)
    if not scope["days"]:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR, scope)
        cursor.execute(_WRITE, scope)


def by_day(
    *, account_ids: Sequence[UUID], symbol: str | None = None, strategy: str | None = None
) -> dict[date, TradeSums]:
    """Sums over accounts by day. None for symbol or strategy: all."""
    rows = _of(account_ids, symbol, strategy).values_list("day").annotate(**_TOGETHER).order_by("day")
    return {day: _sums(values) for day, *values in rows}


def total(
    *, account_ids: Sequence[UUID], period: Period, symbol: str | None = None, strategy: str | None = None
) -> TradeSums:
    """Sums over accounts and a period."""
    rows = _of(account_ids, symbol, strategy).filter(day__gte=period.first_day, day__lte=period.last_day)
    return _sums([rows.aggregate(**_TOGETHER)[name] for name in _TOGETHER])


def by_strategy_and_day(*, account_ids: Collection[UUID]) -> dict[tuple[UUID, str], dict[date, TradeSums]]:
    """By account and strategy, what was traded without one ("") included."""
    found: dict[tuple[UUID, str], dict[date, TradeSums]] = defaultdict(dict)
    rows = TradeDay.objects.filter(account_id__in=account_ids).values_list("account_id", "strategy", "day")
    for account_id, strategy, day, *values in rows.annotate(**_TOGETHER).order_by("day"):
        found[account_id, strategy][day] = _sums(values)
    return found


def _of(account_ids: Collection[UUID], symbol: str | None, strategy: str | None) -> "QuerySet[TradeDay]":
    chosen = {"symbol": symbol, "strategy": strategy}
    named = {name: value for name, value in chosen.items() if value is not None}
    return TradeDay.objects.filter(account_id__in=account_ids, **named)


def _sums(values: Sequence[Any]) -> TradeSums:
    """Of a row of `_TOGETHER`; sums over nothing are zero, not null."""
    empty = TradeSums()
    given = zip(COLUMNS, values, strict=True)
    return TradeSums(**{name: getattr(empty, name) if value is None else value for name, value in given})


def _scope(user_id: UUID, days: Days) -> dict[str, Any]:
    pairs = sorted((account_id, day) for account_id, each in days.items() for day in each)
    return {
        "user": user_id,
        "accounts": [account_id for account_id, _ in pairs],
        "days": [day for _, day in pairs],
    }


def _ask(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
