"""Time: milliseconds and UTC days."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from core import clock

MOMENTS = st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999)


@given(MOMENTS)
def test_milliseconds_become_a_moment_and_the_same_milliseconds_again(milliseconds: int) -> None:
    moment = clock.from_ms(milliseconds)
    assert moment.tzinfo is UTC
    assert clock.to_ms(moment) == milliseconds
    assert moment - clock.EPOCH == timedelta(milliseconds=milliseconds)


def test_a_fraction_of_a_millisecond_is_floored() -> None:
    assert clock.to_ms(clock.EPOCH + timedelta(microseconds=1999)) == 1
    assert clock.to_ms(clock.EPOCH - timedelta(microseconds=1)) == -1


def test_a_day_is_the_utc_day_wherever_the_moment_was_told() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert clock.utc_day(late) == date(2026, 3, 2)
    assert clock.day_start(date(2026, 3, 2)) == datetime(2026, 3, 2, tzinfo=UTC)
    assert clock.day_end(date(2026, 3, 2)) == datetime(2026, 3, 3, tzinfo=UTC)


def test_an_hour_begins_where_its_minutes_are_zero() -> None:
    moment = datetime(2026, 3, 1, 12, 34, 56, 789, tzinfo=UTC)
    assert clock.floor_hour(moment) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_moment_lies_in_a_millisecond() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123_999, tzinfo=UTC)

    assert clock.floor_ms(moment) == datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
