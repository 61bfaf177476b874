from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from portfolio.accounting.periods import (
    CALENDAR_KINDS,
    Period,
    PeriodKind,
    format_duration,
    parse_period,
    period_of,
)

TUESDAY = datetime(2025, 12, 9, 15, 30, tzinfo=UTC)
FIRST_FACT = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        (PeriodKind.DAILY, _day(2025, 12, 9), _day(2025, 12, 10)),
        (PeriodKind.WEEKLY, _day(2025, 12, 8), _day(2025, 12, 15)),
        (PeriodKind.MONTHLY, _day(2025, 12, 1), _day(2026, 1, 1)),
        (PeriodKind.ALL_TIME, _day(2024, 2, 29), _day(2025, 12, 10)),
    ],
)
def test_calendar_periods_of_a_moment(kind: PeriodKind, start: datetime, end: datetime) -> None:
    assert period_of(kind, TUESDAY, first_fact=FIRST_FACT) == Period(kind, start, end)


def test_the_day_is_the_utc_day_of_the_moment() -> None:
    late_in_new_york = datetime(2025, 12, 8, 21, tzinfo=timezone(timedelta(hours=-5)))
    assert period_of(PeriodKind.DAILY, late_in_new_york).first_day == date(2025, 12, 9)


def test_iso_weeks_cross_the_year() -> None:
    assert period_of(PeriodKind.WEEKLY, _day(2027, 1, 1)).start == _day(2026, 12, 28)


def test_a_leap_february_has_29_days() -> None:
    assert len(list(period_of(PeriodKind.MONTHLY, FIRST_FACT).days())) == 29


def test_a_period_reads_to_its_last_second() -> None:
    december = period_of(PeriodKind.MONTHLY, TUESDAY)
    assert december.last_second == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert december.last_day == date(2025, 12, 31)


@given(st.sampled_from(CALENDAR_KINDS), st.integers(0, 4 * 10**9))
def test_the_moment_lies_in_its_period_and_the_end_in_the_next(kind: PeriodKind, seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    period = period_of(kind, moment, first_fact=FIRST_FACT)
    assert moment in period
    assert period.end not in period
    if kind is not PeriodKind.ALL_TIME:
        assert period_of(kind, period.end).start == period.end


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        period_of(PeriodKind.DAILY, datetime(2025, 12, 9))  # noqa: DTZ001


def test_a_window_of_90_days_starts_90_days_before_today() -> None:
    # The platform's own example: 2025-09-10 to 2025-12-09 for period=90d.
    window = parse_period("90d", at=TUESDAY)
    assert (window.kind, window.first_day, window.last_day) == (
        PeriodKind.WINDOW,
        date(2025, 9, 10),
        date(2025, 12, 9),
    )


def test_a_year_is_365_days() -> None:
    assert parse_period("1y", at=TUESDAY) == parse_period("365d", at=TUESDAY)


@pytest.mark.parametrize("word", ["monthly", "MONTHLY", " Monthly "])
def test_calendar_words_mean_the_current_period(word: str) -> None:
    assert parse_period(word, at=TUESDAY) == period_of(PeriodKind.MONTHLY, TUESDAY)


@pytest.mark.parametrize(
    "text", ["", "d", "0d", "-1d", "30", "30m", "1.5d", "3661d", "11y", "99999d", "٣d", "window", "30d;drop"]
)
def test_any_other_text_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="is no period") as caught:
        parse_period(text, at=TUESDAY)
    assert caught.value.details["errors"][0]["pointer"] == "/period"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(hours=2, minutes=15), "2h 15m"),
        (timedelta(days=3, hours=4, minutes=59), "3d 4h"),
        (timedelta(seconds=45.9), "45s"),
        (timedelta(hours=1, seconds=30), "1h"),
        (timedelta(days=400), "400d"),
        (timedelta(0), "0s"),
        (timedelta(minutes=-3), "-3m"),
    ],
)
def test_durations_read_in_their_two_largest_units(length: timedelta, text: str) -> None:
    assert format_duration(length) == text
