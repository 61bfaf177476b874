"""Who may ask: key, clock and signature, refused in Binance's words."""

import hashlib
import hmac

import pytest

from exchanges.simulators.binance import BinanceSimulator
from tests.exchanges.simulators.http import Answer, ask, query, send

ACCOUNT = "/api/v3/account"


def with_key(simulator: BinanceSimulator, target: str, key: str) -> Answer:
    return send(simulator, target, headers={"X-MBX-APIKEY": key})


def test_a_signed_request_is_answered(simulator: BinanceSimulator) -> None:
    answer = ask(simulator, ACCOUNT)
    assert (answer.status, answer.json["uid"]) == (200, simulator.accounts["demo"].uid)


def test_body_and_query_are_signed_together(simulator: BinanceSimulator) -> None:
    keys = simulator.accounts["demo"]
    text, body = "symbol=BTCUSDT", f"orderId=1&timestamp={simulator.clock.now_ms()}"
    signature = hmac.new(keys.api_secret.encode(), (text + body).encode(), hashlib.sha256).hexdigest()
    answer = send(
        simulator,
        f"/api/v3/order?{text}",
        method="DELETE",
        body=f"{body}&signature={signature}".encode(),
        headers={"X-MBX-APIKEY": keys.api_key},
    )
    assert answer.error == (401, -2015)  # signed well, but the key may not trade


@pytest.mark.parametrize("key", ["", "short", "x" * 63 + "!"])
def test_a_key_of_the_wrong_form_is_2014(simulator: BinanceSimulator, key: str) -> None:
    signed = query(simulator, secret="s")
    assert with_key(simulator, f"{ACCOUNT}?{signed}", key).error == (401, -2014)


def test_an_unknown_key_is_2015(simulator: BinanceSimulator) -> None:
    signed = query(simulator, secret="s")
    assert with_key(simulator, f"{ACCOUNT}?{signed}", "x" * 64).error == (401, -2015)


def test_a_wrong_secret_is_1022(simulator: BinanceSimulator) -> None:
    signed = query(simulator, secret="wrong")
    key = simulator.accounts["demo"].api_key
    assert with_key(simulator, f"{ACCOUNT}?{signed}", key).error == (400, -1022)


def test_a_parameter_added_after_signing_is_1022(simulator: BinanceSimulator) -> None:
    keys = simulator.accounts["demo"]
    signed = query(simulator, secret=keys.api_secret)
    assert with_key(simulator, f"{ACCOUNT}?omitZeroBalances=true&{signed}", keys.api_key).error == (
        400,
        -1022,
    )


def test_an_unsigned_request_lacks_its_signature(simulator: BinanceSimulator) -> None:
    target = f"{ACCOUNT}?timestamp={simulator.clock.now_ms()}"
    assert with_key(simulator, target, simulator.accounts["demo"].api_key).json == {
        "code": -1102,
        "msg": "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
    }


@pytest.mark.parametrize(
    ("offset_ms", "window_ms", "status"),
    [
        (999, 5_000, 200),
        (1_000, 5_000, 400),
        (-5_000, 5_000, 200),
        (-5_001, 5_000, 400),
        (-60_000, 60_000, 200),
    ],
)
def test_the_clock_rule_is_exact(
    simulator: BinanceSimulator, offset_ms: int, window_ms: int, status: int
) -> None:
    timestamp = simulator.clock.now_ms() + offset_ms
    answer = ask(simulator, ACCOUNT, timestamp=timestamp, recvWindow=window_ms)
    assert answer.status == status
    assert status == 200 or answer.json["code"] == -1021


def test_a_window_above_a_minute_is_1131(simulator: BinanceSimulator) -> None:
    assert ask(simulator, ACCOUNT, recvWindow=60_001).error == (400, -1131)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v3/order"), ("POST", "/sapi/v1/capital/withdraw/apply")]
)
def test_keys_may_read_only(simulator: BinanceSimulator, method: str, path: str) -> None:
    assert ask(simulator, path, method=method).error == (401, -2015)
