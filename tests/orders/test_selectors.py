from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core.django import tenancy
from core.django.cursors import Place
from core.errors import Invalid
from credentials.models import ExchangeAccount
from orders import selectors
from orders.models import Fill
from orders.selectors import ListPage
from tests.factories import AccountFactory, FillFactory, OrderFactory
from tests.orders.rows import AT, at

pytestmark = pytest.mark.django_db


def fills(account: ExchangeAccount, **filters: Any) -> ListPage:
    with tenancy.acting_as(account.user_id):
        return selectors.fills_page(**filters)


def orders(account: ExchangeAccount, **filters: Any) -> ListPage:
    with tenancy.acting_as(account.user_id):
        return selectors.orders_page(**filters)


def ids(page: ListPage) -> list[str]:
    return [row.get("exchange_fill_id") or row["exchange_order_id"] for row in page.rows]


def walk(account: ExchangeAccount, between: Callable[[], object] = lambda: None, **filters: Any) -> list[str]:
    """All ids, page by page, with something happening between the pages."""
    found, cursor = [], None
    while True:
        page = fills(account, cursor=cursor, **filters)
        found += ids(page)
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor
        between()


def test_a_fill_is_listed_with_all_its_fields() -> None:
    fill = FillFactory.create(fee_amount=Decimal("0.1"))

    assert fills(fill.account).rows == [
        {
            "id": fill.id,
            "account_id": fill.account_id,
            "exchange": "binance",
            "market_type": "spot",
            "symbol": "BTCUSDT",
            "base_asset": "BTC",
            "quote_asset": "USDT",
            "exchange_fill_id": fill.exchange_fill_id,
            "exchange_order_id": fill.exchange_order_id,
            "side": "BUY",
            "price": Decimal(100),
            "quantity": Decimal(1),
            "quote_quantity": Decimal(100),
            "fee_amount": Decimal("0.1"),
            "fee_currency": "USDT",
            "is_maker": False,
            "position_side": "",
            "settle_asset": "",
            "is_inverse": False,
            "realized_pnl": None,
            "is_liquidation": False,
            "is_inferred": False,
            "strategy": "",
            "executed_at": AT,
        }
    ]


def test_pages_walk_all_fills_newest_first_also_within_one_millisecond() -> None:
    account = AccountFactory.create()
    for number in range(7):
        FillFactory.create(account=account, exchange_fill_id=str(number), executed_at=at(number // 3))

    assert walk(account, limit=2) == ["6", "5", "4", "3", "2", "1", "0"]


def test_pages_are_not_shifted_by_fills_that_come_meanwhile() -> None:
    account = AccountFactory.create()
    for number in range(5):
        FillFactory.create(account=account, exchange_fill_id=str(number), executed_at=at(number))

    walked = walk(account, between=lambda: FillFactory.create(account=account, executed_at=at(99)), limit=2)

    assert walked == ["4", "3", "2", "1", "0"]


def test_the_last_full_page_names_no_next_one() -> None:
    fill = FillFactory.create()

    assert fills(fill.account, limit=1).next_cursor is None


def test_fills_of_others_are_not_listed() -> None:
    mine, _ = FillFactory.create(), FillFactory.create()

    assert [row["id"] for row in fills(mine.account).rows] == [mine.id]


def test_the_account_of_another_lists_nothing() -> None:
    mine, other = FillFactory.create(), FillFactory.create()

    assert fills(mine.account, account_ids=[other.account_id]).rows == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"symbol": "ETHUSDT"}, ["eth"]),
        ({"side": "SELL"}, ["sell"]),
        ({"order_id": "of-order"}, ["ordered"]),
        ({"exchange": "gateio"}, ["gate"]),
        ({"exchange": "binance", "side": "SELL"}, ["sell"]),
        ({"since": at(3)}, ["late"]),
        ({"until": AT}, ["early"]),
        ({"account_ids": []}, []),
    ],
)
def test_fills_are_filtered(filters: dict[str, Any], expected: list[str]) -> None:
    account = AccountFactory.create()
    gate = AccountFactory.create(user=account.user, exchange="gateio")
    FillFactory.create(account=account, exchange_fill_id="eth", symbol="ETHUSDT")
    FillFactory.create(account=account, exchange_fill_id="sell", side="SELL")
    FillFactory.create(account=account, exchange_fill_id="ordered", exchange_order_id="of-order")
    FillFactory.create(account=account, exchange_fill_id="late", executed_at=at(3))
    FillFactory.create(account=account, exchange_fill_id="early", executed_at=AT - timedelta(milliseconds=1))
    FillFactory.create(account=gate, exchange_fill_id="gate")

    assert ids(fills(account, **filters)) == expected


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(Invalid, match="between 1 and 500"):
        fills(AccountFactory.create(), limit=limit)


