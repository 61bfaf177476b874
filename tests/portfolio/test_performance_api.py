"""Metrics of parts, strategies side by side, what they are drawn from, and answers that are kept."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from credentials.scope import resolve
from portfolio import metrics, snapshots
from portfolio.models import PerformanceMetric, PortfolioSnapshot, Trade, UserPerformanceSummary
from portfolio.selectors import performance
from tests.clients import JsonClient
from tests.factories import AccountFactory
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold, transfer

pytestmark = pytest.mark.django_db
METRICS = "/api/performance/metrics?period=all_time"


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """Of `small`, with a trade of ETH that lost 10, and strategies."""
    account = api_books.small(alice)
    in_eth = {"symbol": "ETHUSDT", "base_asset": "ETH"}
    fold(
        account,
        fill(account, "BUY", "1", "50", executed_at=api_books.day(3), **in_eth),
        fill(account, "SELL", "1", "40", executed_at=api_books.day(2), **in_eth),
    )
    name(alice, "BTCUSDT", "trend")
    name(alice, "ETHUSDT", "grid")
    api_books.derive(account)
    return account


def name(user: User, symbol: str, strategy: str) -> None:
    with tenancy.acting_as(user.id):
        Trade.objects.filter(symbol=symbol).update(strategy=strategy)


def get(client: JsonClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("query", "trades", "net"),
    [
        ("", 2, 37.5), ("&symbol=ETHUSDT", 1, -10.0), ("&strategy=trend", 1, 47.5),
        ("&strategy=", 0, 0.0), ("&strategy=trend&symbol=ETHUSDT", 0, 0.0), ("&exchange=mexc", 0, 0.0),
        ("&exchange=binance&symbol=BTCUSDT", 1, 47.5),
    ],
)  # fmt: skip
def test_a_part_has_metrics_of_its_own(as_alice: JsonClient, query: str, trades: int, net: float) -> None:
    body = get(as_alice, METRICS + query)
    assert (body["total_trades"], body["total_net_pnl"], body["sample"]["trades"]) == (trades, net, trades)


def test_the_curve_of_all_time_returns_what_the_metrics_do(
    as_alice: JsonClient, account: ExchangeAccount
) -> None:
    """The first day is part of both: here it made 10 % of what came in."""
    with tenancy.acting_as(account.user_id):
        first = PortfolioSnapshot.objects.earliest("snapshot_date")
        PortfolioSnapshot.objects.filter(id=first.pk).update(total_balance=first.flows * 11 / 10)
    metrics.refresh(user_id=account.user_id, at=clock.now())
    curve, whole = get(as_alice, "/api/portfolio/equity-curve?period=all_time"), get(as_alice, METRICS)

    names = (
        "simple_return_percentage", "money_weighted_return_percentage", "max_drawdown", "max_drawdown_amount",
    )  # fmt: skip
    assert curve["total_return_percentage"] == whole["return_percentage"]
    assert [curve[name] for name in names] == [whole[name] for name in names]
    points = curve["data_points"]
    assert (points[0]["return_percent"], points[0]["date"]) == (10, first.snapshot_date.isoformat())
    assert (points[-1]["return_percent"], curve["initial_balance"]) == (
        curve["total_return_percentage"],
        points[0]["balance"],
    )


def test_the_curve_of_any_period_says_what_its_metrics_say(alice: User, as_alice: JsonClient) -> None:
    """A second account stands as it did when it was told last, three days ago."""
    api_books.small(alice)
    quiet = api_books.open_account(alice, "Quiet")
    fold(quiet, transfer(quiet, occurred_at=api_books.day(4, 8)))
    api_books.report(quiet, {"USDT": "1000"}, at=api_books.day(3))
    snapshots.refresh(user_id=alice.id, account_id=quiet.id, at=api_books.day(3, 12))
    metrics.refresh(user_id=alice.id, at=clock.now())
    same = {
        "total_return_percentage": "return_percentage", "simple_return_percentage": "simple_return_percentage",
        "money_weighted_return_percentage": "money_weighted_return_percentage", "max_drawdown": "max_drawdown",
        "current_balance": "total_portfolio_value",
    }  # fmt: skip

    for period in ("daily", "weekly", "monthly", "all_time", "1d", "2d", "4d", "30d"):
        curve = get(as_alice, f"/api/portfolio/equity-curve?period={period}&benchmark=BTC")
        told = get(as_alice, f"/api/performance/metrics?period={period}")
        assert {ours: curve[ours] for ours in same} == {
            ours: told[theirs] for ours, theirs in same.items()
        }, period
        assert curve["current_balance"] == 2072.5, period
        assert curve["data_points"][-1]["grade_reason"] == f"no_snapshot:{quiet.id}", period


@pytest.mark.usefixtures("account")
def test_the_sample_is_told(as_alice: JsonClient) -> None:
    sample = get(as_alice, METRICS)["sample"]

    flows = sample.pop("flows")
    assert flows.startswith("Deposits, withdrawals")
    assert sample == {
        "trades": 2, "r_multiple_trades": 0, "valued_days": 6, "return_days": 6,
        "first_day": f"{api_books.day(6):%Y-%m-%d}", "last_day": f"{api_books.day(0):%Y-%m-%d}", "currency": "USDT",
        "time_zone": "UTC", "days_per_year": 365, "formula_version": 3,
    }  # fmt: skip


@pytest.mark.usefixtures("account")
def test_a_part_of_an_account_has_no_deposits_of_its_own(as_alice: JsonClient) -> None:
    body = get(as_alice, METRICS + "&symbol=ETHUSDT")

    assert (body["xirr_percentage"], body["reasons"]["xirr_percentage"]) == (None, "not_attributable")
    assert body["sample"]["flows"].startswith("Realised net results")
    assert body["return_percentage"] < 0


@pytest.mark.usefixtures("account")
def test_returns_by_time_by_money_and_simple_stand_side_by_side(as_alice: JsonClient) -> None:
    body = get(as_alice, METRICS)

    names = ("return_percentage", "simple_return_percentage", "money_weighted_return_percentage")
    assert all(isinstance(body[each], float) for each in names)
    assert body["reasons"]["xirr_percentage"] == body["reasons"]["cagr"] == "too_few_days"
    assert body["exposure_percentage"] == 100.0


@pytest.mark.usefixtures("account")
def test_strategies_stand_side_by_side(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/performance/strategies")

    rows = [(row["strategy"], row["total_trades"], row["total_net_pnl"]) for row in body["results"]]
    assert rows == [("trend", 1, "47.5"), ("grid", 1, "-10")]
    assert body["next_cursor"] is None


def test_kept_rows_of_a_strategy_are_what_would_be_computed(alice: User, account: ExchangeAccount) -> None:
    at = api_books.day(0, 12)
    part = performance.Part(strategy="trend")
    with tenancy.acting_as(alice.id):
        scope = resolve()
        period = performance.period_for("all_time", scope=scope, at=at)
        stored = performance.performance(scope=scope, period=period, currency="USDT", at=at, part=part)
        computed = performance.compute(
            scope=scope, period=period, currency="USDT", at=stored.calculated_at, part=part
        )
        assert PerformanceMetric.objects.filter(strategy="trend", period_type="ALL_TIME").exists()
    assert computed == stored


def test_an_answer_is_kept_until_something_is_written(
    alice: User, account: ExchangeAccount, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    real = performance.performance

    def counted(**asked: Any) -> performance.Performance:
        calls.append(asked)
        return real(**asked)

    monkeypatch.setattr(performance, "performance", counted)
    assert get(as_alice, METRICS) == get(as_alice, METRICS)
    assert len(calls) == 1

    fold(account, fill(account, "SELL", "0.5", "200", executed_at=api_books.day(1)))
    api_books.derive(account)

    assert get(as_alice, METRICS)["total_trades"] == 3
    assert len(calls) == 2


def test_a_changed_currency_is_another_answer(
    alice: User, account: ExchangeAccount, as_alice: JsonClient
) -> None:
    get(as_alice, "/api/performance/metrics?period=30d")
    User.objects.filter(id=alice.id).update(reporting_currency="EUR")
    assert get(as_alice, "/api/performance/metrics?period=30d")["currency"] == "EUR"


@pytest.mark.usefixtures("account")
def test_nobody_gets_what_was_kept_for_another(as_alice: JsonClient, as_bob: JsonClient) -> None:
    assert get(as_alice, METRICS)["total_trades"] == 2
    assert get(as_bob, METRICS)["total_trades"] == 0


@pytest.mark.usefixtures("account")
def test_without_redis_answers_are_computed(settings: Any, as_alice: JsonClient) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert get(as_alice, METRICS)["total_trades"] == 2


def test_the_summary_is_of_the_all_time_rows_by_exchange_and_mode(
    alice: User, account: ExchangeAccount
) -> None:
    demo = AccountFactory.create(user=alice, mode="demo")
    fold(
        demo,
        fill(demo, "BUY", "1", "100", executed_at=api_books.day(3)),
        fill(demo, "SELL", "1", "90", executed_at=api_books.day(2)),
    )
    api_books.derive(demo)

    columns = (
        "exchange", "mode", "total_trades", "winning_trades", "total_pnl", "avg_pnl", "largest_win", "largest_loss",
    )  # fmt: skip
    with tenancy.acting_as(alice.id):
        rows = list(UserPerformanceSummary.objects.order_by("mode").values_list(*columns))
    assert rows == [
        ("binance", "demo", 1, 0, -10, -10, None, -10),
        ("binance", "live", 2, 1, Decimal("37.5"), Decimal("18.75"), Decimal("47.5"), -10),
    ]


@pytest.mark.usefixtures("account")
def test_the_summary_shows_nobody_elses_rows(bob: User) -> None:
    """Neither through the manager nor past it: the view runs with its reader's rights."""
    with tenancy.acting_as(bob.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM user_performance_summary")
        assert (cursor.fetchone(), UserPerformanceSummary.objects.count()) == ((0,), 0)


@pytest.mark.usefixtures("account")
def test_the_summary_needs_an_owner() -> None:
    with pytest.raises(tenancy.NoOwner):
        UserPerformanceSummary.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM user_performance_summary")
        assert cursor.fetchone() == (0,)


def test_returns_since_the_first_fact_stand_beside_the_snapshot(
    alice: User, account: ExchangeAccount, as_alice: JsonClient
) -> None:
    body, metrics = get(as_alice, "/api/portfolio/snapshot"), get(as_alice, METRICS)

    names = ("simple_return_percentage", "money_weighted_return_percentage", "xirr_percentage")
    assert body["total_return_percentage"] == metrics["return_percentage"]
    assert [body[each] for each in names] == [metrics[each] for each in names]
    assert body["return_reasons"] == {"xirr_percentage": "too_few_days"}


@pytest.mark.usefixtures("account")
def test_the_curve_is_compared_with_the_same_money_in_bitcoin(as_alice: JsonClient) -> None:
    """Closes stood at 120; the ticker of the present day at 125.5."""
    body = get(as_alice, "/api/portfolio/equity-curve?period=90d&benchmark=BTC")

    points = body["data_points"]
    assert (points[0]["benchmark_balance"], points[-2]["benchmark_balance"]) == (1049.0, 1049.0)
    assert body["benchmark_balance"] == points[-1]["benchmark_balance"]
    assert (body["benchmark"], body["benchmark_return_percentage"]) == ("BTC", 4.5833)


@pytest.mark.usefixtures("account")
def test_deposits_are_marked_and_nothing_is_compared_unasked(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/portfolio/equity-curve?period=90d")

    marks = [(point["deposits"], point["withdrawals"]) for point in body["data_points"]]
    assert (marks[0], set(marks[1:])) == ((1010.0, 0.0), {(0.0, 0.0)})
    assert (body["benchmark"], body["benchmark_balance"]) == (None, None)
    returns = ("total_return_percentage", "simple_return_percentage", "money_weighted_return_percentage")
    assert len({body[name] for name in returns}) == 1
