"""What orders say about trades and positions: exit types, strategies, planned stops and targets."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from credentials.models import ExchangeAccount
from orders import facts
from portfolio.accounting.exits import exit_type
from portfolio.models import Position

# The rule lives in exits.exit_type; its table for the roles in use is joined, so that all trades take one statement.
_TRADES = """
WITH chosen AS (
  SELECT id FROM portfolio_trade WHERE account_id = %(account)s AND exit_time >= %(since)s
  UNION
  SELECT t.id FROM orders_order o JOIN portfolio_trade t ON t.account_id = o.account_id AND t.symbol = o.symbol
    AND t.exit_order_id = o.exchange_order_id
  WHERE o.account_id = %(account)s AND o.updated_at >= %(changed)s
  UNION
  SELECT id FROM portfolio_trade WHERE position_id = ANY(%(positions)s)
), found AS (
  SELECT trade.id, rule.exit_type, coalesce(o.strategy, '') AS strategy,
         CASE WHEN o.linked_by = 'inferred' THEN 'role inferred' ELSE '' END AS reason,
         p.stop_loss_price, p.take_profit_prices
  FROM chosen JOIN portfolio_trade trade USING (id)
  JOIN portfolio_position p ON p.id = trade.position_id
  LEFT JOIN orders_order o ON o.account_id = trade.account_id AND o.market_type = 'spot'
    AND o.symbol = trade.symbol AND o.exchange_order_id = trade.exit_order_id
  JOIN unnest(%(roles)s::text[], %(closes)s::boolean[], %(types)s::text[]) AS rule (role, closes, exit_type)
    ON rule.role = coalesce(o.role, '') AND rule.closes = trade.closes_position
)
UPDATE portfolio_trade t
SET exit_type = found.exit_type, strategy = found.strategy, exit_reason = found.reason,
    stop_loss_price = found.stop_loss_price, take_profit_prices = found.take_profit_prices
FROM found
WHERE t.id = found.id AND (t.exit_type, t.strategy, t.exit_reason, t.stop_loss_price, t.take_profit_prices)
  IS DISTINCT FROM
  (found.exit_type, found.strategy, found.reason, found.stop_loss_price, found.take_profit_prices)
"""


def refresh(*, account: ExchangeAccount, since: datetime | None, changed: datetime) -> None:
    """Bring exit types and plans in line with the orders.

    Looked at are trades that ended from `since` on (None: none) and whatever hangs on orders changed since `changed`.
    """
    planned = _plan_positions(account, since=since, changed=changed)
    roles = ["", *facts.roles_in_use(account_id=account.id)]
    table = [
        (role, closes, str(exit_type(role=role or None, closes_position=closes)))
        for role in roles
        for closes in (True, False)
    ]
    names, closes, types = zip(*table, strict=True)
    with connection.cursor() as cursor:
        # Rows written a moment ago have no statistics: looping over them took minutes where hashing takes moments.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(
            _TRADES,
            {
                "account": account.id,
                "since": since or "infinity",
                "changed": changed,
                "positions": list(planned),
                "roles": list(names),
                "closes": list(closes),
                "types": list(types),
            },
        )


def _plan_positions(account: ExchangeAccount, *, since: datetime | None, changed: datetime) -> Sequence[int]:
    """Note stops and targets planned with the entry order; answers the positions whose plan changed."""
    plans = facts.planned_exits(account_id=account.id, changed=min(since or changed, changed))
    positions = Position.objects.filter(
        account=account, entry_order_id__in={order for _, order in plans}
    ).only("id", "symbol", "entry_order_id", "stop_loss_price", "take_profit_prices")
    changed_positions = []
    for position in positions:
        plan = plans.get((position.symbol, position.entry_order_id))
        if plan is None:
            continue
        prices = [str(price) for price in plan.take_profit_prices] or None
        if (position.stop_loss_price, position.take_profit_prices) != (plan.stop_loss_price, prices):
            position.stop_loss_price, position.take_profit_prices = plan.stop_loss_price, prices
            changed_positions.append(position)
    Position.objects.bulk_update(changed_positions, ["stop_loss_price", "take_profit_prices"], batch_size=500)
    return [position.id for position in changed_positions]
