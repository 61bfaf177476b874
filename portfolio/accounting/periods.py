"""Calendar periods and rolling windows in UTC, and how a length of time reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from core import clock
from core.errors import Invalid

MAX_WINDOW_DAYS: Final = 3660
_WINDOW: Final = re.compile(r"([1-9][0-9]{0,3})([dy])")
_DAYS_PER_UNIT: Final = {"d": 1, "y": 365}


class PeriodKind(StrEnum):
    """Calendar periods, for which metrics are stored, and WINDOW: days up to now, computed on reading."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    """ISO: from Monday."""
    MONTHLY = "MONTHLY"
    ALL_TIME = "ALL_TIME"
    """From the day of the first fact to the end of the present day."""
    WINDOW = "WINDOW"


CALENDAR_KINDS: Final = (PeriodKind.DAILY, PeriodKind.WEEKLY, PeriodKind.MONTHLY, PeriodKind.ALL_TIME)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days from `start` up to, not including, `end`."""

    kind: PeriodKind
    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def first_day(self) -> date:
        return self.start.date()

    @property
    def last_day(self) -> date:
        return (self.end - clock.DAY).date()

    @property
    def last_second(self) -> datetime:
        """The end as people write it: 23:59:59 of the last day."""
        return self.end - timedelta(seconds=1)

    def days(self) -> Iterator[date]:
        for offset in range((self.end - self.start).days):
            yield self.first_day + timedelta(days=offset)


def period_of(kind: PeriodKind, moment: datetime, *, first_fact: datetime | None = None) -> Period:
    """The calendar period a moment lies in.

    ALL_TIME starts with the UTC day of `first_fact` (without facts: the moment's own day): it is a sum of
    days. Raises ValueError for WINDOW, which `parse_period` makes, and for naive times.
    """
    if moment.tzinfo is None:
        raise ValueError("Periods need an aware time.")
    day = clock.utc_day(moment)
    match kind:
        case PeriodKind.DAILY:
            first, last = day, day
        case PeriodKind.WEEKLY:
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=6)
        case PeriodKind.MONTHLY:
            first = day.replace(day=1)
            last = (first + timedelta(days=31)).replace(day=1) - clock.DAY
        case PeriodKind.ALL_TIME:
            first = min(day, clock.utc_day(first_fact)) if first_fact else day
            last = day
        case PeriodKind.WINDOW:
            raise ValueError("A window is no calendar period.")
    return Period(kind, clock.day_start(first), clock.day_end(last))


def parse_period(text: str, *, at: datetime, first_fact: datetime | None = None) -> Period:
    """Read `?period=`: `30d`, `1y` (365 days) or `daily`, `weekly`, `monthly`, `all_time`.

    A window of N days holds the N days before the day of `at` and that day itself, so that its curve has N
    daily changes and starts with a point to measure them from. Raises Invalid for anything else.
    """
    word = text.strip().upper()
    if word in CALENDAR_KINDS:
        return period_of(PeriodKind(word), at, first_fact=first_fact)
    window = _WINDOW.fullmatch(word.lower())
    days = int(window[1]) * _DAYS_PER_UNIT[window[2]] if window else 0
    if not 1 <= days <= MAX_WINDOW_DAYS:
        detail = (
            f"{text!r:.40} is no period. Use days such as 30d (up to {MAX_WINDOW_DAYS}d), years such as 1y, "
            "or one of daily, weekly, monthly, all_time."
        )
        raise Invalid(detail, errors=[{"pointer": "/period", "code": "invalid_period", "detail": detail}])
    day = clock.utc_day(at)
    return Period(PeriodKind.WINDOW, clock.day_start(day - timedelta(days=days)), clock.day_end(day))


def format_duration(length: timedelta) -> str:
    """The largest unit and its neighbour, cut off, not rounded: `3d 4h`, `2h 15m`, `45s`, `1h`."""
    sign = "-" if length < timedelta(0) else ""
    seconds = int(abs(length).total_seconds())
    sizes = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    counts = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        counts.append((count, unit))
    largest = next((place for place, (count, _) in enumerate(counts) if count), None)
    if largest is None:
        return "0s"
    return sign + " ".join(f"{count}{unit}" for count, unit in counts[largest : largest + 2] if count)
