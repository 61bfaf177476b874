"""What orders say about trades and positions: exit types, strategies, planned stops and targets."""

from datetime import datetime
from typing import Any, Final

from django.db import connection

from credentials.models import ExchangeAccount
from portfolio import marks
from portfolio.accounting.exits import exit_type

_FEW: Final = 500  # as many changed rows are looked up; of more, the whole account is looked at
_ROLES: Final = ("", "ENTRY", "SL", "TP")

# By the order of the indexes made for these questions, and no further than it matters.
_CHANGED: Final = """
SELECT ARRAY(SELECT id FROM portfolio_position
             WHERE user_id = %(user)s AND account_id = %(account)s AND opened_at >= %(since)s
             ORDER BY opened_at DESC, id DESC LIMIT %(limit)s),
       ARRAY(SELECT id FROM portfolio_trade WHERE account_id = %(account)s AND exit_time >= %(since)s
             ORDER BY exit_time LIMIT %(limit)s),
       ARRAY(SELECT id FROM orders_order WHERE account_id = %(account)s AND updated_at >= %(changed)s
             ORDER BY updated_at LIMIT %(limit)s)
"""
# Rows written a moment ago have no statistics, and a plan that looks good without them may take minutes. So nothing is
# left to plan: OFFSET 0 keeps each look-up by a key as it is written, one for each row that is asked for.
_ALL: Final = "SELECT id FROM {table} WHERE user_id = %(user)s AND account_id = %(account)s"
# Those folded, and those entered by changed orders: a position is found from its entry order by the fill that opened
# it, in the book of one of the fill's assets.
_SOME_POSITIONS: Final = """
  SELECT unnest(%(positions)s::bigint[]) AS id
  UNION
  SELECT p.id FROM unnest(%(orders)s::bigint[]) AS changed (id)
  CROSS JOIN LATERAL (SELECT coalesce(parent_id, id) AS entry FROM orders_order WHERE id = changed.id OFFSET 0) AS o
  CROSS JOIN LATERAL (SELECT * FROM orders_order WHERE id = o.entry OFFSET 0) AS entry
  CROSS JOIN LATERAL (
    SELECT * FROM orders_fill WHERE account_id = entry.account_id AND symbol = entry.symbol
      AND exchange_order_id = entry.exchange_order_id OFFSET 0) AS f
  CROSS JOIN LATERAL (
    SELECT id FROM portfolio_book WHERE account_id = entry.account_id AND market_type = entry.market_type
      AND asset IN (f.base_asset, f.quote_asset, f.symbol) OFFSET 0) AS b
  CROSS JOIN LATERAL (
    SELECT id FROM portfolio_position WHERE book_id = b.id AND opening_fill_id = f.id OFFSET 0) AS p
"""
# Those folded, those that ended by changed orders, and those of positions with another plan.
_SOME_TRADES: Final = """
  SELECT unnest(%(trades)s::bigint[]) AS id
  UNION
  SELECT t.id FROM unnest(%(orders)s::bigint[]) AS changed (id)
  CROSS JOIN LATERAL (SELECT * FROM orders_order WHERE id = changed.id OFFSET 0) AS o
  CROSS JOIN LATERAL (
    SELECT id FROM portfolio_trade WHERE account_id = o.account_id AND symbol = o.symbol
      AND exit_order_id = o.exchange_order_id OFFSET 0) AS t
  UNION
  SELECT t.id FROM unnest(%(replanned)s::bigint[]) AS replanned (id)
  CROSS JOIN LATERAL (SELECT id FROM portfolio_trade WHERE position_id = replanned.id OFFSET 0) AS t
"""
# What was placed first for each role: a stop that was moved later was not the plan.
_POSITIONS: Final = """
WITH chosen AS MATERIALIZED ({chosen}), plan AS MATERIALIZED (
  SELECT chosen.id, legs.stop, legs.targets FROM chosen
  CROSS JOIN LATERAL (SELECT * FROM portfolio_position WHERE id = chosen.id OFFSET 0) AS p
  CROSS JOIN LATERAL (SELECT market_type FROM portfolio_book WHERE id = p.book_id OFFSET 0) AS b
  LEFT JOIN LATERAL (
    SELECT * FROM orders_order WHERE account_id = p.account_id AND market_type = b.market_type
      AND symbol = p.symbol AND exchange_order_id = p.entry_order_id OFFSET 0) AS entry ON true
  CROSS JOIN LATERAL (
    SELECT max(level) FILTER (WHERE role = 'SL') AS stop,
           to_jsonb(array_agg(level::text ORDER BY length(role), role)
             FILTER (WHERE role LIKE 'TP%%' AND level IS NOT NULL)) AS targets
    FROM (
      SELECT DISTINCT ON (role) role,
             CASE role WHEN 'SL' THEN coalesce(stop_price, price) ELSE coalesce(price, stop_price) END AS level
      FROM orders_order
      WHERE account_id = entry.account_id AND group_id = entry.group_id AND NOT group_id = '' AND parent_id = entry.id
      ORDER BY role, ordered_at, length(exchange_order_id), exchange_order_id
    ) AS leg
  ) AS legs
)
UPDATE portfolio_position p SET stop_loss_price = plan.stop, take_profit_prices = plan.targets
FROM plan
WHERE p.id = plan.id
  AND (p.stop_loss_price, p.take_profit_prices) IS DISTINCT FROM (plan.stop, plan.targets)
RETURNING p.id
"""
# The rule lives in exits.exit_type; its table is joined, so that all trades take one statement. Liquidations are told
# by fills, not by orders.
_TRADES: Final = """
WITH chosen AS MATERIALIZED ({chosen}), found AS MATERIALIZED (
  SELECT trade.id, CASE trade.exit_type WHEN 'LIQUIDATION' THEN trade.exit_type ELSE rule.exit_type END AS exit_type,
         coalesce(o.strategy, '') AS strategy,
         CASE WHEN o.linked_by = 'inferred' THEN 'role inferred' ELSE '' END AS reason,
         p.stop_loss_price, p.take_profit_prices
  FROM chosen
  CROSS JOIN LATERAL (SELECT * FROM portfolio_trade WHERE id = chosen.id OFFSET 0) AS trade
  CROSS JOIN LATERAL (SELECT * FROM portfolio_position WHERE id = trade.position_id OFFSET 0) AS p
  CROSS JOIN LATERAL (SELECT market_type FROM portfolio_book WHERE id = p.book_id OFFSET 0) AS b
  LEFT JOIN LATERAL (
    SELECT role, strategy, linked_by FROM orders_order WHERE account_id = trade.account_id
      AND market_type = b.market_type AND symbol = trade.symbol AND exchange_order_id = trade.exit_order_id
    OFFSET 0) AS o ON true
  CROSS JOIN LATERAL (
    SELECT exit_type
    FROM unnest(%(roles)s::text[], %(closes)s::boolean[], %(types)s::text[]) AS r (role, closes, exit_type)
    WHERE r.role = rtrim(coalesce(o.role, ''), '0123456789') AND r.closes = trade.closes_position OFFSET 0) AS rule
)
UPDATE portfolio_trade t
SET exit_type = found.exit_type, strategy = found.strategy, exit_reason = found.reason,
    stop_loss_price = found.stop_loss_price, take_profit_prices = found.take_profit_prices
FROM found
WHERE t.id = found.id AND (t.exit_type, t.strategy, t.exit_reason, t.stop_loss_price, t.take_profit_prices)
  IS DISTINCT FROM
  (found.exit_type, found.strategy, found.reason, found.stop_loss_price, found.take_profit_prices)
"""


