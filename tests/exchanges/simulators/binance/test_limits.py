"""Weights: told on every answer, refused above the limit, banned for going on."""

from collections.abc import Iterator

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.profiles import SMALL
from tests.exchanges.simulators.http import Answer, ask, send

USED = "x-mbx-used-weight-1m"


@pytest.fixture
def strict(clock: FixedClock) -> Iterator[BinanceSimulator]:
    """Three units of weight a minute; the third refusal in a row bans."""
    limits = Limits(api=3, ban_after=2)
    with BinanceSimulator(seed=1, clock=clock, profiles=SMALL[2:], limits=limits) as simulator:
        yield simulator


def ping(simulator: BinanceSimulator, source: str = "127.0.0.1") -> Answer:
    return send(simulator, "/api/v3/ping", source=source)


@pytest.mark.parametrize(
    ("path", "parameters", "weight"),
    [
        ("/api/v3/account", {}, 20),
        ("/api/v3/myTrades", {"symbol": "BTCUSDT"}, 20),
        ("/api/v3/myTrades", {"symbol": "BTCUSDT", "orderId": 1}, 5),
        ("/api/v3/allOrders", {"symbol": "BTCUSDT"}, 20),
        ("/api/v3/openOrders", {"symbol": "BTCUSDT"}, 6),
        ("/api/v3/openOrders", {}, 80),
        ("/api/v3/order", {"symbol": "BTCUSDT", "orderId": 1}, 4),
    ],
)
def test_signed_requests_weigh_what_binance_says(
    simulator: BinanceSimulator, path: str, parameters: dict[str, str], weight: int
) -> None:
    assert ask(simulator, path, **parameters).headers[USED] == str(weight)


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("ping", 1),
        ("exchangeInfo", 20),
        ("klines?symbol=BTCUSDT&interval=1d", 2),
        ("ticker/price?symbol=BTCUSDT", 2),
        ("ticker/price", 4),
        ("ticker/24hr", 80),
    ],
)
def test_public_requests_weigh_what_binance_says(simulator: BinanceSimulator, path: str, weight: int) -> None:
    assert send(simulator, f"/api/v3/{path}").headers[USED] == str(weight)


def test_refused_requests_weigh_too(simulator: BinanceSimulator) -> None:
    assert ask(simulator, "/api/v3/account", timestamp=1).headers[USED] == "20"


def test_the_wallet_has_ledgers_of_its_own(simulator: BinanceSimulator) -> None:
    deposits = ask(simulator, "/sapi/v1/capital/deposit/hisrec").headers
    withdrawals = ask(simulator, "/sapi/v1/capital/withdraw/history").headers
    assert deposits["x-sapi-used-ip-weight-1m"] == "1"
    assert withdrawals["x-sapi-used-uid-weight-1s"] == "18000"
    assert USED not in deposits


def test_withdrawals_may_be_asked_ten_times_a_second(simulator: BinanceSimulator, clock: FixedClock) -> None:
    path = "/sapi/v1/capital/withdraw/history"
    assert [ask(simulator, path).status for _ in range(11)] == [200] * 10 + [429]
    clock.advance(seconds=1)
    assert ask(simulator, path).status == 200


def test_above_the_limit_comes_429_with_the_seconds_to_wait(
    strict: BinanceSimulator, clock: FixedClock
) -> None:
    clock.advance(seconds=20)
    assert [ping(strict).headers[USED] for _ in range(3)] == ["1", "2", "3"]
    refused = ping(strict)
    assert (refused.error, refused.headers["retry-after"]) == ((429, -1003), "40")


def test_a_new_minute_begins_with_an_empty_ledger(strict: BinanceSimulator, clock: FixedClock) -> None:
    assert [ping(strict).status for _ in range(4)] == [200, 200, 200, 429]
    clock.advance(minutes=1)
    assert ping(strict).headers[USED] == "1"


def test_going_on_is_banned_for_longer_each_time(strict: BinanceSimulator, clock: FixedClock) -> None:
    waits = []
    for _ in range(2):
        answers = [ping(strict) for _ in range(7)]
        assert [answer.status for answer in answers] == [200] * 3 + [429] * 2 + [418] * 2
        waits.append(int(answers[-1].headers["retry-after"]))
        assert str(clock.now_ms() + waits[-1] * 1000) in answers[-1].json["msg"]
        clock.advance(seconds=waits[-1])
    assert waits == [120, 240]


def test_addresses_are_counted_apart(strict: BinanceSimulator) -> None:
    assert [ping(strict).status for _ in range(4)][-1] == 429
    assert ping(strict, source="127.0.0.2").status == 200
