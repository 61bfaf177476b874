"""Orders, fills and what else the exchanges reported."""

from typing import Final

from pipeline.invariants.rule import Rule

# Ours may be behind the exchange's clock by as much.
_FUTURE: Final = "now() + interval '5 minutes'"

RULES: Final = (
    # Of orders whose fills were all read after they ended, none of them forgotten by the exchange before.
    Rule(
        "an order's executed quantity is the sum of its fills",
        "orders_order",
        """
SELECT o.id, o.account_id, o.symbol, o.exchange_order_id, o.executed_quantity, f.total AS filled
FROM orders_order o
JOIN pipeline_synccursor c ON c.account_id = o.account_id AND c.scope = o.symbol
 AND c.stream = CASE o.market_type WHEN 'spot' THEN 'fills' ELSE 'contract_fills' END
 AND c.state = 'incremental' AND c.error_count = 0 AND c.last_ok_at > o.exchange_updated_at + interval '5 minutes'
 AND (c.known_from IS NULL OR c.known_from < o.ordered_at)
CROSS JOIN LATERAL (
  SELECT coalesce(sum(quantity), 0) AS total, max(executed_at) AS last FROM orders_fill
  WHERE account_id = o.account_id AND market_type = o.market_type AND symbol = o.symbol
    AND exchange_order_id = o.exchange_order_id
) f
WHERE f.total <> o.executed_quantity AND (f.last IS NULL OR f.last <= o.exchange_updated_at)
  AND NOT EXISTS (
    SELECT FROM pipeline_coveragegap g WHERE g.account_id = o.account_id AND g.stream = c.stream
      AND g.scope = o.symbol AND g.until > o.ordered_at)
  AND NOT EXISTS (
    SELECT FROM pipeline_rejectedrow r WHERE r.account_id = o.account_id AND r.stream = c.stream
      AND r.scope = o.symbol AND r.mended_at IS NULL)""",
    ),
    Rule(
        "an order's status fits what was executed",
        "orders_order",
        """
SELECT id, account_id, symbol, exchange_order_id, status, quantity, executed_quantity FROM orders_order
WHERE status = 'NEW' AND executed_quantity <> 0
   OR status = 'FILLED' AND (executed_quantity = 0 OR quantity > 0 AND executed_quantity <> quantity)
   OR status = 'PARTIALLY_FILLED' AND (executed_quantity = 0 OR executed_quantity = quantity)""",
    ),
    Rule(
        "a linked order shares account, symbol and group with its entry",
        "orders_order",
        """
SELECT o.id, o.symbol, o.role, o.group_id, p.id AS parent, p.symbol AS parent_symbol, p.role AS parent_role,
       p.group_id AS parent_group
FROM orders_order o JOIN orders_order p ON p.id = o.parent_id
WHERE (o.account_id, o.market_type, o.symbol, o.group_id)
      IS DISTINCT FROM (p.account_id, p.market_type, p.symbol, p.group_id)
   OR p.role <> 'ENTRY' OR o.role = 'ENTRY'""",
    ),
    Rule(
        "no order is its own ancestor",
        "orders_order",
        """
WITH RECURSIVE line AS (
  SELECT id AS first, parent_id FROM orders_order WHERE parent_id IS NOT NULL
  UNION
  SELECT line.first, o.parent_id FROM line JOIN orders_order o ON o.id = line.parent_id WHERE o.parent_id IS NOT NULL
) SELECT first AS id FROM line WHERE first = parent_id""",
    ),
    *(
        Rule(f"no {what} is of the future", table, f"SELECT id, {at} FROM {table} WHERE {at} > {_FUTURE}")
        for what, table, at in (
            ("order", "orders_order", "ordered_at"),
            ("fill", "orders_fill", "executed_at"),
            ("transfer", "orders_transfer", "occurred_at"),
            ("funding", "orders_fundingpayment", "paid_at"),
        )
    ),
    Rule(
        "one run of an account at a time, and finished ones have an end",
        "pipeline_syncrun",
        """
SELECT id, account_id, status, finished_at FROM pipeline_syncrun
WHERE status NOT IN ('queued', 'running') AND finished_at IS NULL
   OR status IN ('queued', 'running') AND finished_at IS NOT NULL""",
    ),
)  # fmt: skip
