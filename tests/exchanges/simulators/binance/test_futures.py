"""The protocol of USD-M futures: shapes, windows, weights, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.profiles import SMALL_CONTRACTS
from tests.exchanges.simulators.http import Answer, send
from tests.exchanges.simulators.http import ask as signed

SAMPLES = Path(__file__).parents[2] / "binance" / "futures_samples.json"
USED = "x-mbx-used-weight-1m"
# What the recorded row tells as one of an older version, or as a trailing stop.
OTHERS = {
    "positionRisk": ("maxNotionalValue", "leverage", "marginType", "isAutoAddMargin"),
    "allOrders": ("activatePrice", "priceRate"),
}


@pytest.fixture
def simulator(clock: FixedClock) -> Iterator[BinanceSimulator]:
    limits = Limits(fapi=10**9)
    with BinanceSimulator(seed=1, clock=clock, profiles=SMALL_CONTRACTS, limits=limits) as running:
        yield running


def ask(simulator: BinanceSimulator, path: str, account: str = "leveraged", **parameters: Any) -> Answer:
    return signed(simulator, path, account=account, **parameters)


@pytest.mark.parametrize(
    ("name", "path", "parameters"),
    [
        ("userTrades", "/fapi/v1/userTrades", {"symbol": "XRPUSDT"}),
        ("allOrders", "/fapi/v1/allOrders", {"symbol": "XRPUSDT"}),
        ("openAlgoOrders", "/fapi/v1/openAlgoOrders", {}),
        ("positionRisk", "/fapi/v3/positionRisk", {}),
        ("income", "/fapi/v1/income", {}),
        ("account", "/fapi/v3/account", {}),
        ("balance", "/fapi/v3/balance", {}),
        ("symbolConfig", "/fapi/v1/symbolConfig", {}),
        ("accountConfig", "/fapi/v1/accountConfig", {}),
        ("asset/transfer", "/sapi/v1/asset/transfer", {"type": "MAIN_UMFUTURE", "startTime": 1}),
    ],
)
def test_signed_answers_have_the_recorded_shape(
    simulator: BinanceSimulator, name: str, path: str, parameters: dict[str, Any]
) -> None:
    recorded = json.loads(SAMPLES.read_text())[name]
    assert _misses(recorded, ask(simulator, path, **parameters).json, OTHERS.get(name, ())) == set()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("exchangeInfo", "/fapi/v1/exchangeInfo"),
        ("premiumIndex", "/fapi/v1/premiumIndex?symbol=BTCUSDT"),
        ("fundingRate", "/fapi/v1/fundingRate?symbol=BTCUSDT"),
        ("fundingInfo", "/fapi/v1/fundingInfo"),
    ],
)
def test_public_answers_have_the_recorded_shape(simulator: BinanceSimulator, name: str, path: str) -> None:
    assert _misses(json.loads(SAMPLES.read_text())[name], send(simulator, path).json) == set()


@pytest.mark.parametrize(
    ("path", "parameters", "error"),
    [
        ("userTrades", {}, (400, -1102)),
        ("userTrades", {"symbol": "ODDUSDT"}, (400, -1121)),
        ("userTrades", {"symbol": "BTCUSDT", "startTime": 1}, (400, -4166)),
        ("order", {"symbol": "BTCUSDT"}, (400, -1102)),
        ("order", {"symbol": "BTCUSDT", "orderId": 1}, (400, -2013)),
        ("algoOrder", {"algoId": 1}, (400, -2013)),
        ("openOrders", {"colour": "red"}, (400, -1104)),
        ("positionSide/dual", {"timestamp": 1}, (400, -1021)),
    ],
)
def test_senseless_requests_are_refused(
    simulator: BinanceSimulator, path: str, parameters: dict[str, Any], error: tuple[int, int]
) -> None:
    assert ask(simulator, f"/fapi/v1/{path}", **parameters).error == error


@pytest.mark.parametrize("path", ["userTrades", "allOrders", "allAlgoOrders", "forceOrders"])
def test_a_window_is_at_most_seven_days(simulator: BinanceSimulator, clock: FixedClock, path: str) -> None:
    now = clock.now_ms()
    window: dict[str, Any] = {"symbol": "BTCUSDT", "startTime": now - 7 * DAY_MS, "endTime": now}
    assert ask(simulator, f"/fapi/v1/{path}", **window).status == 200
    window["startTime"] -= 1
    assert ask(simulator, f"/fapi/v1/{path}", **window).error == (400, -4165)


def test_an_id_and_a_window_do_not_go_together(simulator: BinanceSimulator, clock: FixedClock) -> None:
    both: dict[str, Any] = {"symbol": "BTCUSDT", "fromId": 1, "startTime": clock.now_ms()}
    assert ask(simulator, "/fapi/v1/userTrades", **both).error == (400, -1128)


def test_an_account_that_never_opened_futures_is_refused(simulator: BinanceSimulator) -> None:
    assert ask(simulator, "/fapi/v3/balance", "quiet").error == (401, -2015)


def test_hedge_mode_is_told(simulator: BinanceSimulator) -> None:
    assert ask(simulator, "/fapi/v1/positionSide/dual", "hedged").json == {"dualSidePosition": True}
    sides = {row["positionSide"] for row in ask(simulator, "/fapi/v2/positionRisk", "hedged").json}
    assert sides == {"LONG", "SHORT"}
    assert ask(simulator, "/fapi/v1/positionSide/dual").json == {"dualSidePosition": False}


@pytest.mark.parametrize(
    ("path", "parameters", "weight"),
    [
        ("/fapi/v1/userTrades", {"symbol": "BTCUSDT"}, 5),
        ("/fapi/v1/openOrders", {}, 40),
        ("/fapi/v1/openOrders", {"symbol": "BTCUSDT"}, 1),
        ("/fapi/v1/openAlgoOrders", {}, 40),
        ("/fapi/v1/income", {}, 30),
        ("/fapi/v3/account", {}, 5),
    ],
)
def test_requests_weigh_what_binance_says(
    simulator: BinanceSimulator, path: str, parameters: dict[str, Any], weight: int
) -> None:
    assert ask(simulator, path, **parameters).headers[USED] == str(weight)


def test_futures_have_an_allowance_of_their_own(clock: FixedClock) -> None:
    with BinanceSimulator(seed=1, clock=clock, profiles=SMALL_CONTRACTS, limits=Limits(fapi=4)) as simulator:
        assert ask(simulator, "/fapi/v3/account").error == (429, -1003)
        assert ask(simulator, "/api/v3/account").status == 200


def test_unfilled_orders_that_ended_are_forgotten_after_three_days(
    simulator: BinanceSimulator, clock: FixedClock
) -> None:
    told = simulator.truth()["accounts"]["leveraged"]["futures"]["orders"]
    name, row = next(
        (name, row)
        for name, rows in told.items()
        for row in rows
        if row["status"] == "CANCELED"
        and not float(row["executed"])
        and row["time"] < clock.now_ms() - 3 * DAY_MS
    )
    assert ask(simulator, "/fapi/v1/order", symbol=name, orderId=row["id"]).error == (400, -2013)


def _misses(recorded: Any, told: Any, ignored: tuple[str, ...] = ()) -> set[str]:
    """Names that are recorded and not told, also within the first of several rows."""
    if isinstance(recorded, list):
        return _misses(recorded[0], told[0], ignored) if recorded else set()
    if not isinstance(recorded, dict):
        return set()
    missing = {name for name in recorded if name not in told and name not in ignored}
    for name in recorded.keys() & told.keys():
        if isinstance(recorded[name], dict | list):
            missing |= {f"{name}.{each}" for each in _misses(recorded[name], told[name], ignored)}
    return missing