def test_a_cursor_of_nobody_is_refused() -> None:
    with pytest.raises(Invalid, match="no cursor of ours"):
        fills(AccountFactory.create(), cursor="nonsense")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"symbol": "ETHUSDT"}, ["eth"]),
        ({"status": "FILLED"}, ["filled"]),
        ({"role": "SL"}, ["stop"]),
        ({"group_id": "g"}, ["stop"]),
        ({"side": "SELL"}, ["stop"]),
        ({"since": at(3)}, ["late"]),
    ],
)
def test_orders_are_filtered(filters: dict[str, Any], expected: list[str]) -> None:
    account = AccountFactory.create()
    OrderFactory.create(account=account, exchange_order_id="eth", symbol="ETHUSDT")
    OrderFactory.create(account=account, exchange_order_id="filled", status="FILLED")
    OrderFactory.create(account=account, exchange_order_id="stop", role="SL", group_id="g", side="SELL")
    OrderFactory.create(account=account, exchange_order_id="late", ordered_at=at(3))

    assert ids(orders(account, **filters)) == expected


def test_orders_come_newest_first_in_pages() -> None:
    account = AccountFactory.create()
    for number in range(3):
        OrderFactory.create(account=account, exchange_order_id=str(number), ordered_at=at(number))

    first = orders(account, limit=2)

    assert ids(first) == ["2", "1"]
    assert ids(orders(account, limit=2, cursor=first.next_cursor)) == ["0"]


def test_open_orders_are_those_still_in_the_book() -> None:
    account = AccountFactory.create()
    for number, status in enumerate(["NEW", "FILLED", "PARTIALLY_FILLED", "CANCELED"]):
        OrderFactory.create(account=account, status=status, ordered_at=at(number))

    with tenancy.acting_as(account.user_id):
        assert [row["status"] for row in selectors.open_orders(account_ids=[account.id])] == [
            "PARTIALLY_FILLED",
            "NEW",
        ]


def test_a_page_takes_one_query_however_long(django_assert_num_queries: Any) -> None:
    account = AccountFactory.create()
    for _ in range(3):
        FillFactory.create(account=account)

    with tenancy.acting_as(account.user_id), django_assert_num_queries(1):
        assert len(selectors.fills_page().rows) == 3


def test_a_deep_page_enters_the_list_by_its_index() -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_fill (raw, source, created_at, market_type, symbol, base_asset, quote_asset,"
            " exchange_fill_id, exchange_order_id, side, price, quantity, quote_quantity, fee_amount, fee_currency,"
            " is_maker, executed_at, account_id, user_id) SELECT '{}', 'test', now(), 'spot', 'BTCUSDT', 'BTC',"
            " 'USDT', n::text, '1', 'BUY', 1, 1, 1, 0, 'BTC', true, %s + n * interval '1 second', %s, %s"
            " FROM generate_series(1, 5000) AS n",
            [AT, account.id, account.user_id],
        )
        cursor.execute("SET LOCAL enable_bitmapscan = off")  # without statistics the planner guesses
        rows = Fill.objects.filter(Place(at(10), 10**9).beyond("executed_at"))
        plan = rows.order_by("-executed_at", "-id").values("id")[:50].explain()

    assert "Index Scan using fill_list" in plan or "Index Only Scan using fill_list" in plan
    assert "executed_at <=" in plan.split("Index Cond")[1].split("\n")[0]
    assert "Sort" not in plan
