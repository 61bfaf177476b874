"""The seeds' five: names, JSON types and digits."""

import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core import clock
from marketdata.models import Ticker
from tests.clients import JsonClient
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db


def get(client: JsonClient, path: str) -> Any:
    """The body with its numbers as they are written."""
    response = client.get(path)
    assert response.status_code == 200, response.content
    return json.loads(response.content, parse_float=Decimal)


def part(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


@pytest.fixture
def _small(alice: User) -> None:
    api_books.small(alice)


@pytest.mark.usefixtures("_small")
def test_open_positions_are_the_seeds_example(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/positions/open")

    position = body["positions"][0]
    assert part(body, "total_unrealized_pnl", "total_positions") == {
        "total_unrealized_pnl": Decimal("25.5"),
        "total_positions": 1,
    }
    assert isinstance(position.pop("id"), int)
    names = ("symbol", "side", "entry_price", "quantity", "current_price", "unrealized_pnl")
    more = ("unrealized_pnl_percentage", "leverage", "opened_at", "is_stale")
    assert part(position, *names, *more) == {
        "symbol": "BTCUSDT",
        "side": "LONG",
        "entry_price": 100,
        "quantity": 1,
        "current_price": Decimal("125.5"),
        "unrealized_pnl": Decimal("25.5"),
        "unrealized_pnl_percentage": Decimal("25.5"),
        "leverage": 1,
        "opened_at": f"{api_books.day(5):%Y-%m-%dT%H:%M:%SZ}",
        "is_stale": False,
    }


@pytest.mark.usefixtures("_small")
def test_trade_history_is_the_seeds_example(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/trades/history?period=30d")

    trade = body["trades"][0]
    # 50 made, less half of the entry's fee of 1 and the exit's 2.
    assert part(body, "total_trades", "total_pnl") == {"total_trades": 1, "total_pnl": Decimal("47.5")}
    assert isinstance(trade.pop("id"), int)
    names = ("symbol", "side", "entry_price", "exit_price", "quantity", "net_pnl", "pnl_percentage")
    more = ("exit_type", "hold_duration", "entry_time", "exit_time", "cost_unknown")
    assert part(trade, *names, *more) == {
        "symbol": "BTCUSDT",
        "side": "LONG",
        "entry_price": 100,
        "exit_price": 150,
        "quantity": 1,
        "net_pnl": Decimal("47.5"),
        "pnl_percentage": Decimal("47.5"),
        "exit_type": "PARTIAL",
        "hold_duration": "1d 2h",
        "entry_time": f"{api_books.day(5):%Y-%m-%dT%H:%M:%SZ}",
        "exit_time": f"{api_books.day(4, 12):%Y-%m-%dT%H:%M:%SZ}",
        "cost_unknown": False,
    }


@pytest.mark.usefixtures("_small")
def test_metrics_are_the_seeds_example(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/performance/metrics?period=all_time")

    names = ("period", "period_start", "period_end", "total_trades", "winning_trades", "losing_trades")
    more = ("win_rate", "total_net_pnl", "profit_factor", "largest_win", "largest_loss")
    rest = ("average_pnl_per_trade", "total_fees", "exchange", "currency", "valued_days")
    assert part(body, *names, *more, *rest) == {
        "period": "ALL_TIME",
        "period_start": f"{api_books.day(5):%Y-%m-%d}T00:00:00Z",
        "period_end": f"{clock.now():%Y-%m-%d}T23:59:59Z",
        "total_trades": 1,
        "winning_trades": 1,
        "losing_trades": 0,
        "win_rate": 100,
        "total_net_pnl": Decimal("47.5"),
        "profit_factor": None,
        "largest_win": Decimal("47.5"),
        "largest_loss": None,
        "average_pnl_per_trade": Decimal("47.5"),
        "total_fees": Decimal("2.5"),
        "exchange": "binance",
        "currency": "USDT",
        "valued_days": 6,
    }
    assert part(body["reasons"], "profit_factor", "largest_loss") == {
        "profit_factor": "no_losses",
        "largest_loss": "no_losses",
    }
    assert isinstance(body["roi_percentage"], Decimal | int)


@pytest.mark.usefixtures("_small")
def test_a_period_without_a_row_answers_zero_counts_and_reasons(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/performance/metrics?period=daily&at=2020-02-29")

    nulls = {name for name, value in body.items() if value is None}
    assert part(body, "period_start", "period_end", "total_trades", "total_net_pnl", "win_rate") == {
        "period_start": "2020-02-29T00:00:00Z",
        "period_end": "2020-02-29T23:59:59Z",
        "total_trades": 0,
        "total_net_pnl": 0,
        "win_rate": None,
    }
    assert nulls - set(body["reasons"]) == {"symbol", "strategy"}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "query", ["period=daily", "period=monthly", "period=3d", "period=all_time&symbol=XYZUSDT"]
)
def test_whatever_is_null_has_a_reason(query: str, as_alice: JsonClient) -> None:
    body = get(as_alice, f"/api/performance/metrics?{query}")

    assert {name for name, value in body.items() if value is None} - {"symbol", "strategy"} == set(
        body["reasons"]
    )


@pytest.mark.usefixtures("_small")
def test_the_snapshot_is_the_seeds_example(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/portfolio/snapshot")

    names = ("exchange", "total_balance", "available_balance", "locked_balance", "total_positions_value")
    more = (
        "unrealized_pnl",
        "open_positions_count",
        "total_realized_pnl",
        "win_rate",
        "snapshot_date",
        "grade",
    )
    assert part(body, *names, *more) == {
        "exchange": "binance",
        "total_balance": Decimal("1072.5"),
        "available_balance": Decimal("1072.5"),
        "locked_balance": 0,
        "total_positions_value": Decimal("125.5"),
        "unrealized_pnl": Decimal("25.5"),
        "open_positions_count": 1,
        "total_realized_pnl": Decimal("47.5"),
        "win_rate": 100,
        "snapshot_date": f"{clock.now():%Y-%m-%d}",
        "grade": "complete",
    }


@pytest.mark.usefixtures("_small")
def test_the_curve_is_the_seeds_example(as_alice: JsonClient) -> None:
    body = get(as_alice, "/api/portfolio/equity-curve?period=90d")

    first, second, last = (body["data_points"][place] for place in (0, 1, -1))
    names = ("date", "balance", "realized_pnl", "unrealized_pnl", "flows")
    # 1000 in, 2 BTC bought for 200 and a fee of 1; they close at 120.
    assert part(first, *names) == {
        "date": f"{api_books.day(5):%Y-%m-%d}",
        "balance": 1039,
        "realized_pnl": 0,
        "unrealized_pnl": 40,
        "flows": 1000,
    }
    assert part(second, *names) == {
        "date": f"{api_books.day(4):%Y-%m-%d}",
        "balance": 1067,
        "realized_pnl": Decimal("47.5"),
        "unrealized_pnl": 20,
        "flows": 0,
    }
    assert part(last, "balance", "unrealized_pnl", "drawdown_percent") == {
        "balance": Decimal("1072.5"),
        "unrealized_pnl": Decimal("25.5"),
        "drawdown_percent": 0,
    }
    assert part(body, "initial_balance", "current_balance", "total_return_percentage") == {
        "initial_balance": 1039,
        "current_balance": Decimal("1072.5"),
        "total_return_percentage": Decimal("3.2243"),
    }


@pytest.mark.usefixtures("_small")
def test_the_curves_last_realized_pnl_is_the_historys_total(as_alice: JsonClient) -> None:
    curve = get(as_alice, "/api/portfolio/equity-curve?period=30d")
    history = get(as_alice, "/api/trades/history?period=30d")

    assert curve["data_points"][-1]["realized_pnl"] == history["total_pnl"]


def test_every_digit_survives(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    quantity, price = "0.123456789012345678", "98765432109876.000000000000000001"
    fold(account, fill(account, "BUY", quantity, price, quote_quantity=Decimal("1.000000000000000009")))

    written = as_alice.get("/api/positions/open").content.decode()

    assert f'"quantity":{quantity}' in written
    assert '"total_cost":1.000000000000000009' in written


def test_an_unpriced_position_has_no_pnl_and_no_made_up_zero(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    fold(account, fill(account, "BUY", "1", "100"))

    body = get(as_alice, "/api/positions/open")

    names = ("current_price", "price_as_of", "unrealized_pnl", "unrealized_pnl_percentage", "is_stale")
    assert part(body["positions"][0], *names) == dict.fromkeys(names[:-1]) | {"is_stale": True}
    assert part(body, "total_unrealized_pnl", "unpriced_positions") == {
        "total_unrealized_pnl": None,
        "unpriced_positions": 1,
    }


def test_an_old_price_is_kept_and_marked_stale(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    Ticker.objects.update(read_at=api_books.day(1))

    position = get(as_alice, "/api/positions/open")["positions"][0]

    assert part(position, "current_price", "is_stale") == {
        "current_price": Decimal("125.5"),
        "is_stale": True,
    }


def test_a_newcomer_gets_empty_answers(as_bob: JsonClient) -> None:
    assert get(as_bob, "/api/positions/open") == {
        "positions": [],
        "total_unrealized_pnl": 0,
        "total_positions": 0,
        "unpriced_positions": 0,
        "confidence": {"grade": "unreliable", "reasons": [{"code": "not_read", "about": ""}]},
    }
    assert get(as_bob, "/api/trades/history")["trades"] == []
    assert get(as_bob, "/api/performance/metrics")["total_trades"] == 0
    assert get(as_bob, "/api/portfolio/snapshot")["total_balance"] is None
    assert get(as_bob, "/api/portfolio/equity-curve")["data_points"] == []
