from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import facts
from orders.facts import AssetChange, BookFill
from tests.factories import AccountFactory, FillFactory, TransferFactory
from tests.orders.rows import AT, at

pytestmark = pytest.mark.django_db
UNIT = 10**18
DAY = date(2026, 2, 1)


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def book(account: ExchangeAccount, asset: str = "BTC", after: datetime | None = None) -> list[BookFill]:
    return list(facts.book_fills(account_id=account.id, asset=asset, after=after))


def changes(account: ExchangeAccount, *pairs: tuple[str, date]) -> set[AssetChange]:
    return set(facts.asset_changes(account_id=account.id, pairs=pairs))


def test_a_fill_is_read_in_whole_units_and_milliseconds(account: ExchangeAccount) -> None:
    stored = FillFactory.create(
        account=account,
        exchange_fill_id="7",
        exchange_order_id="3",
        price=Decimal("0.000000000000000001"),
        quantity=Decimal("99999999999999999999.999999999999999999"),
        quote_quantity=Decimal("1.5"),
        fee_amount=Decimal("-0.25"),
        executed_at=AT + timedelta(milliseconds=1),
    )

    assert book(account) == [
        BookFill(
            fill_id="7",
            symbol="BTCUSDT",
            base="BTC",
            quote="USDT",
            side="BUY",
            price=1,
            quantity=10**38 - 1,
            quote_quantity=3 * UNIT // 2,
            fee_amount=-UNIT // 4,
            fee_currency="USDT",
            executed_ms=1769940000001,
            order_id="3",
            fact=stored.id,
        )
    ]


def test_a_book_reads_fills_of_its_asset_as_base_quote_or_fee(account: ExchangeAccount) -> None:
    FillFactory.create(account=account, exchange_fill_id="1")
    FillFactory.create(
        account=account, exchange_fill_id="2", symbol="ADABTC", base_asset="ADA", quote_asset="BTC"
    )
    FillFactory.create(account=account, exchange_fill_id="3", base_asset="ETH", fee_currency="BTC")
    FillFactory.create(account=account, exchange_fill_id="4", base_asset="ETH")

    assert [fill.fill_id for fill in book(account)] == ["1", "2", "3"]


def test_fills_come_in_fold_order(account: ExchangeAccount) -> None:
    for fill_id, minute, symbol in (
        ("1", 2, "B"),
        ("10", 1, "B"),
        ("9", 1, "C"),
        ("9", 1, "B"),
        ("8", 1, "C"),
    ):
        FillFactory.create(account=account, exchange_fill_id=fill_id, executed_at=at(minute), symbol=symbol)

    assert [(fill.fill_id, fill.symbol) for fill in book(account)] == [
        ("8", "C"),
        ("9", "B"),
        ("9", "C"),
        ("10", "B"),
        ("1", "B"),
    ]


def test_a_book_is_read_from_a_moment_on_inclusive(account: ExchangeAccount) -> None:
    for minute in range(3):
        FillFactory.create(account=account, exchange_fill_id=str(minute), executed_at=at(minute))

    assert [fill.fill_id for fill in book(account, after=at(1))] == ["1", "2"]


def test_a_book_of_more_than_a_batch_is_read_whole(account: ExchangeAccount) -> None:
    _many(account, 12_345)

    assert len(book(account)) == 12_345


def test_reading_the_tail_of_a_book_enters_an_index_by_its_time(account: ExchangeAccount) -> None:
    _many(account, 5000)
    scope: dict[str, Any] = {"account": account.id, "asset": "BTC", "after": AT + timedelta(minutes=80)}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # statistics are the owner's to take
        cursor.execute("ANALYZE orders_fill")
        cursor.execute("SET LOCAL ROLE cgt_app")
        cursor.execute("SET LOCAL enable_bitmapscan = off")  # what is asked is whether the index serves
        cursor.execute("EXPLAIN " + facts._FILLS, scope)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    condition = plan.split("Index Cond: ")[1].split("\n")[
        0
    ]  # by the fold order, or by the owner's list backwards
    assert "executed_at >=" in condition


def _many(account: ExchangeAccount, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_fill (raw, source, created_at, market_type, symbol, base_asset, quote_asset,"
            " exchange_fill_id, exchange_order_id, side, price, quantity, quote_quantity, fee_amount, fee_currency,"
            " is_maker, executed_at, account_id, user_id) SELECT '{}', 'test', now(), 'spot', 'BTCUSDT', 'BTC',"
            " 'USDT', n::text, '1', 'BUY', 1, 1, 1, 0, 'BTC', true, %s + n * interval '1 second', %s, %s"
            " FROM generate_series(1, %s) AS n",
            [AT, account.id, account.user_id, count],
        )


def test_a_book_reads_transfers_that_count_with_their_fees(account: ExchangeAccount) -> None:
    for number, (kind, status) in enumerate(
        (kind, status)
        for kind in ("DEPOSIT", "WITHDRAWAL")
        for status in ("pending", "success", "failed", "unknown")
    ):
        TransferFactory.create(
            account=account,
            exchange_transfer_id=str(number),
            kind=kind,
            status=status,
            amount=Decimal(number),
            fee_amount=Decimal("0.5") if kind == "WITHDRAWAL" else 0,
        )

    found = list(facts.book_transfers(account_id=account.id, asset="USDT", after=None))

    assert [row[:4] for row in found] == [
        ("1", "DEPOSIT", 1769853600000, UNIT),
        ("4", "WITHDRAWAL", 1769853600000, 9 * UNIT // 2),
        ("5", "WITHDRAWAL", 1769853600000, 11 * UNIT // 2),
        ("7", "WITHDRAWAL", 1769853600000, 15 * UNIT // 2),
    ]
    assert {row[5:] for row in found} == {(None, None)}


def test_the_sums_of_a_day_are_exact(account: ExchangeAccount) -> None:
    tiny = Decimal("0.000000000000000001")
    FillFactory.create(
        account=account, quantity=1 + tiny, quote_quantity=Decimal(100), fee_amount=tiny, fee_currency="BTC"
    )
    FillFactory.create(account=account, side="SELL", quantity=Decimal("0.5"), quote_quantity=Decimal(60))
    TransferFactory.create(account=account, occurred_at=AT)
    TransferFactory.create(account=account, occurred_at=AT, status="pending")
    TransferFactory.create(
        account=account, occurred_at=AT, kind="WITHDRAWAL", amount=Decimal(7), fee_amount=Decimal(2)
    )
    TransferFactory.create(account=account, occurred_at=AT, kind="WITHDRAWAL", status="failed")

    assert changes(account, ("BTC", DAY), ("USDT", DAY)) == {
        AssetChange("BTC", DAY, Decimal("0.5"), Decimal(0), Decimal(0), Decimal(0)),
        AssetChange("USDT", DAY, Decimal(-40), Decimal(1000), Decimal(7), Decimal(2)),
    }


def test_a_day_is_a_utc_day_and_its_neighbours_are_not_in_it(account: ExchangeAccount) -> None:
    for moment in (datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)):
        FillFactory.create(account=account, executed_at=moment)

    assert [change.traded for change in changes(account, ("BTC", DAY))] == [Decimal(0)]


def test_days_of_other_accounts_are_not_summed(account: ExchangeAccount) -> None:
    FillFactory.create(account=AccountFactory.create(user=account.user))

    assert [change.traded for change in changes(account, ("BTC", DAY))] == [Decimal(0)]


def test_no_days_need_no_query(account: ExchangeAccount, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert changes(account) == set()
