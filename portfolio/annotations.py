"""What orders say about trades and positions: exit types, strategies, planned stops and targets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from credentials.models import ExchangeAccount
from portfolio import marks, pools
from portfolio.accounting.exits import exit_type

_FEW: Final = 500  # as many changed rows are looked up; of more, the whole account is looked at
_ROLES: Final = ("", "ENTRY", "SL", "TP")

# Rows written a moment ago have no statistics, and what looks good to the planner then may take minutes: each table is
# read once, whatever the planner knows.
_HASH: Final = """
SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_sort = on
"""
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
# From changed rows to those that hang on them, one table at a time. A position is found from its entry order by the
# fill that opened it, in one of the account's books.
_ENTERED_BY_ORDERS: Final = """
SELECT id FROM portfolio_position WHERE user_id = %(user)s AND account_id = %(account)s
  AND book_id = ANY(ARRAY(
    SELECT id FROM portfolio_book WHERE user_id = %(user)s AND (account_id = %(account)s OR NOT pool = '')))
  AND opening_fill_id = ANY(ARRAY(
    SELECT id FROM orders_fill WHERE account_id = %(account)s
      AND symbol = ANY(ARRAY(SELECT symbol FROM orders_order WHERE id = ANY(%(parents)s)))
      AND exchange_order_id = ANY(ARRAY(SELECT exchange_order_id FROM orders_order WHERE id = ANY(%(parents)s)))))
"""
_PARENTS: Final = "SELECT coalesce(parent_id, id) FROM orders_order WHERE id = ANY(%(orders)s)"
_ENDED_BY_ORDERS: Final = """
SELECT id FROM portfolio_trade WHERE account_id = %(account)s
  AND symbol = ANY(ARRAY(SELECT symbol FROM orders_order WHERE id = ANY(%(orders)s)))
  AND exit_order_id = ANY(ARRAY(SELECT exchange_order_id FROM orders_order WHERE id = ANY(%(orders)s)))
"""
_ENTRIES: Final = """
SELECT id FROM orders_order WHERE account_id = %(account)s
  AND symbol = ANY(ARRAY(SELECT symbol FROM portfolio_position WHERE id = ANY(%(positions)s)))
  AND exchange_order_id = ANY(ARRAY(SELECT entry_order_id FROM portfolio_position WHERE id = ANY(%(positions)s)))
"""
_LEGS: Final = """
SELECT id FROM orders_order WHERE account_id = %(account)s AND NOT group_id = ''
  AND group_id = ANY(ARRAY(SELECT group_id FROM orders_order WHERE id = ANY(%(orders)s)))
"""
_OF_POSITIONS: Final = "SELECT id FROM portfolio_trade WHERE position_id = ANY(%(replanned)s)"
_POSITIONS_OF: Final = "SELECT DISTINCT position_id FROM portfolio_trade WHERE id = ANY(%(trades)s)"
_EXITS: Final = """
SELECT id FROM orders_order WHERE account_id = ANY(%(accounts)s::uuid[])
  AND symbol = ANY(ARRAY(SELECT symbol FROM portfolio_trade WHERE id = ANY(%(trades)s)))
  AND exchange_order_id = ANY(ARRAY(SELECT exit_order_id FROM portfolio_trade WHERE id = ANY(%(trades)s)))
"""
# What was placed first for each role: a stop that was moved later was not the plan.
_POSITIONS: Final = """
WITH leg AS MATERIALIZED (
  SELECT DISTINCT ON (p.id, leg.role) p.id, leg.role,
         CASE leg.role WHEN 'SL' THEN coalesce(leg.stop_price, leg.price) ELSE coalesce(leg.price, leg.stop_price) END
           AS level
  FROM (SELECT * FROM portfolio_position WHERE {positions}) p
  JOIN portfolio_book b ON b.id = p.book_id
  JOIN (SELECT * FROM orders_order WHERE {orders}) entry
    ON entry.account_id = p.account_id AND entry.market_type = b.market_type AND entry.symbol = p.symbol
    AND entry.exchange_order_id = p.entry_order_id
  JOIN (SELECT * FROM orders_order WHERE {orders}) leg
    ON leg.account_id = entry.account_id AND leg.group_id = entry.group_id AND NOT leg.group_id = ''
    AND leg.parent_id = entry.id
  ORDER BY p.id, leg.role, leg.ordered_at, length(leg.exchange_order_id), leg.exchange_order_id
), levels AS MATERIALIZED (
  SELECT id, max(level) FILTER (WHERE role = 'SL') AS stop,
         to_jsonb(array_agg(level::text ORDER BY length(role), role)
           FILTER (WHERE role LIKE 'TP%%' AND level IS NOT NULL)) AS targets
  FROM leg GROUP BY id
), plan AS MATERIALIZED (
  SELECT p.id, levels.stop, levels.targets, coalesce(entry.strategy, '') AS strategy
  FROM (SELECT * FROM portfolio_position WHERE {positions}) p
  JOIN portfolio_book b ON b.id = p.book_id
  LEFT JOIN levels ON levels.id = p.id
  LEFT JOIN (SELECT * FROM orders_order WHERE {orders}) entry
    ON entry.account_id = p.account_id AND entry.market_type = b.market_type AND entry.symbol = p.symbol
    AND entry.exchange_order_id = p.entry_order_id
)
UPDATE portfolio_position p
SET stop_loss_price = plan.stop, take_profit_prices = plan.targets, strategy = plan.strategy
FROM plan
WHERE p.id = plan.id AND p.{positions}
  AND (p.stop_loss_price, p.take_profit_prices, p.strategy)
  IS DISTINCT FROM (plan.stop, plan.targets, plan.strategy)
