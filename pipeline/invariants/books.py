"""Positions, trades, allocations and fees, of books that are folded to the end."""

from typing import Final

from pipeline.invariants.rule import Rule

# What an exit fill takes out of a book: its base or its quote, with the fee where it is paid in the same coin and the
# fill's carrier (the base; of cash, the quote) bears it; see `portfolio.accounting.events`.
_TAKEN: Final = """
CASE WHEN t.kind = 'FEE' THEN f.fee_amount
     WHEN b.asset = f.base_asset AND f.base_asset <> ALL(%(cash)s)
       THEN f.quantity + CASE f.fee_currency WHEN f.base_asset THEN f.fee_amount ELSE 0 END
     WHEN f.base_asset = ANY(%(cash)s)
       THEN f.quote_quantity + CASE f.fee_currency WHEN f.quote_asset THEN f.fee_amount ELSE 0 END
     ELSE f.quote_quantity END"""

RULES: Final = (
    Rule(
        "the allocations of a fill sum to what it took",
        "portfolio_allocation",
        f"""
SELECT a.exit_fill_id AS fill, b.asset AS book, t.kind, sum(a.quantity) AS allocated, min({_TAKEN}) AS taken
FROM portfolio_allocation a JOIN portfolio_trade t ON t.id = a.trade_id
JOIN portfolio_position p ON p.id = t.position_id JOIN portfolio_book b ON b.id = p.book_id
JOIN orders_fill f ON f.id = a.exit_fill_id
WHERE b.stale_from IS NULL AND b.market_type = 'spot'
GROUP BY a.exit_fill_id, b.id, b.asset, t.kind
HAVING sum(a.quantity) <> min({_TAKEN})""",
    ),
    Rule(
        "a fill of a contract closes no more than its quantity",
        "portfolio_allocation",
        """
SELECT a.exit_fill_id AS fill, sum(a.quantity) AS allocated, min(f.quantity) AS quantity
FROM portfolio_allocation a JOIN portfolio_trade t ON t.id = a.trade_id JOIN orders_fill f ON f.id = a.exit_fill_id
WHERE t.market_type <> 'spot'
GROUP BY a.exit_fill_id HAVING sum(a.quantity) > min(f.quantity)""",
    ),
    Rule(
        "every sale of a folded book is allocated",
        "orders_fill",
        """
SELECT f.id, f.account_id, f.symbol, f.executed_at, f.quantity
FROM orders_fill f
JOIN credentials_exchangeaccount c ON c.id = f.account_id
JOIN portfolio_book b ON b.user_id = f.user_id AND b.market_type = 'spot' AND b.asset = f.base_asset
  AND (b.account_id = f.account_id AND b.pool = '' OR b.pool = c.mode)
WHERE f.market_type = 'spot' AND f.side = 'SELL' AND b.stale_from IS NULL AND b.engine_version > 0
  AND NOT EXISTS (SELECT FROM portfolio_allocation a WHERE a.exit_fill_id = f.id AND a.account_id = f.account_id)""",
    ),
    Rule(
        "an allocation consumes an entry of the same account, or of its pool, that came before",
        "portfolio_allocation",
        """
SELECT a.id, e.executed_at AS entered, x.executed_at AS left_at
FROM portfolio_allocation a JOIN orders_fill x ON x.id = a.exit_fill_id JOIN orders_fill e ON e.id = a.entry_fill_id
JOIN portfolio_trade t ON t.id = a.trade_id JOIN portfolio_position p ON p.id = t.position_id
JOIN portfolio_book b ON b.id = p.book_id
WHERE e.account_id <> a.account_id AND b.pool = '' OR e.user_id <> a.user_id OR x.account_id <> a.account_id
   OR e.executed_at > x.executed_at""",
    ),
    Rule(
        "positions and trades are of their book's account, those of a pool of accounts of its mode",
        "portfolio_position",
        """
SELECT b.id, b.asset, b.pool, p.id AS position, t.id AS trade
FROM portfolio_book b JOIN portfolio_position p ON p.book_id = b.id
JOIN credentials_exchangeaccount opened ON opened.id = p.account_id
LEFT JOIN portfolio_trade t ON t.position_id = p.id
LEFT JOIN credentials_exchangeaccount ended ON ended.id = t.account_id
WHERE b.pool = '' AND (p.account_id <> b.account_id OR t.account_id <> b.account_id)
   OR b.pool <> '' AND (opened.mode <> b.pool OR ended.mode <> b.pool)""",
    ),
    Rule(
        "coins are kept in one way: a pool's folded book leaves none of an account, and the reverse",
        "portfolio_book",
        """
SELECT b.id, b.asset, b.pool, o.id AS other
FROM portfolio_book b JOIN credentials_exchangeaccount a ON a.id = b.account_id
JOIN portfolio_book o ON o.user_id = b.user_id AND o.asset = b.asset AND o.market_type = 'spot' AND o.pool = ''
JOIN credentials_exchangeaccount c ON c.id = o.account_id AND c.mode = a.mode
WHERE b.pool <> '' AND b.engine_version > 0 AND o.engine_version > 0""",
    ),
    Rule(
        "a trade is the sum of its allocations",
        "portfolio_trade",
        """
SELECT t.id, t.symbol, t.exit_quantity, a.quantity, t.cost, a.cost AS allocated_cost, t.proceeds,
       a.proceeds AS allocated_proceeds, t.unknown_quantity, a.unknown
FROM portfolio_trade t JOIN portfolio_position p ON p.id = t.position_id JOIN portfolio_book b ON b.id = p.book_id
CROSS JOIN LATERAL (
  SELECT coalesce(sum(quantity) FILTER (WHERE source <> 'UNKNOWN'), 0) AS quantity,
         coalesce(sum(cost) FILTER (WHERE source <> 'UNKNOWN'), 0) AS cost,
         coalesce(sum(proceeds) FILTER (WHERE source <> 'UNKNOWN'), 0) AS proceeds,
         coalesce(sum(quantity) FILTER (WHERE source = 'UNKNOWN'), 0) AS unknown,
         coalesce(sum(entry_fee), 0) AS entry_fees, coalesce(sum(exit_fee), 0) AS exit_fees
  FROM portfolio_allocation WHERE trade_id = t.id
) a
WHERE b.stale_from IS NULL AND (t.exit_quantity, t.unknown_quantity, t.entry_fees, t.exit_fees)
      IS DISTINCT FROM (a.quantity, a.unknown, a.entry_fees, a.exit_fees)
   OR b.stale_from IS NULL AND t.market_type = 'spot' AND (t.cost, t.proceeds) IS DISTINCT FROM (a.cost, a.proceeds)""",
    ),
    Rule(
        "a trade's net is its gross less fees, funding added",
        "portfolio_trade",
        """
SELECT id, symbol, gross_pnl, entry_fees, exit_fees, funding, net_pnl FROM portfolio_trade
WHERE net_pnl <> gross_pnl - entry_fees - exit_fees + funding""",
    ),
    Rule(
        "the trades of a position sum to its result",
        "portfolio_position",
        """
SELECT p.id, p.symbol, p.gross_pnl, t.gross, p.net_pnl, t.net, p.exited_quantity, t.quantity, p.unknown_quantity,
       t.unknown
FROM portfolio_position p
CROSS JOIN LATERAL (
  SELECT coalesce(sum(gross_pnl), 0) AS gross, coalesce(sum(net_pnl), 0) AS net,
         coalesce(sum(exit_quantity), 0) AS quantity, coalesce(sum(unknown_quantity), 0) AS unknown
  FROM portfolio_trade WHERE position_id = p.id
) t
WHERE (p.gross_pnl, p.net_pnl, p.exited_quantity, p.unknown_quantity)
      IS DISTINCT FROM (t.gross, t.net, t.quantity, t.unknown)""",
    ),
    Rule(
        "a position holds what entered it and did not leave",
        "portfolio_position",
        """
SELECT p.id, p.symbol, p.entered_quantity, d.quantity AS from_dust, p.exited_quantity, p.moved_quantity,
       p.dust_quantity, p.quantity
FROM portfolio_position p
CROSS JOIN LATERAL (
  SELECT coalesce(sum(a.quantity), 0) AS quantity FROM portfolio_allocation a
  JOIN portfolio_trade t ON t.id = a.trade_id WHERE t.position_id = p.id AND a.source = 'DUST'
) d
WHERE p.entered_quantity + d.quantity
   <> p.exited_quantity + p.moved_quantity + p.dust_quantity + p.quantity""",
    ),
    Rule(
        "open positions have a quantity and no end, others the reverse",
        "portfolio_position",
        """
SELECT id, symbol, status, quantity, opened_at, closed_at FROM portfolio_position
WHERE (status = 'OPEN') <> (closed_at IS NULL) OR (status = 'OPEN') <> (quantity > 0) OR closed_at < opened_at""",
    ),
    Rule(
        "a book has one open position a side",
        "portfolio_position",
        """
SELECT book_id, side, count(*) FROM portfolio_position WHERE status = 'OPEN'
GROUP BY book_id, side HAVING count(*) > 1""",
    ),
    Rule(
        "positions of a book do not overlap",
        "portfolio_position",
        """
SELECT id, book_id, opened_at, closed_at, next_opened FROM (
  SELECT id, book_id, opened_at, closed_at,
         lead(opened_at) OVER (PARTITION BY book_id ORDER BY opened_at, closed_at NULLS LAST, id) AS next_opened
  FROM portfolio_position
) p WHERE closed_at > next_opened OR closed_at IS NULL AND next_opened IS NOT NULL""",
    ),
    Rule(
        "every fee stands once, as the fill has it",
        "portfolio_fee",
        """
SELECT f.id AS fill, f.fee_amount, f.fee_currency, e.fee_amount AS kept, e.fee_currency AS kept_currency
FROM orders_fill f LEFT JOIN portfolio_fee e ON e.fill_id = f.id
LEFT JOIN portfolio_accountmark m ON m.account_id = f.account_id
WHERE f.fee_amount <> 0 AND (m.id IS NULL OR m.fees_from IS NULL OR f.executed_at < m.fees_from)
  AND (e.id IS NULL OR e.fee_amount <> f.fee_amount OR e.fee_currency <> f.fee_currency)
  AND EXISTS (SELECT FROM portfolio_fee WHERE account_id = f.account_id)""",
    ),
    *(
        Rule(
            f"{what} is of facts that are there",
            table,
            f"SELECT r.id, r.{column} FROM {table} r WHERE r.{column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT FROM {facts} f WHERE f.id = r.{column})",
        )
        for what, table, column, facts in (
            ("a fee of a fill", "portfolio_fee", "fill_id", "orders_fill"),
            ("a fee of a transfer", "portfolio_fee", "transfer_id", "orders_transfer"),
            ("a fee of a payment", "portfolio_fee", "funding_id", "orders_fundingpayment"),
            ("a stated cost", "orders_statedcost", "transfer_id", "orders_transfer"),
            ("what left for another account", "orders_owntransfer", "outgoing_id", "orders_transfer"),
            ("what came from another account", "orders_owntransfer", "incoming_id", "orders_transfer"),
        )
    ),
)
