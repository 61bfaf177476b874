"""Fills, orders and funding over the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill, FundingPayment, Order, Transfer
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import (
    AccountFactory,
    FillFactory,
    FundingFactory,
    OrderFactory,
    TransferFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MAKE: dict[str, Callable[..., Any]] = {
    "/api/fills": FillFactory.create,
    "/api/orders": OrderFactory.create,
    "/api/funding": FundingFactory.create,
}
PATHS = tuple(MAKE)
every_path = pytest.mark.parametrize("path", PATHS)
START = datetime(2026, 2, 1, 10, tzinfo=UTC)


@pytest.fixture
def alice(db: None) -> User:
    user: User = UserFactory.create()
    return user


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    return made


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


def ids(client: JsonClient, path: str, **query: str) -> list[int]:
    response = client.get(path, query)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_a_fill_shows_its_money_as_text(account: ExchangeAccount, as_alice: JsonClient) -> None:
    fill = FillFactory.create(
        account=account,
        quantity=Decimal("0.000000010000000001"),
        price=Decimal("98765432109876.5"),
        quote_quantity=Decimal("987654.321197530432109876"),
        fee_amount=Decimal("-0.5"),
    )

    (row,) = as_alice.get("/api/fills").json()["results"]

    assert row == {
        "id": fill.id,
        "account_id": str(account.id),
        "exchange": "binance",
        "market_type": "spot",
        "symbol": "BTCUSDT",
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "exchange_fill_id": fill.exchange_fill_id,
        "exchange_order_id": fill.exchange_order_id,
        "side": "BUY",
        "price": "98765432109876.5",
        "quantity": "0.000000010000000001",
        "quote_quantity": "987654.321197530432109876",
        "fee_amount": "-0.5",
        "fee_currency": "USDT",
        "is_maker": False,
        "position_side": "",
        "settle_asset": "",
        "is_inverse": False,
        "realized_pnl": None,
        "is_liquidation": False,
        "is_inferred": False,
        "strategy": "",
        "executed_at": "2026-02-01T10:00:00Z",
    }


def test_an_order_shows_what_it_is_to_others(account: ExchangeAccount, as_alice: JsonClient) -> None:
    entry = OrderFactory.create(account=account, role="ENTRY", group_id="g")
    OrderFactory.create(account=account, role="TP1", group_id="g", parent=entry, price=None, side="SELL")

    rows = as_alice.get("/api/orders").json()["results"]

    names = ("role", "group_id", "parent_id", "price", "side", "executed_quantity", "filled_at")
    assert [[row[name] for name in names] for row in rows] == [
        ["TP1", "g", entry.id, None, "SELL", "0", None],
        ["ENTRY", "g", None, "100", "BUY", "0", None],
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"symbol": "ETHUSDT"}, [1]),
        ({"side": "SELL"}, [2]),
        ({"status": "FILLED"}, [2]),
        ({"role": "SL"}, [0]),
        ({"since": "2026-02-01T11:00:00Z"}, [1, 2]),
        ({"until": "2026-02-01T11:00:00Z"}, [0]),
        ({"account": "Main"}, [0, 1, 2]),
        ({"account": "Other"}, []),
        ({"exchange": "mexc"}, []),
        ({"side": "BUY", "symbol": "BTCUSDT"}, [0]),
    ],
)
def test_orders_are_found_by(
    query: dict[str, str], expected: list[int], account: ExchangeAccount, as_alice: JsonClient
) -> None:
    AccountFactory.create(user=account.user, label="Other")
    kinds: list[dict[str, Any]] = [
        {"role": "SL"},
        {"symbol": "ETHUSDT"},
        {"side": "SELL", "status": "FILLED"},
    ]
    made = [
        OrderFactory.create(account=account, ordered_at=START + timedelta(hours=hour), **kind)
        for hour, kind in enumerate(kinds)
    ]

    found = ids(as_alice, "/api/orders", **query)

    assert sorted(found) == [made[place].id for place in expected]


def test_fills_are_found_by_their_order(account: ExchangeAccount, as_alice: JsonClient) -> None:
    wanted, _ = (
        FillFactory.create(account=account, exchange_order_id="7"),
        FillFactory.create(account=account),
    )

    assert ids(as_alice, "/api/fills", order_id="7") == [wanted.id]


@every_path
def test_pages_meet_without_gap_or_overlap(path: str, account: ExchangeAccount, as_alice: JsonClient) -> None:
    made = [MAKE[path](account=account).id for _ in range(5)]  # all of one moment
    pages, query = [], {"limit": "2"}

    while "cursor" not in query or query["cursor"]:
        body = as_alice.get(path, query).json()
        pages.append([row["id"] for row in body["results"]])
        query["cursor"] = body["next_cursor"]

    assert pages == [made[:-3:-1], made[2:0:-1], made[:1]]


@every_path
def test_one_row_takes_as_many_queries_as_three(
    path: str, account: ExchangeAccount, as_alice: JsonClient
) -> None:
    counts = []
    for rows in (1, 2):
        for _ in range(rows):
            MAKE[path](account=account)
        as_alice.get(path)
        with CaptureQueriesContext(connection) as queries:
            as_alice.get(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]


@every_path
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    assert problem(stranger().get(path))[:2] == (401, "not_authenticated")


@every_path
def test_another_user_sees_nothing(path: str, account: ExchangeAccount) -> None:
    MAKE[path](account=account)
    as_bob = client_of(UserFactory.create())

    assert ids(as_bob, path) == []
    assert problem(as_bob.get(path, {"account": str(account.id)}))[0] == 404


@pytest.mark.parametrize("model", [Fill, Order, Transfer, FundingPayment])
def test_the_database_refuses_when_the_queryset_is_unscoped(model: Any, account: ExchangeAccount) -> None:
    (
        FillFactory.create(account=account),
        OrderFactory.create(account=account),
        TransferFactory.create(account=account),
        FundingFactory.create(account=account),
    )
    bob = UserFactory.create()

    with tenancy.acting_as(bob.id):
        seen = model.unscoped.count()
    with tenancy.acting_as(account.user_id):
        own = model.unscoped.count()

    assert (seen, own) == (0, 1)


@every_path
def test_reading_is_all_there_is(path: str, as_alice: JsonClient) -> None:
    assert problem(as_alice.delete(path))[:2] == (405, "method_not_allowed")


@every_path
@pytest.mark.parametrize(
    "query",
    [
        {"page": "2"}, {"limit": "0"}, {"limit": "501"}, {"cursor": "MTIz"}, {"cursor": "x.y"},
        {"since": "yesterday"}, {"until": "2026-02-30T00:00:00Z"}, {"symbol": "B\x00TC"}, {"exchange": "mtgox"},
        {"since": "9999-12-31T23:59:59-23:59"}, {"since": "0001-01-01T00:00:00+23:59"},
    ],
)  # fmt: skip
def test_bad_questions_are_refused(path: str, query: dict[str, str], as_alice: JsonClient) -> None:
    status, _, errors = problem(as_alice.get(path, query))

    assert (status, [pointer for pointer, _ in errors]) == (400, [f"/{next(iter(query))}"])


@pytest.mark.parametrize("path", ["/api/fills", "/api/orders"])
@pytest.mark.parametrize("query", [{"side": "LONG"}, {"market_type": "margin"}])
def test_a_trade_of_no_kind_is_refused(path: str, query: dict[str, str], as_alice: JsonClient) -> None:
    assert problem(as_alice.get(path, query))[0] == 400


def test_a_fill_of_a_contract_tells_its_side_and_profit(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    contract = {"market_type": "futures", "position_side": "LONG", "settle_asset": "USDT"}
    FillFactory.create(account=account, realized_pnl=Decimal("-1.5"), **contract)
    FillFactory.create(account=account)

    (row,) = as_alice.get("/api/fills", {"market_type": "futures"}).json()["results"]

    names = ("market_type", "position_side", "settle_asset", "is_inverse", "realized_pnl", "is_liquidation")
    assert [row[name] for name in names] == ["futures", "LONG", "USDT", False, "-1.5", False]


def test_funding_shows_its_money_as_text(account: ExchangeAccount, as_alice: JsonClient) -> None:
    payment = FundingFactory.create(account=account, rate=Decimal("0.0001"))

    (row,) = as_alice.get("/api/funding").json()["results"]

    assert row == {
        "id": payment.id,
        "account_id": str(account.id),
        "exchange": "binance",
        "symbol": "BTCUSDT",
        "exchange_payment_id": payment.exchange_payment_id,
        "position_side": "BOTH",
        "asset": "USDT",
        "amount": "-0.01",
        "rate": "0.0001",
        "quantity": None,
        "paid_at": "2026-02-01T08:00:00Z",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"symbol": "ETHUSDT"}, [1]),
        ({"since": "2026-02-01T09:00:00Z"}, [1]),
        ({"until": "2026-02-01T09:00:00Z"}, [0]),
        ({"exchange": "mexc"}, []),
    ],
)
def test_funding_is_found_by(
    query: dict[str, str], expected: list[int], account: ExchangeAccount, as_alice: JsonClient
) -> None:
    made = [
        FundingFactory.create(account=account, symbol=symbol, paid_at=START + timedelta(hours=hour))
        for symbol, hour in (("BTCUSDT", -2), ("ETHUSDT", 0))
    ]

    assert ids(as_alice, "/api/funding", **query) == [made[place].id for place in expected]
