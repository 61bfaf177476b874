"""Who may ask, how much, and what is told: refused in MEXC's words."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import SMALL
from tests.exchanges.simulators.http import Answer, query, send
from tests.exchanges.simulators.mexc.http import ask

ACCOUNT, TRADES, ORDERS = "/api/v3/account", "/api/v3/myTrades", "/api/v3/allOrders"
DEPOSITS = "/api/v3/capital/deposit/hisrec"


def with_key(simulator: MexcSimulator, target: str, key: str) -> Answer:
    return send(simulator, target, headers={"X-MEXC-APIKEY": key})


def test_a_signed_request_is_answered(simulator: MexcSimulator) -> None:
    answer = ask(simulator, "/api/v3/uid")
    assert (answer.status, answer.json) == (200, {"uid": str(simulator.accounts["demo"].uid)})


def test_body_and_query_are_signed_together(simulator: MexcSimulator) -> None:
    keys = simulator.accounts["demo"]
    text, body = "symbol=BTCUSDT", f"orderId=1&timestamp={simulator.clock.now_ms()}"
    signature = hmac.new(keys.api_secret.encode(), (text + body).encode(), hashlib.sha256).hexdigest()
    answer = send(
        simulator,
        f"/api/v3/order?{text}",
        method="DELETE",
        body=f"{body}&signature={signature}".encode(),
        headers={"X-MEXC-APIKEY": keys.api_key},
    )
    assert answer.error == (403, 700007)  # signed well, but the key may not trade


@pytest.mark.parametrize(
    ("key", "code"), [("", 400), ("short", 700001), ("mx0v!", 700001), ("mx0v" + "a" * 14, 10072)]
)
def test_a_key_that_is_none_or_nobodys_is_refused(simulator: MexcSimulator, key: str, code: int) -> None:
    assert with_key(simulator, f"{ACCOUNT}?{query(simulator, secret='s')}", key).error == (400, code)


def test_a_wrong_secret_is_700002(simulator: MexcSimulator) -> None:
    key = simulator.accounts["demo"].api_key
    assert with_key(simulator, f"{ACCOUNT}?{query(simulator, secret='s')}", key).error == (400, 700002)


def test_a_signature_in_upper_case_is_700002(simulator: MexcSimulator) -> None:
    keys = simulator.accounts["demo"]
    text, _, signature = query(simulator, secret=keys.api_secret).rpartition("=")
    assert with_key(simulator, f"{ACCOUNT}?{text}={signature.upper()}", keys.api_key).error == (400, 700002)


@pytest.mark.parametrize("lacking", ["signature", "timestamp"])
def test_an_unsigned_request_lacks_a_parameter(simulator: MexcSimulator, lacking: str) -> None:
    keys = simulator.accounts["demo"]
    target = query(simulator, secret=keys.api_secret)
    kept = "&".join(each for each in target.split("&") if not each.startswith(lacking))
    assert with_key(simulator, f"{ACCOUNT}?{kept}", keys.api_key).error == (400, 700004)


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
    simulator: MexcSimulator, offset_ms: int, window_ms: int, status: int
) -> None:
    timestamp = simulator.clock.now_ms() + offset_ms
    answer = ask(simulator, ACCOUNT, timestamp=timestamp, recvWindow=window_ms)
    assert answer.status == status
    assert status == 200 or answer.json["code"] == 700003


def test_a_window_above_a_minute_is_700005(simulator: MexcSimulator) -> None:
    assert ask(simulator, ACCOUNT, recvWindow=60_001).error == (400, 700005)


def test_a_key_tells_about_itself_only(simulator: MexcSimulator) -> None:
    keys = simulator.accounts
    told = ask(simulator, "/api/v3/apiKeyInfo", accessKey=keys["demo"].api_key).json
    assert (told["status"], told["ipWhiteList"], "WRITE" in told["permissions"]) == ("VALID", "", False)
    other = ask(simulator, "/api/v3/apiKeyInfo", accessKey=keys["quiet"].api_key)
    assert other.error == (400, 730706)


# Limits


@pytest.fixture
def strict(clock: FixedClock) -> Any:
    with MexcSimulator(
        seed=1, clock=clock, profiles=SMALL[1:], limits=Limits(ip=3, uid=20, ban_after=2)
    ) as one:
        yield one


def test_an_account_has_its_own_allowance(strict: MexcSimulator) -> None:
    answers = [ask(strict, ACCOUNT, account="quiet") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert ask(strict, ACCOUNT, account="holes").status == 200
    assert send(strict, "/api/v3/ping").status == 200


def test_above_the_limit_comes_429_with_the_seconds_to_wait(strict: MexcSimulator, clock: FixedClock) -> None:
    clock.advance(seconds=4)
    answers = [send(strict, "/api/v3/ping") for _ in range(4)]
    assert (answers[-1].error, answers[-1].headers["retry-after"]) == ((429, 429), "6")
    clock.advance(seconds=6)
    assert send(strict, "/api/v3/ping").status == 200


def test_going_on_is_banned_for_longer_each_time(strict: MexcSimulator, clock: FixedClock) -> None:
    waits = []
    for _ in range(2):
        answers = [send(strict, "/api/v3/ping") for _ in range(7)]
        assert [answer.status for answer in answers] == [200] * 3 + [429] * 2 + [418] * 2
        waits.append(int(answers[-1].headers["retry-after"]))
        clock.advance(seconds=waits[-1])
    assert waits == [120, 240]


# Fills and orders


def bulk(simulator: MexcSimulator, **parameters: Any) -> Any:
    return ask(simulator, TRADES, account="bulk", symbol="BTCUSDT", **parameters).json


def test_fills_come_newest_first_at_most_a_hundred(simulator: MexcSimulator) -> None:
    simulator.add_bulk_account(fills=4_000)
    rows = bulk(simulator, limit=500)
    assert (len(rows), rows == sorted(rows, key=lambda row: -row["time"])) == (100, True)


def test_fills_older_than_thirty_days_are_not_given(simulator: MexcSimulator, clock: FixedClock) -> None:
    simulator.add_bulk_account(fills=400)
    floor = clock.now_ms() - 30 * DAY_MS
    rows = bulk(simulator, startTime=1)
    told = simulator.truth()["accounts"]["bulk"]["fills"]["BTCUSDT"]
    assert {row["id"] for row in rows} == {fact["id"] for fact in told if fact["time"] >= floor}
    assert len(rows) < len(told)


def test_a_window_includes_both_its_ends(simulator: MexcSimulator) -> None:
    fact = simulator.truth()["accounts"]["demo"]["fills"]["BTCUSDT"][-1]
    at = fact["time"]
    for start, end, found in [(at, at, True), (at + 1, at + 1, False), (at - 1, at - 1, False)]:
        rows = ask(simulator, TRADES, symbol="BTCUSDT", startTime=start, endTime=end).json
        assert (fact["id"] in {row["id"] for row in rows}) is found


def test_fills_of_one_order(simulator: MexcSimulator) -> None:
    facts = simulator.truth()["accounts"]["demo"]["fills"]["BTCUSDT"]
    wanted = facts[-1]["order_id"]
    rows = ask(simulator, TRADES, symbol="BTCUSDT", orderId=wanted).json
    assert {row["id"] for row in rows} == {fact["id"] for fact in facts if fact["order_id"] == wanted}


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        (TRADES, {}, 700004),
        (TRADES, {"symbol": "NOPE"}, -1121),
        (TRADES, {"symbol": "BTCUSDT", "startTime": "soon"}, 700008),
        (ORDERS, {}, 700004),
        (ORDERS, {"symbol": "BTCUSDT", "startTime": 1}, -1128),
        ("/api/v3/order", {"symbol": "BTCUSDT"}, 700004),
        ("/api/v3/order", {"symbol": "BTCUSDT", "orderId": "C02__1"}, -2013),
        ("/api/v3/openOrders", {"symbol": "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,ADAUSDT,XRPUSDT"}, -1128),
        (DEPOSITS, {"startTime": 1}, 400),
    ],
)
def test_senseless_requests_are_refused(
    simulator: MexcSimulator, path: str, parameters: dict[str, Any], code: int
) -> None:
    assert ask(simulator, path, **parameters).error == (400, code)


def test_orders_are_those_of_a_day_unless_asked_otherwise(
    simulator: MexcSimulator, clock: FixedClock
) -> None:
    now = clock.now_ms()
    facts = simulator.truth()["accounts"]["demo"]["orders"]["BTCUSDT"]
    week: dict[str, Any] = {"startTime": now - 7 * DAY_MS, "endTime": now}
    for days, asked in [(1, {}), (7, week)]:
        rows = ask(simulator, ORDERS, symbol="BTCUSDT", **asked).json
        assert {row["orderId"] for row in rows} == {
            fact["id"] for fact in facts if fact["time"] >= now - days * DAY_MS
        }


def test_open_orders_of_up_to_five_symbols_or_of_all(simulator: MexcSimulator) -> None:
    rows = ask(simulator, "/api/v3/openOrders").json
    names = sorted({row["symbol"] for row in rows})[:2]
    chosen = ask(simulator, "/api/v3/openOrders", symbol=",".join(names)).json
    assert (len(names), chosen) == (2, [row for row in rows if row["symbol"] in names])


def test_an_order_is_found_by_either_id(simulator: MexcSimulator) -> None:
    facts = [
        (name, fact)
        for name, facts in simulator.truth()["accounts"]["demo"]["orders"].items()
        for fact in facts
        if fact["client_order_id"]
    ]
    name, fact = facts[0]
    by_id = ask(simulator, "/api/v3/order", symbol=name, orderId=fact["id"]).json
    by_client = ask(simulator, "/api/v3/order", symbol=name, origClientOrderId=fact["client_order_id"]).json
    assert (by_id, by_id["orderId"]) == (by_client, fact["id"])


# Transfers


def test_transfers_are_those_of_seven_days_unless_asked_otherwise(
    simulator: MexcSimulator, clock: FixedClock
) -> None:
    now, facts = clock.now_ms(), simulator.truth()["accounts"]["demo"]["deposits"]
    rows = ask(simulator, DEPOSITS).json
    assert {row["transHash"] for row in rows} == {
        fact["tx_id"] for fact in facts if fact["time"] >= now - 7 * DAY_MS
    }


@pytest.mark.parametrize(
    ("back", "length", "status"), [(90, 7 * DAY_MS, 200), (80, 7 * DAY_MS + 1, 400), (91, DAY_MS, 400)]
)
def test_windows_of_transfers_are_short_and_not_too_old(
    simulator: MexcSimulator, clock: FixedClock, back: int, length: int, status: int
) -> None:
    start = clock.now_ms() - back * DAY_MS
    assert ask(simulator, DEPOSITS, startTime=start, endTime=start + length).status == status


def test_a_withdrawals_amount_contains_its_fee(simulator: MexcSimulator, clock: FixedClock) -> None:
    fact = simulator.truth()["accounts"]["demo"]["withdrawals"][0]
    path = "/api/v3/capital/withdraw/history"
    [row] = ask(simulator, path, startTime=fact["time"], endTime=fact["time"]).json
    assert float(row["amount"]) == pytest.approx(float(fact["amount"]) + float(fact["fee"]))
    assert row["id"] == fact["id"]


# Faults


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("revoked_key", (400, 10072)),
        ("bad_signature", (400, 700002)),
        ("rate_limit", (429, 429)),
        ("ban", (418, 418)),
    ],
)
def test_refusals_come_in_mexcs_words(simulator: MexcSimulator, action: str, error: tuple[int, int]) -> None:
    simulator.faults.add(action, times=1, retry_after=7)
    refused = ask(simulator, ACCOUNT)
    assert (refused.error, ask(simulator, ACCOUNT).status) == (error, 200)
    assert refused.headers.get("retry-after") == ("7" if action in ("rate_limit", "ban") else None)


def test_a_clock_off_by_two_minutes(simulator: MexcSimulator) -> None:
    simulator.faults.add("clock_offset", ms=120_000)
    assert ask(simulator, ACCOUNT).error == (400, 700003)
    told = send(simulator, "/api/v3/time").json["serverTime"]
    assert ask(simulator, ACCOUNT, timestamp=told).status == 200


def test_pages_can_be_spoilt(simulator: MexcSimulator) -> None:
    rows = ask(simulator, TRADES, symbol="BTCUSDT").json
    simulator.faults.add("out_of_order_rows", times=1)
    assert ask(simulator, TRADES, symbol="BTCUSDT").json == rows[::-1]
    simulator.faults.add("bad_gateway", account="demo", params={"symbol": "ETHUSDT"})
    assert ask(simulator, TRADES, symbol="BTCUSDT").status == 200
    assert ask(simulator, TRADES, symbol="ETHUSDT").status == 502


def test_the_truth_is_told_over_http_in_the_wires_ids(simulator: MexcSimulator) -> None:
    told = send(simulator, "/__truth").json
    assert told == json.loads(json.dumps(simulator.truth()))
    first = told["accounts"]["demo"]["fills"]["BTCUSDT"][-1]
    assert first["order_id"].startswith("C02__")


# Public data


def test_markets_show_mexcs_fields(simulator: MexcSimulator) -> None:
    info = send(simulator, "/api/v3/exchangeInfo?symbols=MXUSDT,BTCUSDT").json
    assert [(row["symbol"], row["status"], row["quotePrecision"]) for row in info["symbols"]] == [
        ("MXUSDT", "1", 5),
        ("BTCUSDT", "1", 2),
    ]
    assert (info["symbols"][1]["baseSizePrecision"], info["symbols"][1]["takerCommission"]) == (
        "0.00001",
        "0.0005",
    )


@pytest.mark.parametrize(("interval", "status"), [("60m", 200), ("1h", 400), ("1d", 200)])
def test_an_hour_is_called_sixty_minutes(simulator: MexcSimulator, interval: str, status: int) -> None:
    answer = send(simulator, f"/api/v3/klines?symbol=BTCUSDT&interval={interval}")
    assert (answer.status, status == 400 or len(answer.json[0]) == 8) == (status, True)


def test_candles_are_five_hundred_at_most(simulator: MexcSimulator, clock: FixedClock) -> None:
    start = clock.now_ms() - 40 * DAY_MS
    rows = send(simulator, f"/api/v3/klines?symbol=BTCUSDT&interval=60m&startTime={start}&limit=1000").json
    assert len(rows) == 500


def test_other_exchanges_coins_are_not_listed(simulator: MexcSimulator) -> None:
    names = {row["symbol"] for row in send(simulator, "/api/v3/ticker/price").json}
    assert ("MXUSDT" in names, "GTUSDT" in names) == (True, False)
