"""Prices: real days, hours that add up to them, steps that stay inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.simulators import candles
from exchanges.simulators.clock import DAY_MS, HOUR_MS
from exchanges.simulators.market import Market
from exchanges.simulators.profiles import HISTORY_DAYS
from exchanges.simulators.symbols import SYMBOLS

FIRST_DAY_MS = 20_000 * DAY_MS
MARKET = Market(seed=1, first_day_ms=FIRST_DAY_MS)
NAMES = st.sampled_from(sorted(SYMBOLS))
REAL_NAMES = sorted(candles.load_daily())


def test_the_slice_holds_seven_markets_of_416_days() -> None:
    assert {name: len(days) for name, days in candles.load_daily().items()} == dict.fromkeys(
        ["ADAUSDT", "BNBUSDT", "BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"], HISTORY_DAYS
    )


@given(st.sampled_from(REAL_NAMES), st.integers(0, 3 * HISTORY_DAYS))
def test_hours_merge_into_exactly_their_day(name: str, day: int) -> None:
    symbol = SYMBOLS[name]
    assert candles.merge(list(MARKET.hours(symbol, day))) == MARKET.day(symbol, day)


@given(NAMES, st.integers(0, 2 * HISTORY_DAYS * DAY_MS))
def test_a_price_lies_on_its_tick_inside_its_hour(name: str, offset: int) -> None:
    symbol = SYMBOLS[name]
    at = FIRST_DAY_MS + offset
    price, hour = MARKET.price(symbol, at), MARKET.hour(symbol, at)
    assert hour.low <= price <= hour.high
    assert price % symbol.tick == 0


@given(NAMES, st.integers(0, HISTORY_DAYS - 1))
def test_every_hour_has_its_open_and_close_between_low_and_high(name: str, day: int) -> None:
    for hour in MARKET.hours(SYMBOLS[name], day):
        assert 0 < hour.low <= min(hour.open, hour.close) <= max(hour.open, hour.close) <= hour.high
        assert hour.volume >= 0


@pytest.mark.parametrize("name", REAL_NAMES)
def test_after_the_last_real_day_the_series_runs_back(name: str) -> None:
    symbol = SYMBOLS[name]
    last, next_day = MARKET.day(symbol, HISTORY_DAYS - 1), MARKET.day(symbol, HISTORY_DAYS)
    assert next_day == last.mirrored()
    assert next_day.open == last.close


def test_the_price_moves_within_a_minute() -> None:
    at = FIRST_DAY_MS + 10 * DAY_MS + 5 * HOUR_MS
    prices = {MARKET.price(SYMBOLS["BTCUSDT"], at + step) for step in range(0, 60_000, 2_000)}
    assert len(prices) > 10


def test_tick_times_step_is_never_finer_than_eight_decimals() -> None:
    assert {symbol.name: symbol.tick * symbol.step % 10**8 for symbol in SYMBOLS.values()} == dict.fromkeys(
        SYMBOLS, 0
    )
