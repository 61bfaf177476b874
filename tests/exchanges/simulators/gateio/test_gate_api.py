"""An independent client, Gate's own gate-api, takes the simulator for Gate.io."""

import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from exchanges.simulators.clock import RealClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.profiles import SMALL

with warnings.catch_warnings():
    # Its sources hold escape sequences that newer Pythons warn of.
    warnings.simplefilter("ignore", DeprecationWarning)
    import gate_api

MONTH = 30 * 86_400


@pytest.fixture(scope="module")
def simulator() -> Iterator[GateioSimulator]:
    """On real time, which the client stamps its requests with."""
    with GateioSimulator(seed=1, clock=RealClock(), profiles=SMALL) as running:
        yield running


def connect(simulator: GateioSimulator, *, secret: str = "") -> Any:
    keys = simulator.accounts["holes"]
    configuration = gate_api.Configuration(
        host=f"{simulator.url}/api/v4", key=keys.api_key, secret=secret or keys.api_secret
    )
    return gate_api.ApiClient(configuration)


@pytest.fixture
def client(simulator: GateioSimulator) -> Any:
    return connect(simulator)


@pytest.fixture
def spot(client: Any) -> Any:
    return gate_api.SpotApi(client)


@pytest.fixture
def told(simulator: GateioSimulator) -> dict[str, Any]:
    account: dict[str, Any] = simulator.truth()["accounts"]["holes"]
    return account


def month() -> dict[str, int]:
    now = int(time.time()) + 1
    return {"_from": now - MONTH, "to": now}


def test_it_reads_the_balances(spot: Any, told: dict[str, Any]) -> None:
    rows = {row.currency: (row.available, row.locked) for row in spot.list_spot_accounts()}
    held = {asset: row for asset, row in rows.items() if row != ("0", "0")}
    assert set(held) == set(told["balances"])
    assert {asset: float(free) for asset, (free, _) in held.items()} == {
        asset: float(row["free"]) for asset, row in told["balances"].items()
    }


def test_it_pages_through_fills_of_all_pairs(spot: Any, told: dict[str, Any]) -> None:
    walked: list[Any] = []
    while page := spot.list_my_trades(limit=7, page=len(walked) // 7 + 1, **month()):
        walked += page
        if len(page) < 7:
            break
    truth = {(pair, str(row["id"])) for pair, rows in told["fills"].items() for row in rows}
    assert {(row.currency_pair, row.id) for row in walked} == truth
    assert [row.create_time_ms for row in walked] == sorted(
        (row.create_time_ms for row in walked), reverse=True
    )


def test_it_reads_the_fills_of_a_pair(spot: Any, told: dict[str, Any]) -> None:
    for pair, fills in told["fills"].items():
        rows = spot.list_my_trades(currency_pair=pair, limit=1000, **month())
        assert {(row.id, row.order_id) for row in rows} == {
            (str(each["id"]), str(each["order_id"])) for each in fills
        }


def test_it_reads_finished_and_open_orders(spot: Any, told: dict[str, Any]) -> None:
    truth = {str(row["id"]): row["status"] for rows in told["orders"].values() for row in rows}
    finished = [
        row for pair in told["orders"] for row in spot.list_orders(pair, "finished", limit=1000, **month())
    ]
    still_open = [row for group in spot.list_all_open_orders() for row in group.orders]
    states = {"closed": "FILLED", "cancelled": "CANCELED", "open": "NEW"}
    found = {row.id: states[row.status] for row in [*finished, *still_open]}
    assert found == {key: "CANCELED" if status == "EXPIRED" else status for key, status in truth.items()}


def test_it_reads_one_order(spot: Any, told: dict[str, Any]) -> None:
    pair, rows = next(iter(told["orders"].items()))
    assert spot.get_order(str(rows[-1]["id"]), pair).id == str(rows[-1]["id"])


def test_it_reads_price_triggered_orders(spot: Any, told: dict[str, Any]) -> None:
    found = [
        row.id for status in ("open", "finished") for row in spot.list_spot_price_triggered_orders(status)
    ]
    triggers = [row["id"] for rows in told["triggers"].values() for row in rows]
    assert sorted(found) == sorted(triggers)
    assert [spot.get_spot_price_triggered_order(str(each)).id for each in found] == found


def test_it_reads_transfers(client: Any, told: dict[str, Any]) -> None:
    wallet = gate_api.WalletApi(client)
    assert {row.id for row in wallet.list_deposits(**month())} == {row["id"] for row in told["deposits"]}
    assert {row.id: float(row.amount) for row in wallet.list_withdrawals(**month())} == {
        row["id"]: pytest.approx(float(row["amount"]) + float(row["fee"])) for row in told["withdrawals"]
    }


def test_it_reads_whose_key_it_is(client: Any, told: dict[str, Any]) -> None:
    assert gate_api.AccountApi(client).get_account_detail().user_id == told["uid"]
    assert gate_api.WalletApi(client).get_trade_fee().user_id == told["uid"]


def test_it_reads_markets_prices_and_candles(spot: Any) -> None:
    assert {row.id for row in spot.list_currency_pairs()} == {
        row.currency_pair for row in spot.list_tickers()
    }
    assert spot.get_currency_pair("GT_USDT").quote == "USDT"
    assert len(spot.list_candlesticks("BTC_USDT", interval="1d", limit=30)) == 30
    assert abs(spot.get_system_time().server_time - time.time() * 1000) < 5_000


def test_a_wrong_secret_is_its_exception(simulator: GateioSimulator) -> None:
    with pytest.raises(gate_api.exceptions.GateApiException) as caught:
        gate_api.SpotApi(connect(simulator, secret="wrong")).list_spot_accounts()
    assert (caught.value.status, caught.value.label) == (401, "INVALID_SIGNATURE")


def test_an_order_is_refused(spot: Any) -> None:
    order = gate_api.Order(currency_pair="BTC_USDT", side="buy", amount="1", price="1")
    with pytest.raises(gate_api.exceptions.GateApiException) as caught:
        spot.create_order(order)
    assert caught.value.label == "READ_ONLY"
