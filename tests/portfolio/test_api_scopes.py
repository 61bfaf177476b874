"""Accounts together and alone, closed and demo ones; pages; and how many queries an answer takes."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount, Mode
from credentials.scope import resolve
from portfolio.accounting.periods import CALENDAR_KINDS
from portfolio.models import PortfolioSnapshot
from portfolio.selectors import performance
from tests.clients import JsonClient, problem
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(alice: User) -> ExchangeAccount:
    return api_books.small(alice, label="First")


@pytest.fixture
def second(alice: User, first: ExchangeAccount) -> ExchangeAccount:
    return api_books.small(alice, label="Second")


def total(client: JsonClient, **query: str) -> Any:
    answer = client.get("/api/portfolio/snapshot", query).json()
    return answer["exchange"], answer["total_balance"], answer["open_positions_count"]


@pytest.mark.usefixtures("second")
def test_all_live_accounts_are_summed(as_alice: JsonClient) -> None:
    assert total(as_alice) == ("all", 2145.0, 2)


@pytest.mark.usefixtures("second")
def test_an_account_is_named_by_id_or_label(first: ExchangeAccount, as_alice: JsonClient) -> None:
    answers = [total(as_alice, account=name) for name in ("First", str(first.id), str(first.id).upper())]

    assert answers == [("binance", 1072.5, 1)] * 3


@pytest.mark.usefixtures("second")
def test_an_exchange_is_all_its_accounts(as_alice: JsonClient) -> None:
    assert total(as_alice, exchange="binance") == ("binance", 2145.0, 2)
    assert total(as_alice, exchange="mexc") == ("mexc", None, 0)


def test_an_account_of_another_exchange_is_not_there(first: ExchangeAccount, as_alice: JsonClient) -> None:
    query = {"exchange": "mexc", "account": str(first.id)}

    assert problem(as_alice.get("/api/portfolio/snapshot", query))[0] == 404


def test_modes_are_never_summed(
    alice: User, first: ExchangeAccount, second: ExchangeAccount, as_alice: JsonClient
) -> None:
    with tenancy.acting_as(alice.id):
        ExchangeAccount.objects.filter(id=second.id).update(mode=Mode.DEMO)

    assert total(as_alice) == ("binance", 1072.5, 1)
    assert total(as_alice, mode="demo") == ("binance", 1072.5, 1)
    assert total(as_alice, account="Second") == ("binance", 1072.5, 1)
    query = {"account": "Second", "mode": "live"}
    assert problem(as_alice.get("/api/portfolio/snapshot", query))[0] == 404


def test_a_closed_account_keeps_counting_and_does_not_age(
    alice: User, first: ExchangeAccount, as_alice: JsonClient
) -> None:
    with tenancy.acting_as(alice.id):
        ExchangeAccount.objects.update(is_active=False)
        PortfolioSnapshot.objects.update(computed_at=api_books.day(1))

    assert as_alice.get("/api/trades/history").json()["total_trades"] == 1
    assert as_alice.get("/api/trades/history").headers["X-Data-Stale"] == "false"


@pytest.mark.parametrize("kind", CALENDAR_KINDS)
def test_figures_computed_on_reading_are_those_stored(
    kind: str, alice: User, second: ExchangeAccount
) -> None:
    at = clock.now()
    with tenancy.acting_as(alice.id):
        for scope in (resolve(), resolve(account=second.label)):
            period = performance.period_for(kind, scope=scope, at=at)
            stored = performance.performance(scope=scope, period=period, currency="USDT", at=at)
            computed = performance.compute(scope=scope, period=period, currency="USDT", at=at)
            moment = stored.calculated_at
            assert moment != at, "the stored row was not found"
            assert replace(computed, calculated_at=moment) == stored


@pytest.mark.usefixtures("second")
def test_an_exchange_over_two_accounts_has_metrics_too(as_alice: JsonClient) -> None:
    query = {"period": "all_time", "exchange": "binance"}

    body = as_alice.get("/api/performance/metrics", query).json()

    names = ("exchange", "total_trades", "total_net_pnl", "total_portfolio_value")
    assert [body[name] for name in names] == ["binance", 2, 95.0, 2145.0]


def test_a_window_has_metrics_measured_like_its_curve(first: ExchangeAccount, as_alice: JsonClient) -> None:
    metrics = as_alice.get("/api/performance/metrics?period=90d").json()
    curve = as_alice.get("/api/portfolio/equity-curve?period=90d").json()

    assert metrics["return_percentage"] == curve["total_return_percentage"] == 3.2243
    assert metrics["period"] == "WINDOW"


def test_a_missing_day_is_left_out_of_the_curve(
    alice: User, first: ExchangeAccount, as_alice: JsonClient
) -> None:
    gap = api_books.day(2).date()
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.filter(snapshot_date=gap).delete()

    points = as_alice.get("/api/portfolio/equity-curve").json()["data_points"]

    assert [point["date"] for point in points] == [
        f"{api_books.day(before):%Y-%m-%d}" for before in (5, 4, 3, 1, 0)
    ]
    assert {point["grade"] for point in points} == {"complete"}


def test_an_account_without_a_snapshot_that_day_stands_and_the_day_is_partial(
    alice: User, first: ExchangeAccount, second: ExchangeAccount, as_alice: JsonClient
) -> None:
    gap = api_books.day(2).date()
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.filter(account=first, snapshot_date=gap).delete()

    points = as_alice.get("/api/portfolio/equity-curve").json()["data_points"]

    point = next(point for point in points if point["date"] == str(gap))
    assert (point["balance"], point["unrealized_pnl"], point["grade"]) == (2134.0, 40.0, "partial")
    assert point["grade_reason"] == f"no_snapshot:{first.id}"


def test_a_deposit_is_no_return(alice: User, first: ExchangeAccount, as_alice: JsonClient) -> None:
    with tenancy.acting_as(alice.id):
        last = PortfolioSnapshot.objects.order_by("-snapshot_date")[0]
        last.total_balance += 500
        last.flows += 500
        last.save()

    body = as_alice.get("/api/portfolio/equity-curve").json()

    names = ("current_balance", "total_flows", "simple_return_percentage")
    assert [body[name] for name in names] == [1572.5, 500, 2.1767]  # 33.5 made of 1539 put in


def sell_often(account: ExchangeAccount, count: int) -> None:
    facts = [fill(account, "BUY", "10", "100", executed_at=api_books.day(2))]
    facts += [
        fill(account, "SELL", "1", "110", executed_at=api_books.day(2, 11) + timedelta(minutes=number // 2))
        for number in range(count)
    ]
    fold(account, *facts)


def test_pages_meet_without_gap_or_overlap(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    sell_often(account, 7)
    path = "/api/trades/history?period=30d&limit=3"
    pages = []

    while path:
        response = as_alice.get(path)
        pages.append([trade["id"] for trade in response.json()["trades"]])
        link = response.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else ""

    newest_first = [row.pk for row in reversed(api_books.trades(alice))]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(chain.from_iterable(pages)) == newest_first


def test_totals_are_of_the_period_not_of_the_page(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    sell_often(account, 7)
    api_books.derive(account)

    body = as_alice.get("/api/trades/history?limit=2").json()

    assert (len(body["trades"]), body["total_trades"], body["total_pnl"]) == (2, 7, 70)


def test_coins_spent_on_fees_are_not_listed(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)

    kinds = {trade["kind"] for trade in as_alice.get("/api/trades/history").json()["trades"]}

    assert kinds == {"TRADE"}


def count_queries(client: JsonClient, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_one_trade_takes_as_many_queries_as_three(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    sell_often(account, 1)
    as_alice.get("/api/trades/history?mode=live")  # what is kept for the path itself would count less
    one = count_queries(as_alice, "/api/trades/history")
    sell_often(account, 2)

    assert count_queries(as_alice, "/api/trades/history") == one


@pytest.mark.parametrize("path", ["/api/positions/open", "/api/balances", "/api/portfolio/snapshot"])
def test_one_coin_takes_as_many_queries_as_three(path: str, alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    api_books.list_pairs()
    api_books.quote(BTCUSDT="100", BNBUSDT="10")
    coins = ("BTC", "BNB", "ETH")

    def hold(*assets: str) -> None:
        more = {"executed_at": api_books.day(0, 0)}
        for asset in assets:
            fold(account, fill(account, "BUY", "1", "100", symbol=f"{asset}USDT", base_asset=asset, **more))
        api_books.report(account, dict.fromkeys(assets, "1"))
        api_books.derive(account)

    hold(*coins[:1])
    as_alice.get(f"{path}?mode=live")  # what is kept for the path itself would count less
    one = count_queries(as_alice, path)
    hold(*coins)

    assert count_queries(as_alice, path) == one


def test_one_lot_is_explained_by_as_many_queries_as_three(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "SELL", "1", "110"))
    buys = [fill(account, "BUY", "1", "100") for _ in range(3)]
    fold(account, *buys, fill(account, "SELL", "3", "110"))
    small, large = (f"/api/trades/{trade.pk}/explain" for trade in api_books.trades(alice))
    as_alice.get(small)

    assert count_queries(as_alice, small) == count_queries(as_alice, large)
    assert len(as_alice.get(large).json()["allocations"]) == 3


def test_a_position_without_price_is_left_out_of_the_total(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    account = api_books.open_account(alice, "Other")
    fold(account, fill(account, "BUY", "1", "5", symbol="XYZUSDT", base_asset="XYZ"))

    body = as_alice.get("/api/positions/open").json()

    names = ("total_unrealized_pnl", "total_positions", "unpriced_positions")
    assert [body[name] for name in names] == [25.5, 2, 1]
