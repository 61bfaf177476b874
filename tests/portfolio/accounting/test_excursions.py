"""The worst and the best a trade stood at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting.excursions import MISSING, TOO_SHORT, Candle, Extremes, Held, measure, opens

HOUR = timedelta(hours=1)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
LONG = Held(
    is_long=True, is_inverse=False, quantity=Decimal(2), entry_price=Decimal(100), exit_price=Decimal(104),
    since=NOON - timedelta(minutes=30), until=NOON + timedelta(hours=2, minutes=30),
)  # fmt: skip


def candles(*prices: tuple[int, int, int, int]) -> list[Candle]:
    """Open, high, low, close from 11:00 on."""
    return [Candle(NOON - HOUR + place * HOUR, *map(Decimal, ohlc)) for place, ohlc in enumerate(prices)]


# What came before 11:30 (50) and after 14:30 (200) is none of the trade's business.
SEEN = candles((50, 101, 50, 101), (101, 110, 99, 103), (103, 106, 95, 96), (96, 200, 96, 200))


def test_only_prices_seen_while_it_was_held_count() -> None:
    assert measure(LONG, SEEN, length=HOUR) == Extremes(Decimal(-10), Decimal(20))


def test_a_short_stands_the_other_way() -> None:
    assert measure(replace(LONG, is_long=False), SEEN, length=HOUR) == Extremes(Decimal(-20), Decimal(10))


def test_an_inverse_long_gains_its_money_by_the_change_of_price() -> None:
    held = replace(LONG, is_inverse=True, quantity=Decimal(1000))

    assert measure(held, SEEN, length=HOUR) == Extremes(Decimal(-50), Decimal(100))


def test_a_trade_that_never_stood_worse_than_its_entry_has_no_drawdown() -> None:
    held = replace(LONG, entry_price=Decimal(90))

    assert measure(held, SEEN, length=HOUR) == Extremes(Decimal(0), Decimal(40))


@pytest.mark.parametrize("found", [[], SEEN[1:], SEEN[:-1], [*SEEN[:1], *SEEN[2:]]])
def test_a_candle_that_is_missing_leaves_nothing_to_say(found: list[Candle]) -> None:
    assert measure(LONG, found, length=HOUR) == MISSING


def test_a_trade_within_one_candle_is_too_short_to_say() -> None:
    held = replace(LONG, since=NOON + timedelta(minutes=5), until=NOON + timedelta(minutes=25))

    assert measure(held, SEEN[1:2], length=HOUR) == TOO_SHORT


prices = st.integers(1, 1000).map(Decimal)


@given(prices, prices, st.lists(st.tuples(prices, prices, prices), min_size=4, max_size=4), st.booleans())
def test_drawdown_and_runup_stand_on_either_side_of_zero_and_of_the_exit(
    entry: Decimal, end: Decimal, path: list[tuple[Decimal, Decimal, Decimal]], is_long: bool
) -> None:
    held = replace(LONG, entry_price=entry, exit_price=end, is_long=is_long)
    rows = [
        Candle(NOON - HOUR + place * HOUR, first, max(ohlc), min(ohlc), last)
        for place, ohlc in enumerate(path)
        for first, _, last in [ohlc]
    ]

    found = measure(held, rows, length=HOUR)

    assert isinstance(found, Extremes)
    assert found.drawdown <= min(Decimal(0), held.unrealised(end))
    assert found.runup >= max(Decimal(0), held.unrealised(end))


def test_a_moment_touches_one_candle() -> None:
    assert opens(NOON, NOON, HOUR) == (NOON, 1)
    assert opens(NOON, NOON + HOUR, HOUR) == (NOON, 1)
    assert opens(NOON, NOON + HOUR + timedelta(seconds=1), HOUR) == (NOON, 2)
