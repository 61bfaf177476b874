"""Every fee once, in its own coin, with the value the books used. Funding is listed beside them, and is no fee."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from credentials.models import ExchangeAccount
from portfolio import marks, valuations
from portfolio.models import AccountMark, Fee

# What a quote coin is worth in the reporting currency, and the hour whose pinned prices count.
_QUOTE_PRICE: Final = "CASE f.quote_asset WHEN %(currency)s THEN 1 ELSE q.price END"
_HOUR: Final = "date_bin('1 hour', {0}, timestamptz 'epoch')"
# As portfolio.accounting.events says: a quote-coin fee is worth the quote, a base-coin fee the fill's own price, any
# other its pinned price. Fees of contracts are worth their pinned price.
_PRICED: Final = f"""
  SELECT f.*,
    CASE
      WHEN f.market_type = 'spot' AND f.fee_currency = f.quote_asset THEN {_QUOTE_PRICE}
      WHEN f.market_type = 'spot' AND f.fee_currency = f.base_asset THEN round(f.price * {_QUOTE_PRICE}, 18)
      WHEN f.fee_currency = %(currency)s THEN 1
      ELSE v.price END AS unit_price,
    CASE
      WHEN f.market_type = 'spot' AND f.fee_currency = f.quote_asset THEN coalesce(q.source, '')
      WHEN f.market_type = 'spot' AND f.fee_currency = f.base_asset THEN 'fill' || coalesce(' × ' || q.source, '')
      ELSE coalesce(v.source, '') END AS source_text
  FROM orders_fill f
  LEFT JOIN pins q ON q.asset = f.quote_asset AND q.at = {_HOUR.format("f.executed_at")}
  LEFT JOIN pins v ON v.asset = f.fee_currency AND v.at = {_HOUR.format("f.executed_at")}
  WHERE f.user_id = %(user)s AND f.account_id = %(account)s AND f.executed_at >= %(since)s AND f.fee_amount <> 0
"""
_HAS_FILL_FEES: Final = """
SELECT EXISTS (
  SELECT FROM portfolio_fee WHERE user_id = %(user)s AND account_id = %(account)s AND fee_timestamp >= %(since)s
    AND fill_id IS NOT NULL)
"""
_REVALUED: Final = f"""
WITH pins AS ({valuations.NEWEST})
UPDATE portfolio_fee fee
SET value = round(f.fee_amount * f.unit_price, 18), price = f.unit_price, price_source = f.source_text
FROM ({_PRICED}) AS f
WHERE fee.user_id = %(user)s AND fee.account_id = %(account)s AND fee.fill_id = f.id
  AND (fee.value, fee.price, fee.price_source)
    IS DISTINCT FROM (round(f.fee_amount * f.unit_price, 18), f.unit_price, f.source_text)
