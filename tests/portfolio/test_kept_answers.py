"""Answers that are kept for a minute, and what makes them others."""

from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import excursions
from portfolio.models import Trade
from portfolio.selectors import trades
from tests.clients import JsonClient
from tests.portfolio import api_books
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
