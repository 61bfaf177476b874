"""Faults: each is seen by a client as the real thing would be, as often as the rule says."""

import http.client
import json
import time
from typing import Any

import pytest

from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio import GateioSimulator
from tests.exchanges.simulators.gateio.http import BASE, Answer, ask, send

TRADES = "/spot/my_trades"


def trades(simulator: GateioSimulator, **parameters: Any) -> Answer:
    now = simulator.clock.now_ms() // 1000
    window: dict[str, Any] = {"from_": now - 29 * 86_400, "to": now, "currency_pair": "BTC_USDT"}
    return ask(simulator, TRADES, **window, **parameters)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("revoked_key", (401, "INVALID_KEY")),
        ("bad_signature", (401, "INVALID_SIGNATURE")),
        ("rate_limit", (429, "TOO_MANY_REQUESTS")),
    ],
)
def test_refusals_come_in_gates_shape(
    simulator: GateioSimulator, action: str, error: tuple[int, str]
) -> None:
    simulator.faults.add(action, times=1)
    assert trades(simulator).error == error
    assert trades(simulator).status == 200


def test_a_rate_limit_says_until_when(simulator: GateioSimulator, clock: FixedClock) -> None:
    simulator.faults.add("rate_limit", times=1, retry_after=7)
    answer = trades(simulator)
    assert answer.headers["x-gate-ratelimit-reset-timestamp"] == str(clock.now_ms() // 1000 + 7)
    assert answer.headers["x-gate-ratelimit-requests-remain"] == "0"


@pytest.mark.parametrize(("action", "status"), [("bad_gateway", 502), ("ban", 403)])
def test_what_stands_before_the_api_speaks_html(simulator: GateioSimulator, action: str, status: int) -> None:
    simulator.faults.add(action)
    answer = trades(simulator)
    assert (answer.status, answer.headers["content-type"], answer.body[:6]) == (
        status,
        "text/html",
        b"<html>",
    )


def test_a_clock_off_by_two_minutes(simulator: GateioSimulator) -> None:
    simulator.faults.add("clock_offset", ms=120_000)
    assert trades(simulator).error == (403, "REQUEST_EXPIRED")
    told = send(simulator, f"{BASE}/spot/time").json["server_time"]
    assert told == simulator.clock.now_ms() + 120_000


def test_a_truncated_answer_ends_early(simulator: GateioSimulator) -> None:
    whole = trades(simulator).body
    simulator.faults.add("truncate", times=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        trades(simulator)
    assert caught.value.partial == whole[: len(whole) // 2]


def test_a_reset_is_a_reset(simulator: GateioSimulator) -> None:
    simulator.faults.add("reset", times=1)
    with pytest.raises(ConnectionResetError):
        trades(simulator)
    assert trades(simulator).status == 200


def test_latency_delays_the_answer(simulator: GateioSimulator) -> None:
    simulator.faults.add("latency", ms=150, times=1)
    began = time.monotonic()
    trades(simulator)
    assert time.monotonic() - began >= 0.15


def test_rows_come_twice_backwards_or_not_at_all(simulator: GateioSimulator) -> None:
    rows = trades(simulator).json
    for action in ("duplicate_rows", "out_of_order_rows", "empty_page"):
        simulator.faults.add(
            action, times=1, skip=("duplicate_rows", "out_of_order_rows", "empty_page").index(action)
        )
    assert [trades(simulator).json for _ in range(3)] == [[*rows, rows[-1], rows[0]], rows[::-1], []]
    assert trades(simulator).json == rows


def test_a_number_has_nineteen_decimals(simulator: GateioSimulator) -> None:
    rows = trades(simulator).json
    simulator.faults.add("many_decimals", times=1, row=0)
    spoilt = trades(simulator).json
    assert len(spoilt[0]["amount"].partition(".")[2]) == 19
    assert spoilt[1:] == rows[1:]


def test_a_row_lacks_a_field(simulator: GateioSimulator) -> None:
    simulator.faults.add("unreadable_row", times=1)
    assert "price" not in trades(simulator).json[-1]


def test_a_rule_meets_only_what_it_names(simulator: GateioSimulator) -> None:
    simulator.faults.add(
        "bad_gateway", path=BASE + TRADES, params={"currency_pair": "BTC_USDT"}, account="demo"
    )
    assert ask(simulator, TRADES, currency_pair="BTC_USDT", account="quiet").status == 200
    assert ask(simulator, TRADES).status == 200
    assert trades(simulator).status == 502


def test_a_late_fill_appears_by_itself(simulator: GateioSimulator, clock: FixedClock) -> None:
    before = {row["id"] for row in trades(simulator, limit=1000).json}
    event = {"action": "late_fill", "account": "demo", "symbol": "BTCUSDT", "days": 2}
    assert send(simulator, "/__faults", method="POST", body=json.dumps(event).encode()).status == 200
    [late] = [row for row in trades(simulator, limit=1000).json if row["id"] not in before]
    assert late["create_time"] == str(clock.now_ms() // 1000 - 2 * 86_400)


def test_the_truth_is_told_over_http_in_gates_words(simulator: GateioSimulator) -> None:
    told = send(simulator, "/__truth").json
    assert told == json.loads(json.dumps(simulator.truth()))
    assert (told["exchange"], "BTC_USDT" in told["accounts"]["demo"]["fills"]) == ("gateio", True)
