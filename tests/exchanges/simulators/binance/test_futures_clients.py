"""Independent clients, python-binance and ccxt, take the simulator for Binance's USD-M futures."""

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import DAY_MS, RealClock
from exchanges.simulators.profiles import SMALL_CONTRACTS

with warnings.catch_warnings():
    # Its websocket half imports what newer libraries deprecate; only its REST half is used here.
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.client import Client
    from binance.exceptions import BinanceAPIException


@pytest.fixture(scope="module")
def simulator() -> Iterator[BinanceSimulator]:
    """On real time, which the clients stamp their requests with; the hedged account does not go on trading."""
    with BinanceSimulator(seed=1, clock=RealClock(), profiles=SMALL_CONTRACTS) as running:
        yield running


@pytest.fixture(scope="module")
def told(simulator: BinanceSimulator) -> dict[str, Any]:
    futures: dict[str, Any] = simulator.truth()["accounts"]["hedged"]["futures"]
    return futures


def connect(simulator: BinanceSimulator, *, secret: str = "") -> Any:
    class LocalClient(Client):  # type: ignore[misc]
        API_URL = f"{simulator.url}/api"
        MARGIN_API_URL = f"{simulator.url}/sapi"
        FUTURES_URL = f"{simulator.url}/fapi"

    keys = simulator.accounts["hedged"]
    return LocalClient(keys.api_key, secret or keys.api_secret)


@pytest.fixture
def client(simulator: BinanceSimulator) -> Iterator[Any]:
    connected = connect(simulator)
    yield connected
    connected.close_connection()


@pytest.fixture(scope="module")
def exchange(simulator: BinanceSimulator) -> Any:
    keys = simulator.accounts["hedged"]
    made = ccxt.binanceusdm({"apiKey": keys.api_key, "secret": keys.api_secret, "enableRateLimit": False})
    made.options["fetchCurrencies"] = False
    made.options["fetchOpenOrders"] = {"warnWithoutSymbol": False}
    made.urls["api"] = {
        name: simulator.url + urlsplit(url).path
        for name, url in made.urls["api"].items()
        if isinstance(url, str)
    }
    return made


def test_python_binance_reads_the_wallet(client: Any, told: dict[str, Any]) -> None:
    balances = {row["asset"]: row["balance"] for row in client.futures_account_balance()}
    assert {asset: amount for asset, amount in balances.items() if Decimal(amount)} == {
        asset: row["balance"] for asset, row in told["balances"].items()
    }
    assert {row["asset"] for row in client.futures_account()["assets"]} == set(balances)


def test_python_binance_walks_fills_week_by_week(
    client: Any, told: dict[str, Any], simulator: BinanceSimulator
) -> None:
    now = simulator.clock.now_ms()
    for symbol, fills in told["fills"].items():
        found: set[int] = set()
        for start in range(now - 35 * DAY_MS, now, 7 * DAY_MS):
            window = {"startTime": start, "endTime": start + 7 * DAY_MS, "limit": 1000}
            found |= {row["id"] for row in client.futures_account_trades(symbol=symbol, **window)}
        assert found == {row["id"] for row in fills}


def test_python_binance_reads_positions_and_open_orders(client: Any, told: dict[str, Any]) -> None:
    positions = {(row["symbol"], row["positionSide"]) for row in client.futures_position_information()}
    assert positions == {(row["contract"], row["position_side"]) for row in told["positions"]}
    assert client.futures_get_position_mode() == {"dualSidePosition": True}
    waiting = {row["algoId"] for row in client.futures_get_open_algo_orders()}
    rows = [row for rows in told["conditional_orders"].values() for row in rows]
    assert waiting == {row["id"] for row in rows if row["status"] == "NEW"}


def test_python_binance_is_refused(simulator: BinanceSimulator, client: Any) -> None:
    stranger = connect(simulator, secret="x" * 64)
    for who, code in ((stranger, -1022), (client, -1121)):
        with pytest.raises(BinanceAPIException) as refused:
            who.futures_account_trades(symbol="ODDUSDT")
        assert refused.value.code == code
    stranger.close_connection()


def test_ccxt_reads_fills_orders_and_funding(exchange: Any, told: dict[str, Any]) -> None:
    true = {str(row["id"]): row for row in told["fills"]["ETHUSDT"]}
    # Unasked it is the last week, in which nothing need have happened: each world of real time is another.
    since = max(row["time"] for row in true.values()) - DAY_MS
    fills = exchange.fetch_my_trades("ETH/USDT:USDT", since, 1000)
    assert fills
    for row in fills:
        fact = true[row["id"]]
        assert (row["side"].upper(), row["price"]) == (fact["side"], float(fact["price"]))
        assert row["fee"]["cost"] == pytest.approx(float(fact["fee"]))
    since = exchange.milliseconds() - 35 * DAY_MS
    funding = exchange.fetch_funding_history(None, since, 1000)
    assert {row["id"] for row in funding} == {str(row["id"]) for row in told["funding"]}


def test_ccxt_reads_positions_wallet_and_orders_that_wait(exchange: Any, told: dict[str, Any]) -> None:
    positions = {(row["info"]["symbol"], row["side"]) for row in exchange.fetch_positions()}
    assert positions == {(row["contract"], row["side"].lower()) for row in told["positions"]}
    assert exchange.fetch_balance()["total"]["USDT"] > 0
    waiting = {row["id"] for row in exchange.fetch_open_orders(None, params={"trigger": True})}
    rows = [row for rows in told["conditional_orders"].values() for row in rows]
    assert waiting == {str(row["id"]) for row in rows if row["status"] == "NEW"}