RETURNING p.id
"""
# The rule lives in exits.exit_type; its table is joined, so that all trades take one statement. Liquidations are told
# by fills, not by orders.
_TRADES: Final = """
WITH found AS MATERIALIZED (
  SELECT trade.id, CASE trade.exit_type WHEN 'LIQUIDATION' THEN trade.exit_type ELSE rule.exit_type END AS exit_type,
         coalesce(o.strategy, '') AS strategy,
         CASE WHEN o.linked_by = 'inferred' THEN 'role inferred' ELSE '' END AS reason,
         p.stop_loss_price, p.take_profit_prices
  FROM (SELECT * FROM portfolio_trade WHERE {trades}) trade
  JOIN (SELECT * FROM portfolio_position WHERE {positions}) p ON p.id = trade.position_id
  JOIN portfolio_book b ON b.id = p.book_id
  LEFT JOIN (SELECT * FROM orders_order WHERE {orders}) o
    ON o.account_id = trade.account_id AND o.market_type = b.market_type AND o.symbol = trade.symbol
    AND o.exchange_order_id = trade.exit_order_id
  JOIN unnest(%(roles)s::text[], %(closes)s::boolean[], %(types)s::text[]) AS rule (role, closes, exit_type)
    ON rule.role = rtrim(coalesce(o.role, ''), '0123456789') AND rule.closes = trade.closes_position
)
UPDATE portfolio_trade t
SET exit_type = found.exit_type, strategy = found.strategy, exit_reason = found.reason,
    stop_loss_price = found.stop_loss_price, take_profit_prices = found.take_profit_prices
FROM found
WHERE t.id = found.id AND t.{trades}
  AND (t.exit_type, t.strategy, t.exit_reason, t.stop_loss_price, t.take_profit_prices)
  IS DISTINCT FROM
  (found.exit_type, found.strategy, found.reason, found.stop_loss_price, found.take_profit_prices)
"""


def refresh(*, account: ExchangeAccount, since: datetime | None) -> None:
    """Bring exit types and plans in line with the orders.

    Looked at is what was folded from `since` on (None: nothing), and what hangs on orders changed since the last time.
    Where accounts share a pool, a position of one may end at another.
    """
    mark = marks.locked(account)
    scope: dict[str, Any] = {
        "user": account.user_id,
        "account": account.id,
        "accounts": [each.id for each in pools.sharing(account)],
        "since": since or "infinity",
        "changed": mark.orders_to,
        "limit": _FEW + 1,
        **_rules(),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(_CHANGED, scope)
        scope["positions"], scope["trades"], scope["orders"] = changed = cursor.fetchone()
        cursor.execute(_HASH)
        if any(len(ids) > _FEW for ids in changed):
            read = dict.fromkeys(("positions", "trades", "orders"), "account_id = ANY(%(accounts)s::uuid[])")
            cursor.execute(_POSITIONS.format(**read), scope)
            cursor.execute(_TRADES.format(**read), scope)
        elif any(changed):
            _refresh_some(cursor, scope)
    marks.orders_followed(mark)


def follow(account_ids: Iterable[UUID]) -> None:
    """Let positions and trades of these accounts say what their orders say now."""
    for account in ExchangeAccount.objects.select_related("user").filter(id__in=list(account_ids)):
        refresh(account=account, since=None)


def _refresh_some(cursor: CursorWrapper, scope: dict[str, Any]) -> None:
    """Of the changed rows only, and of those that hang on them."""

    def ids(statement: str) -> list[int]:
        cursor.execute(statement, scope)
        return [found for (found,) in cursor.fetchall()]

    read = {name: f"id = ANY(%({name})s)" for name in ("positions", "trades", "orders")}
    trades = scope["trades"]
    if scope["orders"]:
        trades = trades + ids(_ENDED_BY_ORDERS)
        scope["parents"] = ids(_PARENTS)
        scope["positions"] = scope["positions"] + ids(_ENTERED_BY_ORDERS)
    scope["orders"] = ids(_ENTRIES)
    scope["orders"] += ids(_LEGS)
    cursor.execute(_POSITIONS.format(**read), scope)
    scope["replanned"] = [position for (position,) in cursor.fetchall()]
    scope["trades"] = trades + ids(_OF_POSITIONS)
    scope["positions"], scope["orders"] = ids(_POSITIONS_OF), ids(_EXITS)
    cursor.execute(_TRADES.format(**read), scope)


def _rules() -> dict[str, list[Any]]:
    """`exits.exit_type` as three columns: role without its number, whether the position closes, exit type."""
    cases = [(role, closes) for role in _ROLES for closes in (True, False)]
    types = [str(exit_type(role=role or None, closes_position=closes)) for role, closes in cases]
    return {"roles": [role for role, _ in cases], "closes": [closes for _, closes in cases], "types": types}
