"""Every fee once, in its own coin, with the value the books used."""

from datetime import datetime
from typing import Any

from django.db import connection

from credentials.models import ExchangeAccount

# A base-coin fee is worth the fill's own price, a quote-coin fee the quote, any other its pinned price; the same
# rule as portfolio.accounting.events.
_FILL_FEES = """
INSERT INTO portfolio_fee
  (user_id, account_id, fill_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT user_id, account_id, id, %(exchange)s, symbol, exchange_order_id, fee_amount, fee_currency,
       CASE WHEN is_maker THEN 'MAKER' ELSE 'TAKER' END, 'ORDER_FILL',
       round(fee_amount * unit_price, 18), unit_price, source_text, executed_at
FROM (
  SELECT f.*,
    CASE f.fee_currency
      WHEN %(currency)s THEN 1
      WHEN f.base_asset THEN
        round(f.price * CASE WHEN f.quote_asset = %(currency)s THEN 1 ELSE q.price END, 18)
      ELSE v.price END AS unit_price,
    CASE f.fee_currency
      WHEN %(currency)s THEN ''
      WHEN f.base_asset THEN 'fill' || coalesce(' × ' || q.source, '')
      ELSE coalesce(v.source, '') END AS source_text
  FROM orders_fill f
  LEFT JOIN portfolio_valuation q ON q.user_id = f.user_id AND q.asset = f.quote_asset AND q.version = 1
    AND q.currency = %(currency)s AND q.at = date_trunc('hour', f.executed_at, 'UTC')
  LEFT JOIN portfolio_valuation v ON v.user_id = f.user_id AND v.asset = f.fee_currency AND v.version = 1
    AND v.currency = %(currency)s AND v.at = date_trunc('hour', f.executed_at, 'UTC')
  WHERE f.account_id = %(account)s AND f.executed_at >= %(since)s AND f.fee_amount <> 0
) AS priced
ON CONFLICT (fill_id) DO UPDATE SET value = excluded.value, price = excluded.price,
  price_source = excluded.price_source
WHERE (portfolio_fee.value, portfolio_fee.price) IS DISTINCT FROM (excluded.value, excluded.price)
"""
_WITHDRAWAL_FEES = """
INSERT INTO portfolio_fee
  (user_id, account_id, transfer_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT t.user_id, t.account_id, t.id, %(exchange)s, '', '', t.fee_amount, t.asset, 'WITHDRAWAL', 'TRANSFER',
       round(t.fee_amount * CASE WHEN t.asset = %(currency)s THEN 1 ELSE v.price END, 18),
       CASE WHEN t.asset = %(currency)s THEN 1 ELSE v.price END, coalesce(v.source, ''), t.occurred_at
FROM orders_transfer t
LEFT JOIN portfolio_valuation v ON v.user_id = t.user_id AND v.asset = t.asset AND v.version = 1
  AND v.currency = %(currency)s AND v.at = date_trunc('hour', t.occurred_at, 'UTC')
WHERE t.account_id = %(account)s AND t.kind = 'WITHDRAWAL' AND t.status <> 'failed' AND t.fee_amount <> 0
ON CONFLICT (transfer_id) DO UPDATE SET value = excluded.value, price = excluded.price,
  fee_amount = excluded.fee_amount, price_source = excluded.price_source
WHERE (portfolio_fee.value, portfolio_fee.fee_amount) IS DISTINCT FROM (excluded.value, excluded.fee_amount)
"""
_FAILED_WITHDRAWALS = """
DELETE FROM portfolio_fee USING orders_transfer t
WHERE t.id = portfolio_fee.transfer_id AND t.account_id = %(account)s AND t.status = 'failed'
"""


def refresh(*, account: ExchangeAccount, since: datetime) -> None:
    """Bring the fees of facts since a moment up to date. A fee without a price yet has no value, never zero."""
    scope: dict[str, Any] = {
        "account": account.id,
        "exchange": account.exchange,
        "currency": account.user.reporting_currency,
        "since": since,
    }
    with connection.cursor() as cursor:
        for statement in (_FILL_FEES, _WITHDRAWAL_FEES, _FAILED_WITHDRAWALS):
            cursor.execute(statement, scope)
