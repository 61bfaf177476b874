"""Every fee once, in its own coin, with the value the books used."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection

from credentials.models import ExchangeAccount
from portfolio import valuations

# As portfolio.accounting.events says: a quote-coin fee is worth the quote, a base-coin fee the fill's own price, any
# other its pinned price.
_FILL_FEES: Final = f"""
WITH pins AS ({valuations.NEWEST})
INSERT INTO portfolio_fee
  (user_id, account_id, fill_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT user_id, account_id, id, %(exchange)s, symbol, exchange_order_id, fee_amount, fee_currency,
       CASE WHEN is_maker THEN 'MAKER' ELSE 'TAKER' END, 'ORDER_FILL',
       round(fee_amount * unit_price, 18), unit_price, source_text, executed_at
FROM (
  SELECT f.*,
    CASE f.fee_currency
      WHEN f.quote_asset THEN coalesce(q.price, own.price)
      WHEN f.base_asset THEN round(f.price * coalesce(q.price, own.price), 18)
      WHEN %(currency)s THEN 1
      ELSE v.price END AS unit_price,
    CASE f.fee_currency
      WHEN f.quote_asset THEN coalesce(q.source, '')
      WHEN f.base_asset THEN 'fill' || coalesce(' × ' || q.source, '')
      ELSE coalesce(v.source, '') END AS source_text
  FROM orders_fill f
  LEFT JOIN LATERAL (SELECT 1 AS price WHERE f.quote_asset = %(currency)s) own ON true
  LEFT JOIN pins q ON q.asset = f.quote_asset AND q.at = date_trunc('hour', f.executed_at, 'UTC')
  LEFT JOIN pins v ON v.asset = f.fee_currency AND v.at = date_trunc('hour', f.executed_at, 'UTC')
  WHERE f.account_id = %(account)s AND f.executed_at >= %(since)s AND f.fee_amount <> 0
) AS priced
ON CONFLICT (fill_id) DO UPDATE SET value = excluded.value, price = excluded.price,
  price_source = excluded.price_source
WHERE (portfolio_fee.value, portfolio_fee.price, portfolio_fee.price_source)
  IS DISTINCT FROM (excluded.value, excluded.price, excluded.price_source)
"""
_WITHDRAWAL_FEES: Final = f"""
WITH pins AS ({valuations.NEWEST})
INSERT INTO portfolio_fee
  (user_id, account_id, transfer_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT t.user_id, t.account_id, t.id, %(exchange)s, '', '', t.fee_amount, t.asset, 'WITHDRAWAL', 'TRANSFER',
       round(t.fee_amount * CASE WHEN t.asset = %(currency)s THEN 1 ELSE v.price END, 18),
       CASE WHEN t.asset = %(currency)s THEN 1 ELSE v.price END, coalesce(v.source, ''), t.occurred_at
FROM orders_transfer t
LEFT JOIN pins v ON v.asset = t.asset AND v.at = date_trunc('hour', t.occurred_at, 'UTC')
WHERE t.account_id = %(account)s AND t.kind = 'WITHDRAWAL' AND t.status <> 'failed' AND t.fee_amount <> 0
  AND t.occurred_at >= %(since)s
ON CONFLICT (transfer_id) DO UPDATE SET value = excluded.value, price = excluded.price,
  fee_amount = excluded.fee_amount, price_source = excluded.price_source, fee_timestamp = excluded.fee_timestamp
WHERE (portfolio_fee.value, portfolio_fee.fee_amount, portfolio_fee.fee_timestamp)
  IS DISTINCT FROM (excluded.value, excluded.fee_amount, excluded.fee_timestamp)
"""
_FAILED_WITHDRAWALS: Final = """
DELETE FROM portfolio_fee USING orders_transfer t
WHERE t.id = portfolio_fee.transfer_id AND t.account_id = %(account)s AND (t.status = 'failed' OR t.fee_amount = 0)
"""
# Facts whose fee stands nowhere yet, or without a value: most make a book stale, those of cash alone do not.
_WAITING: Final = """
SELECT min(at) FROM (
  SELECT min(f.executed_at) AS at FROM orders_fill f LEFT JOIN portfolio_fee fee ON fee.fill_id = f.id
  WHERE f.account_id = %(account)s AND f.fee_amount <> 0 AND fee.value IS NULL
    AND f.base_asset = ANY(%(cash)s) AND f.quote_asset = ANY(%(cash)s)
  UNION ALL
  SELECT min(t.occurred_at) FROM orders_transfer t LEFT JOIN portfolio_fee fee ON fee.transfer_id = t.id
  WHERE t.account_id = %(account)s AND t.kind = 'WITHDRAWAL'
    AND (t.status <> 'failed' AND t.fee_amount <> 0 AND (fee.value IS NULL OR fee.fee_amount <> t.fee_amount)
      OR fee.id IS NOT NULL AND (t.status = 'failed' OR t.fee_amount = 0))
) AS facts
"""


def refresh(*, account: ExchangeAccount, since: datetime) -> None:
    """Bring the fees of facts since a moment up to date. A fee without a price yet has no value, never zero."""
    scope: dict[str, Any] = {
        "account": account.id,
        "exchange": account.exchange,
        "currency": account.user.reporting_currency,
        "since": since,
        "user": account.user_id,
    }
    with connection.cursor() as cursor:
        for statement in (_FILL_FEES, _WITHDRAWAL_FEES, _FAILED_WITHDRAWALS):
            cursor.execute(statement, scope)


def waiting_since(*, account: ExchangeAccount) -> datetime | None:
    """The earliest fact of cash whose fee is not kept as it should be; None if all are. Needs an open door."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"account": account.id, "cash": sorted(settings.CASH_ASSETS)})
        (at,) = cursor.fetchone()
        return at if isinstance(at, datetime) else None
