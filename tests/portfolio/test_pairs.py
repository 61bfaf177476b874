"""Closed positions as the frontend's pairs."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from portfolio.models import Position
from tests.clients import JsonClient, problem
from tests.portfolio import api_books, contracts
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db

FIGURES = (
    *("totalBuyCost", "effectiveBuySize", "avgBuyPrice", "totalSellRevenue", "avgSellPrice", "matchedSize"),
    *("costBasis", "pnl", "pnlPercent"),
)


def get(client: JsonClient, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/api/trades/pairs{query}")
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def figures(pair: dict[str, Any]) -> list[str]:
    return [pair[name] for name in FIGURES]


def two_exits(user: User) -> None:
    """2 bought at 100 for 0.2; one sold at 110 for 0.11 by TP1, one at 120 for 0.12."""
    account = api_books.open_account(user)
    day = api_books.day
    fold(
        account,
        fill(account, "BUY", "2", "100", fee_amount=Decimal("0.2"), executed_at=day(3)),
        fill(account, "SELL", "1", "110", fee_amount=Decimal("0.11"), executed_at=day(3, 12)),
        fill(account, "SELL", "1", "120", fee_amount=Decimal("0.12"), executed_at=day(2)),
        fill(account, "BUY", "1", "90", executed_at=day(1)),
    )


def test_a_pair_is_a_closed_position(alice: User, as_alice: JsonClient) -> None:
    two_exits(alice)

    [pair] = get(as_alice)

    bought, sold = ["200.2", "2", "100.1"], ["229.77", "114.885"]
    assert figures(pair) == [*bought, *sold, "2", "200.2", "29.57", "14.7702"]
    assert (pair["net_pnl"], pair["fees"], pair["trades"]) == ("29.57", "0.43", 2)


def test_a_fee_in_the_coin_stands_once(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    in_coin = {"fee_amount": Decimal("0.001"), "fee_currency": "BTC"}
    fold(
        account,
        fill(account, "BUY", "1", "100", executed_at=api_books.day(2), **in_coin),
        fill(account, "SELL", "0.999", "110", executed_at=api_books.day(1)),
    )

    [pair] = get(as_alice)

    assert (pair["totalBuyCost"], pair["effectiveBuySize"], pair["pnl"], pair["net_pnl"]) == (
        "100",
        "0.999",
        "9.89",
        "9.89",
    )


def test_dust_of_an_earlier_position_is_sold_at_its_cost(alice: User, as_alice: JsonClient) -> None:
    account, day = api_books.open_account(alice), api_books.day
    fold(
        account,
        fill(account, "BUY", "1.000000005", "100", executed_at=day(4)),
        fill(account, "SELL", "1", "110", executed_at=day(3)),
        fill(account, "BUY", "1", "200", executed_at=day(2)),
        fill(account, "SELL", "1.000000005", "300", executed_at=day(1)),
    )

    last, first = get(as_alice)

    assert (first["pnl"], first["net_pnl"]) == ("10", "10")
    bought = (last["totalBuyCost"], last["effectiveBuySize"], last["matchedSize"])
    assert bought == ("200.0000005", "1.000000005", "1.000000005")
    assert (last["pnl"], last["net_pnl"]) == ("100.000001", "100.000001")


def test_a_short_is_bought_last(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    contracts.fold(
        account,
        contracts.fill(account, "SELL", "2", "110", fee_amount=Decimal("0.11"), executed_at=api_books.day(2)),
        contracts.fill(account, "BUY", "2", "90", fee_amount=Decimal("0.09"), executed_at=api_books.day(1)),
    )

    [pair] = get(as_alice)

    assert (pair["totalBuyCost"], pair["totalSellRevenue"], pair["pnl"]) == ("180.09", "219.89", "39.8")
    assert pair["net_pnl"] == "39.8"


def test_pages_follow_each_other(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    rounds = [
        fill(account, side, "1", "100", executed_at=api_books.day(before, hour))
        for before in (4, 3, 2)
        for side, hour in (("BUY", 9), ("SELL", 11))
    ]
    fold(account, *rounds)

    first = as_alice.get("/api/trades/pairs?limit=2").json()
    second = as_alice.get(f"/api/trades/pairs?limit=2&cursor={first['next_cursor']}").json()

    ids = [pair["id"] for pair in [*first["results"], *second["results"]]]
    with tenancy.acting_as(alice.id):
        assert ids == list(Position.objects.order_by("-closed_at").values_list("id", flat=True))
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?period=1d", 0),
        ("?symbol=BTCUSDT", 1),
        ("?symbol=ETHUSDT", 0),
        ("?strategy=swing", 0),
        ("?exchange=binance", 1),
        ("?exchange=mexc", 0),
    ],
)
def test_pairs_are_chosen(alice: User, as_alice: JsonClient, query: str, count: int) -> None:
    two_exits(alice)

    assert len(get(as_alice, query)) == count


def test_a_cursor_of_nobody_is_refused(as_alice: JsonClient) -> None:
    assert problem(as_alice.get("/api/trades/pairs?cursor=x"))[:2] == (400, "invalid")


def test_somebody_elses_pairs_are_not_there(alice: User, as_bob: JsonClient) -> None:
    two_exits(alice)

    assert get(as_bob) == []
