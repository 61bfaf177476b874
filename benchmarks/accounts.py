"""Accounts full of fills, written as fast as the database takes them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import connection

from accounts.models import User
from core import clock, money
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.touched import Touched
from portfolio import books
from portfolio.accounting.events import Fill

_COLUMNS = (
    "user_id, account_id, market_type, symbol, base_asset, quote_asset, exchange_fill_id, exchange_order_id, side,"
    " price, quantity, quote_quantity, fee_amount, fee_currency, is_maker, executed_at, raw, source, created_at"
)


def create(fills: Iterable[Fill], *, label: str) -> ExchangeAccount:
    """A new user's account that holds the fills; its books are stale."""
    user = User.objects.create_user(f"{label}@example.com", None, name=label)
    with tenancy.acting_as(user.id):
        account = ExchangeAccount.objects.create(user=user, exchange="binance", label=label)
    add(account, fills)
    return account


def add(account: ExchangeAccount, fills: Iterable[Fill]) -> None:
    """Store fills and make their books stale, as a sync does."""
    waiting = iter(fills)
    while chunk := list(islice(waiting, 20_000)):
        with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMPORARY TABLE chunk ON COMMIT DROP AS SELECT {_COLUMNS} FROM orders_fill LIMIT 0"
            )
            with cursor.copy(f"COPY chunk ({_COLUMNS}) FROM STDIN") as copy:
                for fill in chunk:
                    copy.write_row(_row(account.user_id, account.id, fill))
            cursor.execute(f"INSERT INTO orders_fill ({_COLUMNS}) SELECT {_COLUMNS} FROM chunk")
            books.mark_stale(account=account, touched=_touched(chunk))


def _row(user_id: UUID, account_id: UUID, fill: Fill) -> Sequence[object]:
    at = clock.from_ms(fill.executed_ms)
    amounts = (fill.price, fill.quantity, fill.quote_quantity, fill.fee_amount)
    price, quantity, value, fee = map(money.from_units, amounts)
    return (
        user_id, account_id, "spot", fill.symbol, fill.base, fill.quote, fill.fill_id, fill.order_id, fill.side, price,
        quantity, value, fee, fill.fee_currency, False, at, "{}", "benchmark", at,
    )  # fmt: skip


def _touched(fills: Sequence[Fill]) -> Touched:
    touched = Touched()
    for fill in fills:
        at: datetime = clock.from_ms(fill.executed_ms)
        for asset in (fill.base, fill.quote, fill.fee_currency):
            touched.note(asset, at)
            touched.days.add((asset, clock.utc_day(at)))
    return touched
