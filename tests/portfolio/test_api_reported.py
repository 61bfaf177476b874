"""Contract positions as reported, over the API."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import PositionRow
from portfolio import balances
from portfolio.models import ReportedPosition
from tests.clients import client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory
from tests.orders.rows import position
from tests.portfolio.days import moment

pytestmark = pytest.mark.django_db
PATH = "/api/positions/reported"


@pytest.fixture
def account() -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(label="Main")
    return made


def report(account: ExchangeAccount, *rows: PositionRow, day: int = 0) -> None:
    with tenancy.acting_as(account.user_id):
        balances.record_positions(account=account, rows=rows, at=moment(day), run_id=None)


def told(owned: ExchangeAccount, **query: str) -> list[dict[str, Any]]:
    response = client_of(owned.user).get(PATH, query)
    assert response.status_code == 200, response.content
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


def test_a_reported_position_is_told_with_its_money_as_text(account: ExchangeAccount) -> None:
    report(account, position(leverage=Decimal("12.5")))

    assert told(account) == [
        {
            "account_id": str(account.id),
            "exchange": "binance",
            "symbol": "BTCUSDT",
            "side": "LONG",
            "is_hedged": False,
            "quantity": "1",
            "settle_asset": "USDT",
            "is_inverse": False,
            "entry_price": "100",
            "mark_price": "101",
            "liquidation_price": None,
            "leverage": "12.5",
            "margin_mode": "cross",
            "margin": "10",
            "unrealized_pnl": "1",
            "reported_at": "2026-02-01T10:00:00Z",
        }
    ]


def test_closed_positions_are_left_out(account: ExchangeAccount) -> None:
    report(account, position(), position(symbol="ETHUSDT"))
    report(account, position(symbol="ETHUSDT"), day=1)

    assert [row["symbol"] for row in told(account)] == ["ETHUSDT"]


@pytest.mark.parametrize(
    ("query", "count"),
    [({"symbol": "BTCUSDT"}, 1), ({"symbol": "X"}, 0), ({"account": "Main"}, 2), ({"exchange": "mexc"}, 0)],
)
def test_positions_are_found_by(account: ExchangeAccount, query: dict[str, str], count: int) -> None:
    report(account, position(), position(symbol="ETHUSDT"))

    assert len(told(account, **query)) == count


def test_a_stranger_is_asked_to_log_in() -> None:
    assert problem(stranger().get(PATH))[:2] == (401, "not_authenticated")


def test_another_user_sees_nothing(account: ExchangeAccount) -> None:
    report(account, position())
    as_bob = client_of(UserFactory.create())

    assert as_bob.get(PATH).json()["results"] == []
    assert problem(as_bob.get(PATH, {"account": str(account.id)}))[0] == 404


def test_the_database_refuses_when_the_queryset_is_unscoped(account: ExchangeAccount) -> None:
    report(account, position())

    with tenancy.acting_as(UserFactory.create().id):
        assert ReportedPosition.unscoped.count() == 0


def test_reading_is_all_there_is(account: ExchangeAccount) -> None:
    assert problem(client_of(account.user).post(PATH))[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize("query", [{"page": "2"}, {"symbol": "B\x00TC"}, {"exchange": "mtgox"}])
def test_bad_questions_are_refused(account: ExchangeAccount, query: dict[str, str]) -> None:
    status, _, errors = problem(client_of(account.user).get(PATH, query))

    assert (status, [pointer for pointer, _ in errors]) == (400, [f"/{next(iter(query))}"])


def test_many_positions_take_as_many_queries_as_one(account: ExchangeAccount) -> None:
    client, counts = client_of(account.user), []
    for number in (1, 5):
        report(account, *(position(symbol=f"C{each}USDT") for each in range(number)))
        client.get(PATH)
        with CaptureQueriesContext(connection) as queries:
            client.get(PATH)
        counts.append(len(queries))

    assert counts[0] == counts[1]
