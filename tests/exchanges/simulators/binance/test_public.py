"""Public endpoints: time, listings, prices and candles."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.simulators import candles
from exchanges.simulators.amounts import text
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import DAY_MS, HOUR_MS, FixedClock
from tests.exchanges.simulators.http import send


def get(simulator: BinanceSimulator, path: str) -> Any:
    return send(simulator, f"/api/v3/{path}").json


def test_ping_and_time(simulator: BinanceSimulator, clock: FixedClock) -> None:
    assert get(simulator, "ping") == {}
    assert get(simulator, "time") == {"serverTime": clock.now_ms()}


def test_exchange_info_tells_filters_and_limits(simulator: BinanceSimulator) -> None:
    told = get(simulator, "exchangeInfo?symbol=BTCUSDT")
    filters = {row["filterType"]: row for row in told["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert told["rateLimits"][0]["limit"] == 6_000


def test_exchange_info_of_several_and_of_all(simulator: BinanceSimulator) -> None:
    several = get(simulator, 'exchangeInfo?symbols=%5B"ETHBTC","BTCUSDC"%5D')["symbols"]
    assert [row["symbol"] for row in several] == ["ETHBTC", "BTCUSDC"]
    assert len(get(simulator, "exchangeInfo")["symbols"]) == 12


@pytest.mark.parametrize("path", ["exchangeInfo", "ticker/price", "ticker/24hr"])
def test_an_unknown_symbol_is_1121(simulator: BinanceSimulator, path: str) -> None:
    assert send(simulator, f"/api/v3/{path}?symbol=NOSUCH").error == (400, -1121)


def test_symbols_that_are_no_list_are_1100(simulator: BinanceSimulator) -> None:
    assert send(simulator, "/api/v3/ticker/price?symbols=BTCUSDT").error == (400, -1100)


def test_one_price_is_an_object_and_several_are_a_list(simulator: BinanceSimulator) -> None:
    one = get(simulator, "ticker/price?symbol=BTCUSDT")
    assert get(simulator, 'ticker/price?symbols=%5B"BTCUSDT"%5D') == [one]
    assert one in get(simulator, "ticker/price")


def test_the_day_statistic_ends_at_the_price(simulator: BinanceSimulator) -> None:
    told = get(simulator, "ticker/24hr?symbol=ETHUSDT")
    assert told["lastPrice"] == get(simulator, "ticker/price?symbol=ETHUSDT")["price"]
    assert Decimal(told["priceChange"]) == Decimal(told["lastPrice"]) - Decimal(told["openPrice"])


def test_daily_candles_are_the_real_ones_moved_in_time(
    simulator: BinanceSimulator, clock: FixedClock
) -> None:
    rows = get(simulator, "klines?symbol=BTCUSDT&interval=1d&limit=3")
    real = candles.load_daily()["BTCUSDT"][-3:-1]
    assert [row[1:6] for row in rows[:-1]] == [[text(value) for value in candle] for candle in real]
    assert rows[-1][0] == clock.now_ms() // DAY_MS * DAY_MS


def test_a_running_candle_closes_at_the_price(simulator: BinanceSimulator, clock: FixedClock) -> None:
    clock.advance(minutes=17)
    price = Decimal(get(simulator, "ticker/price?symbol=BTCUSDT")["price"])
    for interval in ("1m", "1h", "1d"):
        row = get(simulator, f"klines?symbol=BTCUSDT&interval={interval}&limit=1")[0]
        assert Decimal(row[3]) <= price <= Decimal(row[2])
        assert abs(Decimal(row[4]) - price) < price / 1_000


def test_hours_of_a_window_follow_one_another(simulator: BinanceSimulator, clock: FixedClock) -> None:
    end = clock.now_ms()
    start = end - 30 * HOUR_MS
    rows = get(simulator, f"klines?symbol=ETHBTC&interval=1h&startTime={start}&endTime={end}&limit=20")
    assert [row[0] for row in rows] == [start + hour * HOUR_MS for hour in range(20)]
    assert [row[6] - row[0] for row in rows] == [HOUR_MS - 1] * 20


def test_no_candle_is_older_than_the_slice(simulator: BinanceSimulator) -> None:
    rows = get(simulator, "klines?symbol=SOLUSDT&interval=1d&startTime=0&limit=1000")
    assert len(rows) == 416


@pytest.mark.parametrize(
    ("parameters", "code"),
    [("interval=1d", -1102), ("symbol=BTCUSDT", -1102), ("symbol=BTCUSDT&interval=9x", -1120)],
)
def test_candles_need_a_symbol_and_a_known_interval(
    simulator: BinanceSimulator, parameters: str, code: int
) -> None:
    assert send(simulator, f"/api/v3/klines?{parameters}").error == (400, code)


def test_a_public_parameter_nobody_reads_is_1104(simulator: BinanceSimulator) -> None:
    assert send(simulator, "/api/v3/time?recvWindow=5").error == (400, -1104)


def test_the_same_parameter_twice_is_1101(simulator: BinanceSimulator) -> None:
    assert send(simulator, "/api/v3/ticker/price?symbol=BTCUSDT&symbol=ETHUSDT").error == (400, -1101)


def test_an_unknown_path_is_an_html_404(simulator: BinanceSimulator) -> None:
    answer = send(simulator, "/api/v3/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html")
