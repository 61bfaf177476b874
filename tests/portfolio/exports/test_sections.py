"""Spans, as rows of days are chosen by them."""

from datetime import UTC, date, datetime, timedelta, timezone

from portfolio.exports import books
from portfolio.exports.sections import Selection

EAST = timezone(timedelta(hours=5))


def test_days_are_those_that_end_in_the_span_wherever_it_was_written() -> None:
    written = Selection(
        (), datetime(2026, 2, 1, 2, tzinfo=EAST), datetime(2026, 2, 3, 5, tzinfo=EAST), "USDT"
    )
    same = Selection((), datetime(2026, 1, 31, 21, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC), "USDT")

    days = {"day__gte": date(2026, 1, 31), "day__lt": date(2026, 2, 3)}
    assert books._days(written, "day") == books._days(same, "day") == days
