"""Answers that are kept for a while, and what makes them others."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import kept, tenancy
from credentials.models import ExchangeAccount
from portfolio import excursions
from portfolio.models import Position, Trade
from portfolio.selectors import balances, positions, trades
from tests.clients import JsonClient
from tests.portfolio import api_books, contracts
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db
PAGE = "/api/trades/history?limit=1"


def sell_twice(user: User) -> None:
    account = api_books.open_account(user)
    fold(account, fill(account, "BUY", "2", "100", executed_at=api_books.day(1, 9)))
    fold(
        account, *[fill(account, "SELL", "1", "110", executed_at=api_books.day(1, hour)) for hour in (10, 11)]
    )


def test_a_kept_page_is_the_same_to_its_link(
    alice: User, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell_twice(alice)
    first = as_alice.get(PAGE)
    monkeypatch.setattr(trades, "history", None)
    kept = as_alice.get(PAGE)

    assert (kept.content, kept["Link"], kept["ETag"]) == (first.content, first["Link"], first["ETag"])


def test_what_is_said_of_a_trade_is_told_at_once(alice: User, as_alice: JsonClient) -> None:
    sell_twice(alice)

    def told() -> set[Any]:
        return {trade["strategy"] for trade in as_alice.get(PAGE).json()["trades"]}

    before = told()
    with tenancy.acting_as(alice.id):
        Trade.objects.update(strategy="grid")
    assert (before, told()) == ({""}, {"grid"})


def test_how_far_a_trade_went_is_told_at_once(alice: User, as_alice: JsonClient) -> None:
    sell_twice(alice)

    def told() -> str:
        return str(as_alice.get(PAGE).json()["trades"][0]["excursion_reason"])

    before = told()
    with tenancy.acting_as(alice.id):
        account = ExchangeAccount.objects.select_related("user").get()
        due = excursions.due(account=account, at=clock.now())
        excursions.store(due[:1], account=account, at=clock.now())
        some = told()
        excursions.store(due[1:], account=account, at=clock.now())
    assert (before, some, told()) == ("not_yet", "not_yet", "no_direct_market")


PRICED = ("/api/positions/open", "/api/balances")


@pytest.fixture
def kept_for(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many seconds each answer was kept, in order."""
    found: list[int] = []
    put = kept.Shelf.put

    def note(shelf: kept.Shelf, key: str, value: bytes, seconds: int) -> None:
        found.append(seconds)
        put(shelf, key, value, seconds)

    monkeypatch.setattr(kept.Shelf, "put", note)
    return found


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """One moment for all: no minute passes while a test runs."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)


def test_what_prices_make_is_kept_as_long_as_prices_are(
    alice: User, as_alice: JsonClient, kept_for: list[int], monkeypatch: pytest.MonkeyPatch, still: None
) -> None:
    api_books.small(alice)
    first = [as_alice.get(path).content for path in PRICED]
    monkeypatch.setattr(positions, "open_positions", None)
    monkeypatch.setattr(balances, "asset_balances", None)

    assert [as_alice.get(path).content for path in PRICED] == first
    assert kept_for == [30, 30]


def test_metrics_are_kept_for_five_minutes_and_the_rest_for_one(
    alice: User, as_alice: JsonClient, kept_for: list[int]
) -> None:
    api_books.small(alice)
    for path in ("performance/metrics", "performance/strategies", "trades/history"):
        as_alice.get(f"/api/{path}")

    assert kept_for == [300, 300, 60]


def test_new_prices_plans_and_reports_are_told_at_once(
    alice: User, as_alice: JsonClient, still: None
) -> None:
    account = api_books.small(alice)

    def told() -> list[Any]:
        held, opened = as_alice.get(PRICED[1]).json(), as_alice.get(PRICED[0]).json()
        return [
            held["total_value"],
            opened["total_unrealized_pnl"],
            opened["positions"][0]["stop_loss_price"],
        ]

    before = told()
    api_books.quote(at=clock.now() + timedelta(seconds=30), BTCUSDT="130")
    with tenancy.acting_as(alice.id):
        Position.objects.update(stop_loss_price=90)
    priced = told()
    api_books.report(account, {"USDT": "957", "BTC": "1"}, at=clock.now() + timedelta(seconds=40))

    assert (before, priced, told()[0]) == (["1072.5", 25.5, None], ["1077", 30, 90], "1087")


def test_a_new_report_of_a_contract_is_told_at_once(alice: User, as_alice: JsonClient, still: None) -> None:
    account = api_books.open_account(alice)
    contracts.fold(account, contracts.fill(account, "BUY", "1", "100"))
    told = []
    for second, mark in enumerate(("101", "102")):
        contracts.report_position(account, mark, at=clock.now() + timedelta(seconds=second))
        told.append(as_alice.get(PRICED[0]).json()["positions"][0]["current_price"])

    assert told == [101, 102]
