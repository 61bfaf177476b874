"""ccxt's unified class takes the simulator for Gate.io."""

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from exchanges.simulators.clock import RealClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.profiles import SMALL
from exchanges.transport import point_at

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def simulator() -> Iterator[GateioSimulator]:
    with GateioSimulator(seed=1, clock=RealClock(), profiles=SMALL) as running:
        yield running


@pytest.fixture(scope="module")
def client(simulator: GateioSimulator) -> Iterator[Any]:
    keys = simulator.accounts["holes"]
    options = {"fetchMarkets": {"types": ["spot"]}}
    exchange = ccxt.gate(
        {
            "apiKey": keys.api_key,
            "secret": keys.api_secret,
            "number": str,
            "enableRateLimit": False,
            "options": options,
        }
    )
    exchange.urls["api"] = point_at(exchange.urls["api"], simulator.url)
    yield exchange
    exchange.session.close()


@pytest.fixture
def told(simulator: GateioSimulator) -> dict[str, Any]:
    account: dict[str, Any] = simulator.truth()["accounts"]["holes"]
    return account


def since(client: Any) -> int:
    at: int = client.milliseconds() - 28 * DAY_MS
    return at


def test_markets(client: Any) -> None:
    assert client.load_markets()["BTC/USDT"]["precision"] == {"amount": "0.00001", "price": "0.01"}


def test_balances(client: Any, told: dict[str, Any]) -> None:
    totals = client.fetch_balance()["total"]
    assert {asset for asset, total in totals.items() if float(total)} == set(told["balances"])


def test_fills(client: Any, told: dict[str, Any]) -> None:
    for pair, fills in told["fills"].items():
        until = {"until": client.milliseconds() + 1000}
        rows = client.fetch_my_trades(pair.replace("_", "/"), since(client), 1000, until)
        assert {(row["id"], row["timestamp"]) for row in rows} == {
            (str(each["id"]), each["time"]) for each in fills
        }


def test_open_and_closed_orders(client: Any, told: dict[str, Any]) -> None:
    still_open = {row["id"] for row in client.fetch_open_orders()}
    closed = {
        row["id"]
        for pair in told["orders"]
        for row in client.fetch_closed_orders(
            pair.replace("_", "/"), since(client), 1000, {"until": client.milliseconds() + 1000}
        )
    }
    truth = [row for rows in told["orders"].values() for row in rows]
    assert still_open == {str(row["id"]) for row in truth if row["status"] in ("NEW", "PARTIALLY_FILLED")}
    # What it calls closed is filled; `finished` on the wire are the cancelled ones too.
    assert closed >= {str(row["id"]) for row in truth if row["status"] == "FILLED"}


def test_transfers(client: Any, told: dict[str, Any]) -> None:
    assert {row["id"] for row in client.fetch_deposits(None, since(client))} == {
        row["id"] for row in told["deposits"]
    }
    assert {row["id"]: float(row["amount"]) for row in client.fetch_withdrawals(None, since(client))} == {
        row["id"]: pytest.approx(float(row["amount"])) for row in told["withdrawals"]
    }


def test_prices_and_candles(client: Any) -> None:
    assert float(client.fetch_tickers()["GT/USDT"]["last"]) > 0
    midnight = client.milliseconds() // DAY_MS * DAY_MS - DAY_MS
    assert [row[0] for row in client.fetch_ohlcv("BTC/USDT", "1h", midnight, 20)] == [
        midnight + hour * DAY_MS // 24 for hour in range(20)
    ]


def test_a_wrong_key(simulator: GateioSimulator) -> None:
    stranger = ccxt.gate({"apiKey": "a" * 32, "secret": "b" * 64, "options": {"unifiedAccount": False}})
    stranger.urls["api"] = point_at(stranger.urls["api"], simulator.url)
    with pytest.raises(ccxt.AuthenticationError, match="INVALID_KEY"):
        stranger.private_spot_get_accounts()
