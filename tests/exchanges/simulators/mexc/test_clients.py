"""Independent clients, ccxt's unified `mexc` and mexc-api, take the simulator for MEXC."""

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest
from mexc_api.common.enums import Interval
from mexc_api.common.exceptions import MexcAPIError
from mexc_api.spot import Spot

from exchanges.simulators.clock import DAY_MS, RealClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import SMALL
from exchanges.simulators.symbols import SYMBOLS
from exchanges.transport import point_at
from tests.exchanges.simulators.folding import reported

# Every unified client reads the list of contracts anew.
LIMITS = Limits(contract_details=10**6)


@pytest.fixture(scope="module")
def simulator() -> Iterator[MexcSimulator]:
    """On real time, which the clients stamp their requests with."""
    with MexcSimulator(seed=1, clock=RealClock(), profiles=SMALL, limits=LIMITS) as running:
        yield running


@pytest.fixture
def told(simulator: MexcSimulator) -> dict[str, Any]:
    account: dict[str, Any] = simulator.truth()["accounts"]["holes"]
    return account


@pytest.fixture
def name(told: dict[str, Any]) -> str:
    """The symbol with most fills: real time makes another history every day."""
    busiest: str = max(told["fills"], key=lambda symbol: len(told["fills"][symbol]))
    return busiest


@pytest.fixture
def pair(name: str) -> str:
    """The same as ccxt writes it."""
    market = SYMBOLS[name]
    return f"{market.base}/{market.quote}"


def of_days(facts: list[dict[str, Any]], days: int, simulator: MexcSimulator) -> list[dict[str, Any]]:
    return [fact for fact in facts if fact["time"] >= simulator.clock.now_ms() - days * DAY_MS]


# ccxt


@pytest.fixture
def unified(simulator: MexcSimulator) -> Any:
    keys = simulator.accounts["holes"]
    client = ccxt.mexc({"apiKey": keys.api_key, "secret": keys.api_secret, "enableRateLimit": False})
    client.urls["api"] = point_at(client.urls["api"], simulator.url)
    return client


def test_ccxt_reads_balances(unified: Any, told: dict[str, Any]) -> None:
    totals = {asset: total for asset, total in unified.fetch_balance()["total"].items() if total}
    assert totals == pytest.approx({asset: float(total) for asset, total in reported(told).items()})


def test_ccxt_reads_fills(unified: Any, told: dict[str, Any], name: str, pair: str) -> None:
    facts = told["fills"][name]
    rows = unified.fetch_my_trades(pair, limit=100)
    assert {(row["id"], row["order"], row["fee"]["currency"]) for row in rows} == {
        (fact["id"], fact["order_id"], fact["fee_asset"]) for fact in facts
    }


def test_ccxt_reads_orders(
    unified: Any, told: dict[str, Any], simulator: MexcSimulator, name: str, pair: str
) -> None:
    facts = of_days(told["orders"][name], 6, simulator)
    rows = unified.fetch_orders(pair, since=simulator.clock.now_ms() - 6 * DAY_MS)
    assert {row["id"] for row in rows} == {fact["id"] for fact in facts}
    first = told["orders"][name][0]
    assert unified.fetch_order(first["id"], pair)["amount"] == float(first["quantity"])


def test_ccxt_reads_open_orders_of_all_symbols(unified: Any, told: dict[str, Any]) -> None:
    still_open = {
        fact["id"]
        for facts in told["orders"].values()
        for fact in facts
        if fact["status"] in ("NEW", "PARTIALLY_FILLED")
    }
    assert {row["id"] for row in unified.fetch_open_orders()} == still_open


def test_ccxt_reads_transfers(unified: Any, simulator: MexcSimulator) -> None:
    keys = simulator.accounts["demo"]
    unified.apiKey, unified.secret = keys.api_key, keys.api_secret
    facts = simulator.truth()["accounts"]["demo"]["withdrawals"]
    asked = [(fact["time"], {"endTime": fact["time"]}) for fact in facts]
    rows = [row for at, until in asked for row in unified.fetch_withdrawals(since=at, params=until)]
    assert {row["id"]: row["amount"] for row in rows} == pytest.approx(
        {fact["id"]: float(fact["amount"]) for fact in facts}
    )


def test_ccxt_reads_markets_prices_and_candles(unified: Any) -> None:
    market = unified.load_markets()["MX/USDT"]
    assert (market["active"], market["taker"], market["precision"]["price"]) == (True, 0.0005, 0.00001)
    assert unified.fetch_ticker("MX/USDT")["last"] > 0
    assert len(unified.fetch_tickers()) == sum(each["spot"] for each in unified.markets.values())
    assert len(unified.fetch_ohlcv("BTC/USDT", "1h", limit=5)) == 5


def test_ccxt_names_a_wrong_secret(unified: Any) -> None:
    unified.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        unified.fetch_open_orders("BTC/USDT")


# mexc-api


@pytest.fixture
def spot(simulator: MexcSimulator) -> Any:
    keys = simulator.accounts["holes"]
    client = Spot(keys.api_key, keys.api_secret)
    for part in vars(client).values():
        part.api.base_url = simulator.url
    return client


def test_mexc_api_reads_the_account(spot: Any, told: dict[str, Any]) -> None:
    balances = {row["asset"]: float(row["free"]) for row in spot.account.get_account_info()["balances"]}
    assert balances == {asset: float(row["free"]) for asset, row in told["balances"].items()}


def test_mexc_api_reads_fills_and_orders(
    spot: Any, told: dict[str, Any], simulator: MexcSimulator, name: str
) -> None:
    now = simulator.clock.now_ms()
    rows = spot.account.get_trades(name, start_ms=now - 30 * DAY_MS, end_ms=now)
    assert {(row["id"], row["time"]) for row in rows} == {
        (fact["id"], fact["time"]) for fact in told["fills"][name]
    }
    orders = spot.account.get_orders(name, start_ms=now - 6 * DAY_MS, end_ms=now)
    assert {(row["orderId"], row["status"]) for row in orders} == {
        (fact["id"], fact["status"]) for fact in of_days(told["orders"][name], 6, simulator)
    }


def test_mexc_api_reads_open_orders_and_one(spot: Any, told: dict[str, Any], name: str) -> None:
    facts = told["orders"][name]
    still_open = {fact["id"] for fact in facts if fact["status"] in ("NEW", "PARTIALLY_FILLED")}
    assert {row["orderId"] for row in spot.account.get_open_orders(name)} == still_open
    assert spot.account.get_order(name, order_id=facts[0]["id"])["side"] == facts[0]["side"]


def test_mexc_api_reads_transfers_and_coins(spot: Any, told: dict[str, Any]) -> None:
    at = told["deposits"][0]["time"]
    [row] = spot.wallet.get_deposit_history(start_ms=at, end_ms=at)
    assert (row["transHash"], float(row["amount"])) == (
        told["deposits"][0]["tx_id"],
        float(told["deposits"][0]["amount"]),
    )
    assert "MX" in {coin["coin"] for coin in spot.wallet.info()}


def test_mexc_api_reads_public_data(spot: Any) -> None:
    assert "MXUSDT" in spot.market.default_symbols()
    assert len(spot.market.klines("BTCUSDT", Interval.SIXTY_MIN, limit=3)) == 3


def test_mexc_api_raises_for_a_wrong_secret(spot: Any) -> None:
    spot.account.api.api_secret = "wrong"
    with pytest.raises(MexcAPIError, match="Signature"):
        spot.account.get_account_info()
