"""What `benchmarks.ingest` measures: ways of storing fills and of reading them. Needs Django's apps."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import FillRow, MarketType, OrderRow, OrderStatus, Side
from orders import facts, ingest
from orders.models import Fill

FEW = 3
_START = clock.from_ms(1_700_000_000_000)
_COLUMNS = (
    "raw, source, run_id, created_at, market_type, symbol, pair_id, base_asset, quote_asset, exchange_fill_id,"
    " exchange_order_id, side, price, quantity, quote_quantity, fee_amount, fee_currency, is_maker, executed_at,"
    " account_id, user_id"
)
_BOOK = (
    "exchange_fill_id, symbol, base_asset, quote_asset, side, price, quantity, quote_quantity, fee_amount,"
    " fee_currency, executed_at, exchange_order_id"
)


def competitors(account: Any, fills: Sequence[FillRow]) -> dict[str, Callable[[], object]]:
    """In turns: each finds the tables as the one before left them."""

    def store(rows: Sequence[FillRow]) -> None:
        with tenancy.acting_as(account.user_id):
            ingest.store_fills(account=account, rows=rows, source="benchmark", run_id=1)

    def store_orders() -> None:
        with tenancy.acting_as(account.user_id):
            ingest.store_orders(account=account, rows=orders, source="benchmark", run_id=1)

    def read() -> None:
        with tenancy.acting_as(account.user_id):
            count = sum(1 for _ in facts.book_fills(account_id=account.id, asset="BTC", after=None))
        assert count == len(fills) + FEW

    orders = [_order(row) for row in fills]
    few = list(make_fills(len(fills) + FEW))[-FEW:]
    text = _copy_text(account, fills)
    other = account_of(f"{account.label}-bulk")
    return {
        "COPY in": lambda: _copy_in(text),
        "new fills": lambda: store(fills),
        "": _analyze,
        "unchanged fills": lambda: store(fills),
        f"{FEW} new fills": lambda: store(few),
        f"{FEW} unchanged fills": lambda: store(few),
        "bulk_create": lambda: _bulk_create(other, fills),
        "new orders": store_orders,
        "unchanged orders": store_orders,
        "COPY out": lambda: _copy_out(account),
        "book read": read,
    }


def _analyze() -> None:
    """What autovacuum does within a minute."""
    with transaction.atomic(), _owner() as cursor:
        cursor.execute("ANALYZE orders_fill, orders_order")


def _copy_in(text: bytes) -> None:
    """Into an empty twin of the table, which goes again."""
    with transaction.atomic(), _owner() as cursor:
        cursor.execute("CREATE TABLE orders_fill_twin (LIKE orders_fill INCLUDING ALL)")
        with cursor.copy(f"COPY orders_fill_twin ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(text)
        transaction.set_rollback(True)
    assert not connection.in_atomic_block


def _copy_out(account: Any) -> None:
    query = f"SELECT {_BOOK} FROM orders_fill WHERE account_id = '{account.id}'"
    with (
        transaction.atomic(),
        _owner() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        for _ in copy:
            pass


@contextmanager
def _owner() -> Iterator[Any]:
    """A cursor of the tables' owner: COPY knows no row-level security."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        yield cursor


def _bulk_create(account: Any, fills: Sequence[FillRow]) -> None:
    """What Django offers for the same."""
    with tenancy.acting_as(account.user_id):
        Fill.objects.bulk_create(
            [
                Fill(
                    user_id=account.user_id,
                    account=account,
                    source="benchmark",
                    run_id=1,
                    raw=row.raw,
                    symbol=row.symbol,
                    base_asset=row.base_asset,
                    quote_asset=row.quote_asset,
                    exchange_fill_id=row.fill_id,
                    exchange_order_id=row.order_id,
                    side=row.side,
                    price=row.price,
                    quantity=row.quantity,
                    quote_quantity=row.quote_quantity,
                    fee_amount=row.fee_amount,
                    fee_currency=row.fee_currency,
                    is_maker=row.is_maker,
                    executed_at=row.executed_at,
                )
                for row in fills
            ],
            update_conflicts=True,
            unique_fields=["account", "market_type", "symbol", "exchange_fill_id"],
            update_fields=["price"],
            batch_size=1000,
        )


def _copy_text(account: Any, fills: Sequence[FillRow]) -> bytes:
    lines = []
    for row in fills:
        at = row.executed_at.isoformat()
        values = (
            *(
                json.dumps(row.raw),
                "benchmark",
                1,
                at,
                "spot",
                row.symbol,
                r"\N",
                row.base_asset,
                row.quote_asset,
            ),
            *(
                row.fill_id,
                row.order_id,
                row.side.value,
                row.price,
                row.quantity,
                row.quote_quantity,
                row.fee_amount,
            ),
            *(row.fee_currency, row.is_maker, at, account.id, account.user_id),
        )
        lines.append("\t".join(map(str, values)))
    return ("\n".join(lines) + "\n").encode()


def account_of(label: str) -> Any:

    user = User.objects.create_user(f"{label}@example.com", None, name=label)
    with tenancy.acting_as(user.id):
        return ExchangeAccount.objects.create(user=user, exchange="binance", label=label)


def make_fills(count: int) -> Iterator[FillRow]:
    """A page after a page of a busy account, as an adapter gives them."""
    rng = random.Random(1)
    for number in range(1, count + 1):
        price = Decimal(rng.randrange(10**6, 10**7)).scaleb(-2)
        quantity = Decimal(rng.randrange(1, 10**8)).scaleb(-8)
        quote, fee = price * quantity, Decimal(rng.randrange(1, 10**6)).scaleb(-8)
        at = _START + timedelta(seconds=number)
        order_id, is_buy = str(1_000_000 + number // 3), number % 2 == 0
        raw = {
            "symbol": "BTCUSDT",
            "id": str(number),
            "orderId": order_id,
            "orderListId": "-1",
            "price": str(price),
            "qty": str(quantity),
            "quoteQty": str(quote),
            "commission": str(fee),
            "commissionAsset": "BNB",
            "time": str(clock.to_ms(at)),
            "isBuyer": is_buy,
            "isMaker": False,
            "isBestMatch": True,
        }
        side = Side.BUY if is_buy else Side.SELL
        yield FillRow(
            *(MarketType.SPOT, "BTCUSDT", "BTC", "USDT", str(number), order_id, side, price, quantity, quote),
            *(fee, "BNB", False, at, raw),
        )


def _order(fill: FillRow) -> OrderRow:
    return OrderRow(
        *(
            fill.market_type,
            fill.symbol,
            fill.fill_id,
            "",
            "",
            fill.side,
            "LIMIT",
            OrderStatus.FILLED,
            fill.price,
        ),
        *(None, fill.quantity, fill.quantity, fill.quote_quantity, "GTC", fill.executed_at, fill.executed_at),
        fill.raw,
    )
