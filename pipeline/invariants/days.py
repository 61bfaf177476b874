"""Balances, snapshots, metrics and differences."""

from typing import Final

from pipeline.invariants.rule import Rule

_CHANGE: Final = "traded + settled + funding + income + moved + deposited - withdrawn - withdrawal_fees"

RULES: Final = (
    Rule(
        "the days of an asset sum to its fills",
        "portfolio_assetday",
        """
SELECT coalesce(d.account_id, f.account_id) AS account, coalesce(d.asset, f.asset) AS asset, d.traded, f.traded AS fills
FROM (SELECT account_id, asset, sum(traded) AS traded FROM portfolio_assetday GROUP BY 1, 2) d
FULL JOIN (
  SELECT account_id, each.asset, sum(each.traded) AS traded
  FROM orders_fill, LATERAL (VALUES
    (base_asset, CASE WHEN market_type <> 'spot' THEN 0 WHEN side = 'BUY' THEN quantity ELSE -quantity END),
    (quote_asset,
     CASE WHEN market_type <> 'spot' THEN 0 WHEN side = 'BUY' THEN -quote_quantity ELSE quote_quantity END),
    (fee_currency, -fee_amount)
  ) AS each (asset, traded)
  GROUP BY 1, 2
) f USING (account_id, asset)
WHERE coalesce(d.traded, 0) <> coalesce(f.traded, 0)""",
    ),
    Rule(
        "the days of an asset sum to its transfers",
        "portfolio_assetday",
        """
SELECT coalesce(d.account_id, t.account_id) AS account, coalesce(d.asset, t.asset) AS asset, d.net, t.net AS transfers
FROM (
  SELECT account_id, asset, sum(deposited - withdrawn - withdrawal_fees) AS net FROM portfolio_assetday GROUP BY 1, 2
) d
FULL JOIN (
  SELECT account_id, asset, sum(CASE kind WHEN 'DEPOSIT' THEN amount ELSE -amount - fee_amount END) AS net
  FROM orders_transfer
  WHERE kind = 'DEPOSIT' AND status = 'success' OR kind = 'WITHDRAWAL' AND status <> 'failed' GROUP BY 1, 2
) t USING (account_id, asset)
WHERE coalesce(d.net, 0) <> coalesce(t.net, 0)""",
    ),
    # The exchange's last word, where no fact came since that it may not know.
    Rule(
        "what is reported and not explained has an item",
        "portfolio_walletbalance",
        f"""
SELECT r.account_id, r.asset, r.total AS reported, coalesce(d.total, 0) + coalesce(u.total, 0) AS computed
FROM (
  SELECT account_id, asset, sum(available + locked) AS total FROM (
    SELECT DISTINCT ON (account_id, asset, wallet) account_id, asset, available, locked FROM portfolio_walletbalance
    ORDER BY account_id, asset, wallet, reported_at DESC, id DESC
  ) latest GROUP BY 1, 2
) r
JOIN portfolio_accountmark m ON m.account_id = r.account_id AND m.reconciled_at >= m.heard_at
LEFT JOIN (
  SELECT account_id, asset, sum({_CHANGE}) AS total, max(updated_at) AS changed FROM portfolio_assetday GROUP BY 1, 2
) d ON d.account_id = r.account_id AND d.asset = r.asset
LEFT JOIN (
  SELECT b.account_id, b.settle_asset AS asset, sum(y.untold) AS total FROM portfolio_bookday y
  JOIN portfolio_book b ON b.id = y.book_id WHERE b.market_type <> 'spot' GROUP BY 1, 2
) u ON u.account_id = r.account_id AND u.asset = r.asset
LEFT JOIN portfolio_book b
  ON b.account_id = r.account_id AND b.market_type = 'spot' AND b.asset = r.asset AND b.pool = ''
WHERE abs(r.total - coalesce(d.total, 0) - coalesce(u.total, 0))
      > coalesce(b.step, CASE WHEN r.asset = ANY(%(cash)s) THEN %(tolerance)s ELSE 0.00000001 END)
  AND NOT EXISTS (
    SELECT FROM portfolio_reconciliationitem i WHERE i.account_id = r.account_id AND i.kind = 'balance'
      AND i.subject = r.asset AND i.state <> 'explained')
  AND NOT EXISTS (
    SELECT FROM orders_fill f WHERE f.account_id = r.account_id AND f.executed_at > m.heard_at - interval '1 minute')
  AND NOT EXISTS (
    SELECT FROM orders_transfer t WHERE t.account_id = r.account_id AND t.asset = r.asset
      AND t.occurred_at > m.heard_at - interval '1 minute')
  AND NOT EXISTS (
    SELECT FROM orders_fundingpayment p WHERE p.account_id = r.account_id AND p.asset = r.asset
      AND p.paid_at > m.heard_at - interval '1 minute')""",
    ),
    Rule(
        "available and locked make the total",
        "portfolio_portfoliosnapshot",
        """
SELECT id, account_id, snapshot_date, available_balance, locked_balance, total_balance
FROM portfolio_portfoliosnapshot WHERE available_balance + locked_balance <> total_balance""",
    ),
    Rule(
        "a snapshot is the sum of its assets",
        "portfolio_portfoliosnapshot",
        """
SELECT s.id, s.account_id, s.snapshot_date, s.total_balance, a.total
FROM portfolio_portfoliosnapshot s
CROSS JOIN LATERAL (SELECT coalesce(sum(value), 0) AS total FROM portfolio_assetsnapshot WHERE snapshot_id = s.id) a
WHERE s.total_balance <> a.total
  AND NOT EXISTS (SELECT FROM portfolio_book b WHERE b.account_id = s.account_id AND b.market_type <> 'spot')""",
    ),
    Rule(
        "a holding's value is its quantity at its price",
        "portfolio_assetsnapshot",
        """
SELECT id, account_id, asset, quantity, price, value FROM portfolio_assetsnapshot
WHERE (price IS NULL) <> (value IS NULL) OR abs(value - quantity * price) > 1e-18""",
    ),
    Rule(
        "every day from the first to the last has one snapshot",
        "portfolio_portfoliosnapshot",
        """
SELECT account_id, min(snapshot_date) AS first, max(snapshot_date) AS last, count(*) AS days
FROM portfolio_portfoliosnapshot GROUP BY account_id
HAVING count(*) <> max(snapshot_date) - min(snapshot_date) + 1""",
    ),
    Rule(
        "a day's change in equity is what its columns say",
        "portfolio_portfoliosnapshot",
        """
SELECT account_id, snapshot_date, total_balance - before AS change, known FROM (
  SELECT account_id, snapshot_date, total_balance, lag(total_balance) OVER days AS before,
         flows + gross_pnl + unrealized_pnl - lag(unrealized_pnl) OVER days + revaluation + funding - fees + residual
           AS known
  FROM portfolio_portfoliosnapshot WINDOW days AS (PARTITION BY account_id ORDER BY snapshot_date)
) s WHERE total_balance - before <> known""",
    ),
    Rule(
        "a final day is over",
        "portfolio_portfoliosnapshot",
        """
SELECT id, account_id, snapshot_date FROM portfolio_portfoliosnapshot
WHERE is_final AND snapshot_date >= (now() AT TIME ZONE 'UTC')::date""",
    ),
    # Where no change waits to be counted.
    Rule(
        "metrics of an account's day are those of its trades",
        "portfolio_performancemetric",
        """
SELECT m.id, m.account_id, m.period_type, m.period_start, m.total_trades, t.trades, m.total_net_pnl, t.net
FROM portfolio_performancemetric m
CROSS JOIN LATERAL (
  SELECT count(*) AS trades, coalesce(sum(net_pnl), 0) AS net FROM portfolio_trade
  WHERE account_id = m.account_id AND kind = 'TRADE' AND exit_quantity > 0
    AND exit_time >= m.period_start AND exit_time < m.period_end
) t
WHERE m.account_id IS NOT NULL AND m.strategy = ''
  AND (m.total_trades, m.total_net_pnl) IS DISTINCT FROM (t.trades, t.net)
  AND NOT EXISTS (SELECT FROM portfolio_changedday c WHERE c.user_id = m.user_id)""",
    ),
    Rule(
        "an open difference is not resolved, and others are",
        "portfolio_reconciliationitem",
        """
SELECT id, account_id, kind, subject, state FROM portfolio_reconciliationitem
WHERE (state = 'open') <> (resolved_at IS NULL) OR difference <> reported - computed
   OR state = 'dismissed' AND reason = '' OR state = 'explained' AND explanation = ''""",
    ),
)