"""
_FILL_FEES: Final = f"""
WITH pins AS ({valuations.NEWEST})
INSERT INTO portfolio_fee
  (user_id, account_id, fill_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT user_id, account_id, id, %(exchange)s, symbol, exchange_order_id, fee_amount, fee_currency,
       CASE WHEN is_conversion THEN 'CONVERSION' WHEN is_maker THEN 'MAKER' ELSE 'TAKER' END,
       CASE WHEN is_conversion THEN 'CONVERSION' ELSE 'ORDER_FILL' END,
       round(fee_amount * unit_price, 18), unit_price, source_text, executed_at
FROM ({_PRICED}) AS priced
"""
_WITHOUT_A_FEE: Final = """
WHERE NOT EXISTS (
  SELECT FROM portfolio_fee fee
  WHERE fee.user_id = %(user)s AND fee.account_id = %(account)s AND fee.fill_id = priced.id)
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
LEFT JOIN pins v ON v.asset = t.asset AND v.at = {_HOUR.format("t.occurred_at")}
WHERE t.user_id = %(user)s AND t.account_id = %(account)s AND t.kind = 'WITHDRAWAL'
  AND t.status <> 'failed' AND t.fee_amount <> 0 AND t.occurred_at >= %(since)s
ON CONFLICT (transfer_id) WHERE transfer_id IS NOT NULL DO UPDATE SET value = excluded.value, price = excluded.price,
  fee_amount = excluded.fee_amount, price_source = excluded.price_source, fee_timestamp = excluded.fee_timestamp
WHERE (portfolio_fee.value, portfolio_fee.fee_amount, portfolio_fee.fee_timestamp)
  IS DISTINCT FROM (excluded.value, excluded.fee_amount, excluded.fee_timestamp)
"""
# What was paid is a cost, what was received a negative one.
_FUNDING: Final = f"""
WITH pins AS ({valuations.NEWEST})
INSERT INTO portfolio_fee
  (user_id, account_id, funding_id, exchange, symbol, exchange_order_id, fee_amount, fee_currency, fee_type,
   transaction_type, value, price, price_source, fee_timestamp)
SELECT p.user_id, p.account_id, p.id, %(exchange)s, p.symbol, '', -p.amount, p.asset, 'FUNDING', 'TRANSFER',
       round(-p.amount * CASE WHEN p.asset = %(currency)s THEN 1 ELSE v.price END, 18),
       CASE WHEN p.asset = %(currency)s THEN 1 ELSE v.price END, coalesce(v.source, ''), p.paid_at
FROM orders_fundingpayment p
LEFT JOIN pins v ON v.asset = p.asset AND v.at = {_HOUR.format("p.paid_at")}
WHERE p.user_id = %(user)s AND p.account_id = %(account)s AND p.amount <> 0 AND p.paid_at >= %(since)s
ON CONFLICT (funding_id) WHERE funding_id IS NOT NULL DO UPDATE SET value = excluded.value, price = excluded.price,
  price_source = excluded.price_source
WHERE portfolio_fee.value IS DISTINCT FROM excluded.value
"""
_FAILED_WITHDRAWALS: Final = """
DELETE FROM portfolio_fee USING orders_transfer t
WHERE t.id = portfolio_fee.transfer_id AND t.account_id = %(account)s AND (t.status = 'failed' OR t.fee_amount = 0)
"""
# A book without a price stays stale, but facts of cash alone have no book.
_WAITING: Final = """
SELECT min(fee_timestamp) FROM portfolio_fee
WHERE user_id = %(user)s AND account_id = %(account)s AND value IS NULL
"""


def refresh(*, account: ExchangeAccount, since: datetime, many: bool) -> None:
    """Bring the fees of facts since a moment, and of all that wait, up to date.

    A fee without a price yet has no value, never zero, and waits on.
    `many`: expect a whole history. Rows written a moment ago have no statistics, and by a handful it would be looped.
    """
    mark = marks.locked(
        account
    )  # of two who look which facts have no fee yet, the second finds those of the first
    scope: dict[str, Any] = {
        "account": account.id,
        "exchange": account.exchange,
        "currency": account.user.reporting_currency,
        "since": min(since, mark.fees_from or since),
        "user": account.user_id,
    }
    with connection.cursor() as cursor:
        if many:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_HAS_FILL_FEES, scope)
        if cursor.fetchone()[0]:
            cursor.execute(_REVALUED, scope)
            cursor.execute(_FILL_FEES + _WITHOUT_A_FEE, scope)
        else:
            cursor.execute(_FILL_FEES, scope)
        cursor.execute(_WITHDRAWAL_FEES, scope)
        cursor.execute(_FUNDING, scope)
        cursor.execute(_FAILED_WITHDRAWALS, scope)
        cursor.execute(_WAITING, scope)
        marks.fees_kept(mark, waiting=cursor.fetchone()[0])


def forget(*, account: ExchangeAccount, fills: Collection[int], transfers: Collection[int]) -> None:
    """Of facts that are no more. Needs an open door."""
    Fee.objects.filter(Q(fill__in=fills) | Q(transfer__in=transfers), account=account).delete()


def waiting_since(*, account: ExchangeAccount) -> datetime | None:
    """The earliest fact whose fee may not be kept as it should be; None if all are. Needs an open door."""
    return AccountMark.objects.filter(account=account).values_list("fees_from", flat=True).first()
