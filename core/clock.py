"""Time: aware UTC only. The clock is read once at the edge by `now` and passed down."""

from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def from_ms(milliseconds: int) -> datetime:
    """Aware UTC from milliseconds since 1970, exactly."""
    seconds, rest = divmod(milliseconds, 1000)
    return EPOCH + timedelta(0, seconds, rest * 1000)  # named parts take four times as long


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, floored."""
    return (moment - EPOCH) // _MILLISECOND


def day_start(day: date) -> datetime:
    """00:00 UTC of a day."""
    return datetime.combine(day, time.min, UTC)


def day_end(day: date) -> datetime:
    """24:00 UTC of a day: the first moment no longer in it."""
    return day_start(day) + DAY


def utc_day(moment: datetime) -> date:
    """The UTC calendar day of an aware moment."""
    return moment.astimezone(UTC).date()


def floor_ms(moment: datetime) -> datetime:
    """The millisecond the moment lies in."""
    finer = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - finer) if finer else moment


def floor_hour(moment: datetime) -> datetime:
    """The hour the moment lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)
