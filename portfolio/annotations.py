"""What orders say about trades and positions: exit types, strategies, planned stops and targets."""

from django.db import connection

from credentials.models import ExchangeAccount
from orders import facts
from portfolio.accounting.exits import exit_type
from portfolio.models import Position

# The rule lives in exits.exit_type; its table for the roles in use is joined, so that all trades take one statement.
_TRADES = """
UPDATE portfolio_trade t
SET exit_type = found.exit_type, strategy = found.strategy, exit_reason = found.reason,
    stop_loss_price = found.stop_loss_price, take_profit_prices = found.take_profit_prices
FROM (
  SELECT trade.id, rule.exit_type, coalesce(nullif(o.strategy, ''), '') AS strategy,
         CASE WHEN o.linked_by = 'inferred' THEN 'role inferred' ELSE '' END AS reason,
         p.stop_loss_price, p.take_profit_prices
  FROM portfolio_trade trade
  JOIN portfolio_position p ON p.id = trade.position_id
  LEFT JOIN orders_order o ON o.account_id = trade.account_id AND o.market_type = 'spot'
    AND o.symbol = trade.symbol AND o.exchange_order_id = trade.exit_order_id
  JOIN unnest(%(roles)s::text[], %(closes)s::boolean[], %(types)s::text[]) AS rule (role, closes, exit_type)
    ON rule.role = coalesce(o.role, '') AND rule.closes = trade.closes_position
  WHERE trade.account_id = %(account)s
) AS found
WHERE t.id = found.id AND (t.exit_type, t.strategy, t.exit_reason, t.stop_loss_price, t.take_profit_prices)
  IS DISTINCT FROM (found.exit_type, found.strategy, found.reason, found.stop_loss_price, found.take_profit_prices)
"""


def refresh(*, account: ExchangeAccount) -> None:
    """Bring positions' plans and trades' exit types in line with the orders as they are linked now."""
    _plan_positions(account)
    roles = ["", *facts.roles_in_use(account_id=account.id)]
    table = [
        (role, closes, exit_type(role=role or None, closes_position=closes))
        for role in roles
        for closes in (True, False)
    ]
    names, closes, types = zip(*table, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _TRADES,
            {
                "account": account.id,
                "roles": list(names),
                "closes": list(closes),
                "types": [str(kind) for kind in types],
            },
        )


def _plan_positions(account: ExchangeAccount) -> None:
    """Stops and targets planned with the entry order, on positions that do not show them yet."""
    plans = facts.planned_exits(account_id=account.id)
    positions = Position.objects.filter(
        account=account, entry_order_id__in={order for _, order in plans}
    ).only("id", "symbol", "entry_order_id", "stop_loss_price", "take_profit_prices")
    changed = []
    for position in positions:
        plan = plans.get((position.symbol, position.entry_order_id))
        if plan is None:
            continue
        prices = [str(price) for price in plan.take_profit_prices] or None
        if (position.stop_loss_price, position.take_profit_prices) != (plan.stop_loss_price, prices):
            position.stop_loss_price, position.take_profit_prices = plan.stop_loss_price, prices
            changed.append(position)
    Position.objects.bulk_update(changed, ["stop_loss_price", "take_profit_prices"], batch_size=500)