def refresh(*, account: ExchangeAccount, since: datetime | None) -> None:
    """Bring exit types and plans in line with the orders.

    Looked at is what was folded from `since` on (None: nothing), and what hangs on orders changed since the last time.
    """
    mark = marks.locked(account)
    scope: dict[str, Any] = {
        "user": account.user_id,
        "account": account.id,
        "since": since or "infinity",
        "changed": mark.orders_to,
        "limit": _FEW + 1,
        **_rules(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_sort = off"
        )  # read in the order of an index, whatever the planner knows
        cursor.execute(_CHANGED, scope)
        scope["positions"], scope["trades"], scope["orders"] = changed = cursor.fetchone()
        many = any(len(ids) > _FEW for ids in changed)
        cursor.execute(f"SET LOCAL enable_sort = on; SET LOCAL enable_nestloop = {'off' if many else 'on'}")
        positions, trades = _SOME_POSITIONS, _SOME_TRADES
        if many:
            positions, trades = (_ALL.format(table=f"portfolio_{name}") for name in ("position", "trade"))
        cursor.execute(_POSITIONS.format(chosen=positions), scope)
        scope["replanned"] = [position for (position,) in cursor.fetchall()]
        cursor.execute(_TRADES.format(chosen=trades), scope)
    marks.orders_followed(mark)


def _rules() -> dict[str, list[Any]]:
    """`exits.exit_type` as three columns: role without its number, whether the position closes, exit type."""
    cases = [(role, closes) for role in _ROLES for closes in (True, False)]
    types = [str(exit_type(role=role or None, closes_position=closes)) for role, closes in cases]
    return {"roles": [role for role, _ in cases], "closes": [closes for _, closes in cases], "types": types}
