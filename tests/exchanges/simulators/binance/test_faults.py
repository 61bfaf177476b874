"""Faults: each is seen by a client as the real thing would be, as often as the rule says."""

import http.client
import json
import time
from typing import Any

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.faults import UnknownFault
from tests.exchanges.simulators.http import Answer, ask, send

TRADES = "/api/v3/myTrades"


def trades(simulator: BinanceSimulator, **parameters: Any) -> Answer:
    return ask(simulator, TRADES, symbol="BTCUSDT", **parameters)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("revoked_key", (401, -2015)),
        ("bad_signature", (400, -1022)),
        ("rate_limit", (429, -1003)),
        ("ban", (418, -1003)),
    ],
)
def test_refusals_come_in_binances_shape(
    simulator: BinanceSimulator, action: str, error: tuple[int, int]
) -> None:
    simulator.faults.add(action, times=1)
    assert trades(simulator).error == error
    assert trades(simulator).status == 200


def test_rate_limit_and_ban_say_how_long(simulator: BinanceSimulator) -> None:
    simulator.faults.add("rate_limit", times=1, retry_after=7)
    assert trades(simulator).headers["retry-after"] == "7"
    simulator.faults.add("ban", retry_after=900)
    assert trades(simulator).headers["retry-after"] == "900"


def test_a_clock_off_by_two_minutes(simulator: BinanceSimulator) -> None:
    simulator.faults.add("clock_offset", ms=120_000)
    assert trades(simulator).error == (400, -1021)
    told = send(simulator, "/api/v3/time").json["serverTime"]
    assert told == simulator.clock.now_ms() + 120_000
    assert trades(simulator, timestamp=told).status == 200


def test_a_bad_gateway_speaks_html(simulator: BinanceSimulator) -> None:
    simulator.faults.add("bad_gateway")
    answer = trades(simulator)
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    assert answer.body.startswith(b"<html>")


def test_a_truncated_answer_ends_early(simulator: BinanceSimulator) -> None:
    whole = trades(simulator).body
    simulator.faults.add("truncate", times=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        trades(simulator)
    assert caught.value.partial == whole[: len(whole) // 2]


def test_a_reset_is_a_reset(simulator: BinanceSimulator) -> None:
    simulator.faults.add("reset", times=1)
    with pytest.raises(ConnectionResetError):
        trades(simulator)
    assert trades(simulator).status == 200


def test_latency_delays_the_answer(simulator: BinanceSimulator) -> None:
    simulator.faults.add("latency", ms=150, times=1)
    began = time.monotonic()
    trades(simulator)
    assert time.monotonic() - began >= 0.15


def test_rows_come_twice(simulator: BinanceSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("duplicate_rows", times=1)
    assert trades(simulator).json == [*rows, rows[-1], rows[0]]


def test_rows_come_out_of_order(simulator: BinanceSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("out_of_order_rows", times=1)
    assert trades(simulator).json == rows[::-1]


def test_a_page_is_empty(simulator: BinanceSimulator) -> None:
    simulator.faults.add("empty_page", times=1)
    assert trades(simulator).json == []
    assert trades(simulator).json


def test_a_number_has_nineteen_decimals(simulator: BinanceSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("many_decimals", times=1, field="qty", row=0)
    spoilt = trades(simulator).json
    assert len(spoilt[0]["qty"].partition(".")[2]) == 19
    assert spoilt[0]["qty"].startswith(rows[0]["qty"].rstrip("0"))
    assert spoilt[1:] == rows[1:]


def test_a_row_lacks_a_field(simulator: BinanceSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("unreadable_row", times=1, field="price")
    spoilt = trades(simulator).json
    assert "price" not in spoilt[-1]
    assert spoilt[:-1] == rows[:-1]


def test_a_rule_meets_only_what_it_names(simulator: BinanceSimulator) -> None:
    simulator.faults.add("bad_gateway", path="/api/v3/my*", params={"symbol": "BTCUSDT"}, account="demo")
    assert ask(simulator, TRADES, symbol="BTCUSDT", account="quiet").status == 200
    assert ask(simulator, TRADES, symbol="ETHUSDT").status == 200
    assert ask(simulator, "/api/v3/account").status == 200
    assert trades(simulator).status == 502


def test_a_rule_lets_some_pass_first(simulator: BinanceSimulator) -> None:
    rule = simulator.faults.add("bad_gateway", skip=2, times=1)
    assert [trades(simulator).status for _ in range(4)] == [200, 200, 502, 200]
    assert rule.hits == 1


def test_rules_act_together(simulator: BinanceSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("duplicate_rows")
    simulator.faults.add("out_of_order_rows")
    assert trades(simulator).json == [rows[0], rows[-1], *rows[::-1]]


def test_an_unknown_action_or_property_is_refused(simulator: BinanceSimulator) -> None:
    with pytest.raises(UnknownFault):
        simulator.faults.add("explode")
    with pytest.raises(UnknownFault):
        simulator.faults.add("reset", colour="red")


def test_another_process_scripts_faults_over_http(simulator: BinanceSimulator) -> None:
    rule = json.dumps({"action": "rate_limit", "path": TRADES, "times": 1, "retry_after": 5}).encode()
    assert send(simulator, "/__faults", method="POST", body=rule).status == 200
    assert send(simulator, "/__faults").json[0]["action"] == "rate_limit"
    assert trades(simulator).status == 429
    assert send(simulator, "/__faults", method="DELETE").json == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"action":"explode"}', b'{"action":"late_fill"}'])
def test_a_senseless_rule_is_refused_over_http(simulator: BinanceSimulator, body: bytes) -> None:
    assert send(simulator, "/__faults", method="POST", body=body).status == 400


def test_a_late_fill_slips_behind_a_cursor(simulator: BinanceSimulator, clock: FixedClock) -> None:
    newest = trades(simulator).json[-1]["id"]
    event = {"action": "late_fill", "account": "demo", "symbol": "BTCUSDT", "days": 2}
    assert send(simulator, "/__faults", method="POST", body=json.dumps(event).encode()).status == 200
    assert trades(simulator, fromId=newest + 1).json == []
    late = trades(simulator, fromId=newest - 1).json[0]
    assert late["id"] == newest - 1
    assert late["time"] == clock.now_ms() - 2 * 86_400_000


def test_the_truth_is_told_over_http(simulator: BinanceSimulator) -> None:
    assert send(simulator, "/__truth").json == json.loads(json.dumps(simulator.truth()))
