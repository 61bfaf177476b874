"""An independent client, python-binance, takes the simulator for Binance."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import RealClock
from exchanges.simulators.profiles import SMALL
from tests.exchanges.simulators.folding import reported

with warnings.catch_warnings():
    # Its websocket half imports what newer libraries deprecate; only its REST half is used here.
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.client import Client
    from binance.exceptions import BinanceAPIException


@pytest.fixture(scope="module")
def simulator() -> Iterator[BinanceSimulator]:
    """On real time, which the client stamps its requests with."""
    with BinanceSimulator(seed=1, clock=RealClock(), profiles=SMALL) as running:
        yield running


def connect(simulator: BinanceSimulator, *, secret: str = "") -> Any:
    class LocalClient(Client):  # type: ignore[misc]
        API_URL = f"{simulator.url}/api"
        MARGIN_API_URL = f"{simulator.url}/sapi"

    keys = simulator.accounts["quiet"]
    return LocalClient(keys.api_key, secret or keys.api_secret)


@pytest.fixture
def client(simulator: BinanceSimulator) -> Iterator[Any]:
    connected = connect(simulator)
    yield connected
    connected.close_connection()


@pytest.fixture
def told(simulator: BinanceSimulator) -> dict[str, Any]:
    account: dict[str, Any] = simulator.truth()["accounts"]["quiet"]
    return account


def test_it_reads_the_account(client: Any, told: dict[str, Any]) -> None:
    balances = {row["asset"]: row["free"] for row in client.get_account(omitZeroBalances="true")["balances"]}
    assert balances == {asset: row["free"] for asset, row in told["balances"].items()}
    assert set(balances) == set(reported(told))


def test_it_pages_through_fills(client: Any, told: dict[str, Any]) -> None:
    for symbol, fills in told["fills"].items():
        walked: list[dict[str, Any]] = []
        while page := client.get_my_trades(
            symbol=symbol, fromId=walked[-1]["id"] + 1 if walked else 0, limit=4
        ):
            walked += page
        assert [(row["id"], row["qty"]) for row in walked] == [(row["id"], row["quantity"]) for row in fills]


def test_it_reads_all_orders_and_open_orders(client: Any, told: dict[str, Any]) -> None:
    for symbol, orders in told["orders"].items():
        rows = client.get_all_orders(symbol=symbol, orderId=1)
        assert [(row["orderId"], row["status"]) for row in rows] == [
            (row["id"], row["status"]) for row in orders
        ]
        still_open = [row["id"] for row in orders if row["status"] in ("NEW", "PENDING_NEW")]
        assert [row["orderId"] for row in client.get_open_orders(symbol=symbol)] == still_open


def test_it_reads_one_order(client: Any, told: dict[str, Any]) -> None:
    last = told["orders"]["BTCUSDT"][-1]
    assert client.get_order(symbol="BTCUSDT", orderId=last["id"])["clientOrderId"] == last["client_order_id"]


def test_it_reads_candles(client: Any) -> None:
    start = datetime.now(UTC).strftime("%d %b, %Y")
    generated = list(client.get_historical_klines_generator("BTCUSDT", "1h", start))
    assert 1 <= len(generated) <= 24
    assert len(client.get_klines(symbol="BTCUSDT", interval="1d")) == 416


def test_it_reads_listings(client: Any) -> None:
    assert client.get_symbol_info("ETHBTC")["quoteAsset"] == "BTC"
    assert len(client.get_exchange_info()["symbols"]) == 12


def test_it_reads_transfers(client: Any, told: dict[str, Any]) -> None:
    assert [row["id"] for row in client.get_deposit_history()] == [row["id"] for row in told["deposits"]]
    assert client.get_withdraw_history() == []


def test_it_reads_what_the_key_may_do(client: Any) -> None:
    assert client.get_account_api_permissions()["enableReading"] is True


def test_it_reads_prices(client: Any) -> None:
    assert float(client.get_symbol_ticker(symbol="BTCUSDT")["price"]) > 0
    assert len(client.get_all_tickers()) == 12
    assert client.get_ticker(symbol="ETHBTC")["symbol"] == "ETHBTC"


def test_a_wrong_secret_is_its_api_exception(simulator: BinanceSimulator) -> None:
    stranger = connect(simulator, secret="wrong")
    with pytest.raises(BinanceAPIException) as caught:
        stranger.get_account()
    stranger.close_connection()
    assert caught.value.code == -1022
