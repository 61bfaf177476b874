"""What leverage a contract position was held at, where the exchange tells it, and what its trades made on their margin.

A position has the leverage reported last while it was open, before that what its entry order says. A trade keeps what
its position had when it ended. Nothing is guessed: without it a trade has no ROI.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from portfolio.layouts import roi
from portfolio.models import Book

# Whole numbers only: no exchange holds a position at another leverage, and what it told otherwise is not understood.
_REPORTED: Final = """
UPDATE portfolio_position p SET leverage = r.leverage, margin_mode = r.margin_mode
FROM portfolio_book b
JOIN portfolio_reportedposition r ON r.account_id = b.account_id AND r.symbol = b.asset
WHERE b.account_id = %(account)s AND b.market_type <> 'spot' AND p.book_id = b.id AND p.side = r.side
  AND r.quantity > 0 AND r.leverage = trunc(r.leverage) AND r.leverage > 0
  AND p.opened_at <= r.reported_at AND (p.closed_at IS NULL OR p.closed_at > r.reported_at)
  AND (p.leverage, p.margin_mode) IS DISTINCT FROM (r.leverage, r.margin_mode)
RETURNING p.id
"""
_ORDERED: Final = """
UPDATE portfolio_position p SET leverage = (o.raw->>'leverage')::numeric
FROM portfolio_book b, orders_order o
WHERE b.account_id = %(account)s AND b.market_type <> 'spot' AND p.book_id = b.id AND p.leverage IS NULL
  AND p.opened_at >= %(since)s AND o.account_id = b.account_id AND o.market_type = b.market_type
  AND o.symbol = p.symbol AND o.exchange_order_id = p.entry_order_id
  AND o.raw->>'leverage' ~ '^[1-9][0-9]{0,2}([.]0+)?$'
RETURNING p.id
"""
_TRADES: Final = f"""
WITH chosen AS MATERIALIZED (
  SELECT id FROM portfolio_trade
  WHERE account_id = %(account)s AND exit_time >= %(since)s AND market_type <> 'spot' AND leverage IS NULL
  UNION
  SELECT t.id FROM unnest(%(positions)s::bigint[]) AS known (id)
  JOIN portfolio_trade t ON t.position_id = known.id AND t.leverage IS NULL
)
UPDATE portfolio_trade t
SET leverage = p.leverage, margin_mode = p.margin_mode,
    roi_percentage = {roi(net="t.net_pnl", leverage="p.leverage", cost="t.cost")}
FROM chosen JOIN portfolio_trade own USING (id) JOIN portfolio_position p ON p.id = own.position_id
WHERE t.id = chosen.id AND p.leverage IS NOT NULL
"""


_RESTORED: Final = """
WITH given (id, leverage, margin_mode) AS MATERIALIZED (
  SELECT * FROM unnest(%(ids)s::bigint[], %(leverages)s::int[], %(modes)s::text[])
)
UPDATE {table} own SET leverage = given.leverage, margin_mode = given.margin_mode{more}
FROM given WHERE own.id = given.id AND own.leverage IS NULL
"""
_POSITIONS_RESTORED: Final = _RESTORED.format(table="portfolio_position", more="")
_TRADES_RESTORED: Final = _RESTORED.format(
    table="portfolio_trade",
    more=f", roi_percentage = {roi(net='own.net_pnl', leverage='given.leverage', cost='own.cost')}",
)
Remembered = tuple[int, int, str]
"""The id of a position or trade, its leverage and margin mode."""


def restore(*, positions: Sequence[Remembered], trades: Sequence[Remembered]) -> int:
    """Say once more of folded contracts what was reported while they were open, where nothing is known; answers of how
    many. Needs an open door."""
    changed = 0
    with connection.cursor() as cursor:
        for statement, rows in ((_POSITIONS_RESTORED, positions), (_TRADES_RESTORED, trades)):
            ids, leverages, modes = zip(*rows, strict=True) if rows else ((), (), ())
            cursor.execute(statement, {"ids": list(ids), "leverages": list(leverages), "modes": list(modes)})
            changed += cursor.rowcount
    return changed


def refresh(*, account: ExchangeAccount, since: datetime | None) -> None:
    """Take over what is known of open positions, and of what was folded from `since` on (None: nothing)."""
    if not Book.objects.filter(account=account).exclude(market_type=MarketType.SPOT).exists():
        return
    scope: dict[str, Any] = {"account": account.id, "since": since or "infinity"}
    with connection.cursor() as cursor:
        cursor.execute(_ORDERED, scope)
        positions = [position for (position,) in cursor.fetchall()]
        cursor.execute(_REPORTED, scope)
        positions += [position for (position,) in cursor.fetchall()]
        cursor.execute(_TRADES, {**scope, "positions": positions})
