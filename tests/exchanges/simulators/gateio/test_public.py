"""Public endpoints: time, markets, prices, candles."""

from typing import Any

import pytest

from exchanges.simulators.gateio import GateioSimulator
from tests.exchanges.simulators.gateio.http import BASE, Answer, send

DAY = 86_400


def get(simulator: GateioSimulator, path: str, **parameters: Any) -> Answer:
    query = "&".join(f"{name.rstrip('_')}={value}" for name, value in parameters.items())
    return send(simulator, f"{BASE}/spot/{path}?{query}")


def candles(simulator: GateioSimulator, **parameters: Any) -> Answer:
    return get(simulator, "candlesticks", currency_pair="BTC_USDT", **parameters)


def now_s(simulator: GateioSimulator) -> int:
    return simulator.clock.now_ms() // 1000


def test_the_time(simulator: GateioSimulator) -> None:
    assert get(simulator, "time").json == {"server_time": simulator.clock.now_ms()}


def test_gt_is_listed_and_bnbs_pairs_stay(simulator: GateioSimulator) -> None:
    pairs = {row["id"]: row for row in get(simulator, "currency_pairs").json}
    assert {"GT_USDT", "BNB_USDT", "BTC_USDC"} <= set(pairs)
    assert (pairs["BTC_USDT"]["precision"], pairs["BTC_USDT"]["amount_precision"]) == (2, 5)
    assert get(simulator, "currency_pairs/BTC_USDT").json == pairs["BTC_USDT"]


def test_prices_of_one_pair_and_of_all(simulator: GateioSimulator) -> None:
    every = get(simulator, "tickers").json
    assert get(simulator, "tickers", currency_pair="GT_USDT").json == [
        row for row in every if row["currency_pair"] == "GT_USDT"
    ]
    assert get(simulator, "tickers", currency_pair="NO_PE").error == (400, "INVALID_CURRENCY_PAIR")


def test_a_candle_is_told_in_gates_order(simulator: GateioSimulator) -> None:
    at = now_s(simulator) - 12 * 3600 - DAY
    [[opened, _, close, high, low, opening, _, closed]] = candles(
        simulator, interval="1d", from_=at, to=at
    ).json
    assert (int(opened), closed) == (at, "true")
    assert float(low) <= min(float(opening), float(close)) <= float(high)


def test_both_ends_count_and_the_running_candle_is_open(simulator: GateioSimulator) -> None:
    now = now_s(simulator)
    rows = candles(simulator, interval="1h", from_=now - 2 * 3600, to=now).json
    assert [(int(row[0]) - now, row[7]) for row in rows] == [(-7200, "true"), (-3600, "true"), (0, "false")]


def test_a_hundred_candles_by_default(simulator: GateioSimulator) -> None:
    assert len(candles(simulator).json) == 100
    assert len(candles(simulator, interval="1h", limit=1000).json) == 1000


def test_a_thousand_candles_are_the_most(simulator: GateioSimulator) -> None:
    now = now_s(simulator)
    assert len(candles(simulator, interval="1h", from_=now - 999 * 3600, to=now).json) == 1000
    answer = candles(simulator, interval="1h", from_=now - 1000 * 3600, to=now)
    assert (answer.error, "too broad" in answer.json["message"]) == ((400, "INVALID_PARAM_VALUE"), True)
    assert candles(simulator, limit=1001).error == (400, "INVALID_PARAM_VALUE")


def test_candles_longer_ago_than_ten_thousand_are_refused(simulator: GateioSimulator) -> None:
    start = now_s(simulator) - 10_001 * 60
    answer = candles(simulator, interval="1m", from_=start, to=start + 60)
    assert (answer.error, "too long ago" in answer.json["message"]) == ((400, "INVALID_PARAM_VALUE"), True)


@pytest.mark.parametrize(
    ("parameters", "label"),
    [
        ({"interval": "7m"}, "INVALID_PARAM_VALUE"),
        ({"limit": 5, "from_": 1, "to": 2}, "INVALID_PARAM_VALUE"),
    ],
)
def test_senseless_candles_are_refused(
    simulator: GateioSimulator, parameters: dict[str, Any], label: str
) -> None:
    assert candles(simulator, **parameters).error == (400, label)


def test_candles_need_a_pair(simulator: GateioSimulator) -> None:
    assert get(simulator, "candlesticks").error == (400, "MISSING_REQUIRED_PARAM")
