"""Who may ask, in what windows and pages, how fast, and in what words Bitget refuses."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import Limits
from exchanges.simulators.clock import DAY_MS, FixedClock
from tests.exchanges.simulators.bitget.conftest import PEOPLE
from tests.exchanges.simulators.bitget.http import Answer, ask, send, signed

ASSETS = "/api/v2/spot/account/assets"
FILLS = "/api/v2/spot/trade/fills"
MIX_FILLS = "/api/v2/mix/order/fills"
DEPOSITS = "/api/v2/spot/wallet/deposit-records"
UNIFIED_FILLS = "/api/v3/trade/fills"
USDT = {"productType": "USDT-FUTURES"}
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[BitgetSimulator]:
    """Noon on a fixed day."""
    with BitgetSimulator(
        seed=1, clock=FixedClock(NOON), profiles=PEOPLE, limits=Limits.none(), unified=["hedged"]
    ) as running:
        yield running


def with_headers(simulator: BitgetSimulator, **changes: str) -> Answer:
    """A signed request with other headers; an empty one is left out."""
    named = {f"ACCESS-{name.upper()}": value for name, value in changes.items()}
    headers = signed(simulator, ASSETS, "") | named
    return send(simulator, ASSETS, headers={name: value for name, value in headers.items() if value})


def test_a_signed_request_is_answered_in_an_envelope(simulator: BitgetSimulator) -> None:
    told = ask(simulator, ASSETS).json
    assert (told["code"], told["msg"], told["requestTime"]) == (
        "00000",
        "success",
        simulator.clock.now_ms(),
    )
    assert told["data"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": ""}, "40001"),
        ({"sign": ""}, "40002"),
        ({"passphrase": ""}, "40011"),
        ({"timestamp": "now"}, "40005"),
        ({"timestamp": "1"}, "40008"),
        ({"key": "nobody"}, "40006"),
        ({"sign": "AAAA"}, "40009"),
        ({"passphrase": "wrong"}, "40012"),
    ],
)
def test_who_may_not_ask_is_told_why(simulator: BitgetSimulator, change: dict[str, str], code: str) -> None:
    answer = with_headers(simulator, **change)
    assert (answer.error, answer.data) == ((400, code), None)


@pytest.mark.parametrize(("seconds", "status"), [(-30, 200), (30, 200), (-31, 400), (31, 400)])
def test_the_clock_may_be_half_a_minute_off(simulator: BitgetSimulator, seconds: int, status: int) -> None:
    at = str(simulator.clock.now_ms() + seconds * 1000)
    assert send(simulator, ASSETS, headers=signed(simulator, ASSETS, "", at=at)).status == status


def test_another_query_than_the_signed_one_is_refused(simulator: BitgetSimulator) -> None:
    answer = send(simulator, f"{ASSETS}?coin=BTC", headers=signed(simulator, ASSETS, ""))
    assert answer.error == (400, "40009")


@pytest.mark.parametrize(
    ("account", "path", "code"),
    [("hedged", ASSETS, "40085"), ("hedged", MIX_FILLS, "40085"), ("leveraged", UNIFIED_FILLS, "40084")],
)
def test_each_kind_of_account_has_its_endpoints(
    simulator: BitgetSimulator, account: str, path: str, code: str
) -> None:
    assert ask(simulator, path, account=account, **USDT).error == (400, code)


def test_keys_may_read_only(simulator: BitgetSimulator) -> None:
    path = "/api/v2/spot/trade/place-order"
    headers = signed(simulator, path, "", method="POST")
    assert send(simulator, path, method="POST", headers=headers).error == (400, "40014")
    assert send(simulator, "/api/v2/spot/nowhere").error == (404, "40404")


def since(simulator: BitgetSimulator, days: float) -> dict[str, Any]:
    now = simulator.clock.now_ms()
    return {"startTime": now - int(days * DAY_MS), "endTime": now}


@pytest.mark.parametrize(
    ("account", "path", "days", "status"),
    [
        ("leveraged", FILLS, 90, 200),
        ("leveraged", FILLS, 91, 400),
        ("leveraged", MIX_FILLS, 7, 200),
        ("leveraged", MIX_FILLS, 7.1, 400),
        ("leveraged", "/api/v2/mix/account/bill", 30, 200),
        ("leveraged", "/api/v2/mix/account/bill", 31, 400),
        ("leveraged", DEPOSITS, 90, 200),
        ("leveraged", DEPOSITS, 91, 400),
        ("hedged", UNIFIED_FILLS, 30, 200),
        ("hedged", UNIFIED_FILLS, 31, 400),
        ("hedged", "/api/v3/account/deposit-records", 31, 400),
    ],
)
def test_windows(simulator: BitgetSimulator, account: str, path: str, days: float, status: int) -> None:
    assert ask(simulator, path, account=account, **USDT, **since(simulator, days)).status == status


def test_what_is_older_than_90_days_cannot_be_asked_for(simulator: BitgetSimulator) -> None:
    now = simulator.clock.now_ms()
    old: dict[str, Any] = {"startTime": now - 100 * DAY_MS, "endTime": now - 95 * DAY_MS}
    assert ask(simulator, FILLS, **old).error == (400, "40017")
    assert ask(simulator, DEPOSITS, **old).status == 200


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        (DEPOSITS, {}, "40019"),
        (MIX_FILLS, {}, "40019"),
        (MIX_FILLS, {"productType": "MOON"}, "40020"),
        ("/api/v2/spot/account/transferRecords", {}, "40019"),
        ("/api/v2/mix/order/orders-plan-pending", USDT, "40019"),
        (FILLS, {"symbol": "NOPE"}, "40034"),
        (FILLS, {"limit": "101"}, "40020"),
        (FILLS, {"idLessThan": "x"}, "40020"),
        ("/api/v2/mix/order/detail", {**USDT, "symbol": "BTCUSDT", "orderId": "1"}, "40109"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(
    simulator: BitgetSimulator, path: str, asked: dict[str, Any], code: str
) -> None:
    assert ask(simulator, path, **asked).error == (400, code)


def test_pages_go_on_below_an_id(simulator: BitgetSimulator) -> None:
    whole = ask(simulator, FILLS, **since(simulator, 80)).data
    found: list[Any] = []
    below: dict[str, Any] = {}
    while page := ask(simulator, FILLS, limit=7, **since(simulator, 80), **below).data:
        found += page
        below = {"idLessThan": page[-1]["tradeId"]}
    assert found[:100] == whole
    assert [row["tradeId"] for row in found] == sorted((row["tradeId"] for row in found), reverse=True)


def test_histories_of_contracts_tell_where_a_page_ends(simulator: BitgetSimulator) -> None:
    first = ask(simulator, MIX_FILLS, limit=3, **USDT, **since(simulator, 7)).data
    second = ask(simulator, MIX_FILLS, limit=3, idLessThan=first["endId"], **USDT, **since(simulator, 7)).data
    assert first["endId"] == first["fillList"][-1]["tradeId"]
    assert int(second["fillList"][0]["tradeId"]) < int(first["endId"])


def test_faults_are_bitgets(simulator: BitgetSimulator) -> None:
    refusals = {"revoked_key": (400, "40006"), "bad_signature": (400, "40009"), "rate_limit": (429, "429")}
    for action, error in refusals.items():
        simulator.faults.add(action, path=ASSETS, times=1)
        assert ask(simulator, ASSETS).error == error
    for action, status in (("bad_gateway", 502), ("ban", 403)):
        simulator.faults.add(action, path=ASSETS, times=1)
        answer = ask(simulator, ASSETS)
        assert (answer.status, answer.body[:6]) == (status, b"<html>")
    simulator.faults.add("truncate", path=ASSETS, times=1)
    with pytest.raises(http.client.IncompleteRead):
        ask(simulator, ASSETS)
    simulator.faults.add("reset", path=ASSETS, times=1)
    with pytest.raises(ConnectionResetError):
        ask(simulator, ASSETS)
    assert ask(simulator, ASSETS).status == 200


def test_rows_come_twice_backwards_or_not_at_all(simulator: BitgetSimulator) -> None:
    for path, asked, member in ((FILLS, {}, ""), (MIX_FILLS, USDT, "fillList")):

        def rows(path: str = path, asked: dict[str, Any] = asked, member: str = member) -> list[Any]:
            data = ask(simulator, path, **asked).data
            found: list[Any] = data[member] if member else data
            return found

        whole, spoilt = rows(), []
        for action in ("duplicate_rows", "out_of_order_rows", "empty_page"):
            simulator.faults.add(action, path=path, times=1)
            spoilt.append(rows())
        assert spoilt == [[*whole, whole[-1], whole[0]], whole[::-1], []]
        assert whole


def test_requests_are_counted_by_endpoint_account_and_second() -> None:
    clock = FixedClock(NOON)
    with BitgetSimulator(seed=1, clock=clock, profiles=PEOPLE[2:]) as strict:
        answers = [ask(strict, ASSETS, account="quiet").status for _ in range(11)]
        assert answers == [200] * 10 + [429]
        info = [ask(strict, "/api/v2/spot/account/info", account="quiet").status for _ in range(2)]
        assert info == [200, 429]
        clock.advance(seconds=1)
        assert ask(strict, ASSETS, account="quiet").status == 200
        times = [send(strict, "/api/v2/public/time").status for _ in range(21)]
        assert times == [200] * 20 + [429]
