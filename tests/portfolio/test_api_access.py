"""Who may read the books, and what is refused."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import models

from accounts.models import User
from core import clock
from core.django import tenancy
from marketdata.models import Ticker
from portfolio import models as books
from tests.clients import JsonClient, problem, stranger
from tests.portfolio import api_books

pytestmark = pytest.mark.django_db

PATHS = (
    "/api/positions/open",
    "/api/trades/history",
    "/api/performance/metrics",
    "/api/performance/strategies",
    "/api/portfolio/snapshot",
    "/api/portfolio/equity-curve",
    "/api/balances",
)
PERIODS = (
    "/api/trades/history", "/api/performance/metrics", "/api/performance/strategies", "/api/portfolio/equity-curve",
)  # fmt: skip
every_path = pytest.mark.parametrize("path", PATHS)
every_period = pytest.mark.parametrize("path", PERIODS)


@pytest.mark.parametrize("path", [*PATHS, "/api/trades/1", "/api/trades/1/explain"])
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    assert problem(stranger().get(path))[:2] == (401, "not_authenticated")


@pytest.mark.parametrize("path", [*PATHS, "/api/trades/1", "/api/trades/1/explain"])
def test_reading_is_all_there_is(path: str, as_bob: JsonClient) -> None:
    assert problem(as_bob.post(path))[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize("path", [*PATHS, "/api/trades/1", "/api/trades/1/explain"])
def test_unknown_parameters_are_refused(path: str, as_bob: JsonClient) -> None:
    assert problem(as_bob.get(f"{path}?exchang=binance")) == (400, "invalid", [("/exchang", "unknown")])


@every_path
def test_another_user_sees_nothing_of_it(path: str, alice: User, as_bob: JsonClient) -> None:
    api_books.small(alice)

    body = as_bob.get(path).json()

    assert [body[name] for name in ("positions", "trades", "data_points", "results", "assets") if name in body] in (
        [[]], [],
    )  # fmt: skip
    assert body.get("total_trades", 0) == 0


@every_path
def test_another_users_account_is_not_there(path: str, alice: User, as_bob: JsonClient) -> None:
    account = api_books.small(alice)

    names = (str(account.id), "Main", str(uuid4()), "nobody")
    assert [problem(as_bob.get(path, {"account": name}))[:2] for name in names] == [(404, "not_found")] * 4


@every_path
def test_an_unknown_exchange_is_refused(path: str, as_bob: JsonClient) -> None:
    assert problem(as_bob.get(f"{path}?exchange=mtgox")) == (
        400, "invalid", [("/exchange", "invalid_choice")],
    )  # fmt: skip


@every_period
@pytest.mark.parametrize("period", ["0d", "99999d", "fortnight", "30", "-1d", "１d"])
def test_a_period_that_is_none_is_refused(path: str, period: str, as_bob: JsonClient) -> None:
    assert problem(as_bob.get(path, {"period": period})) == (400, "invalid", [("/period", "invalid_period")])


@every_period
@pytest.mark.parametrize("day", ["1969-12-31", "9999-12-31", "2026-13-01", "yesterday"])
def test_a_day_without_any_history_is_refused(path: str, day: str, as_bob: JsonClient) -> None:
    status, code, errors = problem(as_bob.get(path, {"at": day}))

    assert (status, code, [pointer for pointer, _ in errors]) == (400, "invalid", ["/at"])


@pytest.mark.parametrize(
    "query", [{"cursor": "nonsense"}, {"cursor": "é"}, {"limit": "0"}, {"limit": "501"}, {"limit": "x"}]
)
def test_a_page_that_cannot_be_is_refused(query: dict[str, str], as_bob: JsonClient) -> None:
    status, _, errors = problem(as_bob.get("/api/trades/history", query))

    assert (status, errors[0][0]) == (400, f"/{next(iter(query))}")


@pytest.mark.parametrize(
    "model",
    [
        books.Book, books.Position, books.Trade, books.Allocation, books.Fee, books.PortfolioSnapshot,
        books.AssetSnapshot, books.PerformanceMetric, books.WalletBalance, books.AssetDay, books.BookDay,
        books.AccountMark, books.TradeDay, books.MetricMark,
    ],
)  # fmt: skip
def test_the_database_refuses_when_the_queryset_is_unscoped(model: Any, alice: User, bob: User) -> None:
    api_books.small(alice)
    rows: models.Manager[Any] = model.unscoped

    with tenancy.acting_as(bob.id):
        seen = rows.count()
    with tenancy.acting_as(alice.id):
        own = rows.count()

    assert seen == 0
    assert own > 0


@every_path
def test_an_unchanged_answer_is_not_sent_twice(path: str, alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    first = as_alice.get(path)

    again = as_alice.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    names = ("ETag", "X-Data-As-Of", "X-Data-Stale", "Cache-Control")
    assert [again.headers[name] for name in names] == [first.headers[name] for name in names]


@every_path
def test_a_rebuild_changes_the_version(path: str, alice: User, as_alice: JsonClient) -> None:
    account = api_books.small(alice)
    first = as_alice.get(path)
    api_books.derive(account)

    again = as_alice.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert again.status_code == 200


@pytest.mark.parametrize("path", ["/api/positions/open", "/api/balances"])
def test_a_new_price_changes_the_version_of_what_shows_prices(
    path: str, alice: User, as_alice: JsonClient
) -> None:
    api_books.small(alice)
    first = as_alice.get(path)
    api_books.quote(BTCUSDT="126")

    again = as_alice.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert again.status_code == 200


def test_another_question_has_another_version(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)

    tags = {
        as_alice.get("/api/trades/history", {"period": text}).headers["ETag"] for text in ("1d", "2d", "3d")
    }

    assert len(tags) == 3


def test_the_age_of_the_books_travels_in_headers(alice: User, as_alice: JsonClient) -> None:
    account = api_books.small(alice)
    fresh = as_alice.get("/api/portfolio/snapshot").headers
    with tenancy.acting_as(alice.id):
        books.PortfolioSnapshot.objects.filter(account=account).update(computed_at=api_books.day(1))

    old = as_alice.get("/api/portfolio/snapshot").headers

    assert (fresh["X-Data-Stale"], old["X-Data-Stale"]) == ("false", "true")
    assert old["X-Data-As-Of"] == f"{api_books.day(1):%Y-%m-%dT%H:%M:%SZ}"


def test_books_folded_anew_are_no_younger_than_the_exchanges_last_word(
    alice: User, as_alice: JsonClient
) -> None:
    account = api_books.small(alice)
    with tenancy.acting_as(alice.id):
        books.AccountMark.objects.filter(account=account).update(heard_at=api_books.day(1))
    api_books.derive(account)

    headers = as_alice.get("/api/portfolio/snapshot").headers

    expected = (f"{api_books.day(1):%Y-%m-%dT%H:%M:%SZ}", "true")
    assert (headers["X-Data-As-Of"], headers["X-Data-Stale"]) == expected


def test_the_same_balances_told_again_are_a_word_of_the_exchange(alice: User) -> None:
    account = api_books.small(alice)
    later = clock.now() + clock.DAY / 24

    api_books.report(account, {"USDT": "947", "BTC": "1"}, at=later)

    with tenancy.acting_as(alice.id):
        assert books.AccountMark.objects.get(account=account).heard_at == later


def test_without_a_first_sync_there_is_no_age(as_bob: JsonClient) -> None:
    headers = as_bob.get("/api/portfolio/snapshot").headers

    assert ("X-Data-As-Of" in headers, headers["X-Data-Stale"]) == (False, "true")


def test_balances_stand_beside_what_the_facts_give(alice: User, as_alice: JsonClient) -> None:
    account = api_books.small(alice)
    api_books.report(account, {"USDT": "950", "BTC": "1"})
    Ticker.objects.exclude(listing__name="BTCUSDT").delete()

    body = as_alice.get("/api/balances").json()

    names = ("asset", "total", "computed", "difference", "price", "value", "is_stale", "account_label")
    assert [[row[name] for name in names] for row in body["results"]] == [
        ["USDT", "950", "947", "3", "1", "950", False, "Main"],
        ["BTC", "1", "1", "0", "125.5", "125.5", False, "Main"],
    ]
    assert (body["total_value"], body["unpriced_assets"], body["next_cursor"]) == ("1075.5", [], None)
