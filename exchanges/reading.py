"""Reading what exchanges send: every value passes a named reader; one bad row never stops the others."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from core import clock, money
from core.money import ZERO
from exchanges.rows import BadRow, Raw

T = TypeVar("T")

# Nothing of ours happened before Bitcoin traded; a value outside is in another unit (seconds, microseconds).
EARLIEST_MS: Final = clock.to_ms(datetime(2010, 1, 1, tzinfo=UTC))
LATEST_MS: Final = clock.to_ms(datetime(2100, 1, 1, tzinfo=UTC))
_MS_DIGITS: Final = 13  # of every moment between the two
_ID_DIGITS: Final = 19
_PLAIN_LENGTH: Final = money.PLACES  # digits that fit on either side of the point
_LONGEST_TEXT: Final = 512


class UnreadableRow(Exception):
    """The reason, in words, why a row cannot be read."""


@dataclass(frozen=True, slots=True)
class PageReader(Generic[T]):
    """A reader of rows, and one of whole pages that is faster: None for a page it leaves to the other."""

    row: Callable[[Raw], T | None]
    page: Callable[[Iterable[Any]], tuple[T, ...] | None]

    def __call__(self, raw: Raw) -> T | None:
        return self.row(raw)


def rows(raws: Iterable[Any], read: Callable[[Raw], T | None]) -> tuple[tuple[T, ...], tuple[BadRow, ...]]:
    """The rows `read` could make and the ones it could not; it answers None for a row that says nothing."""
    if isinstance(read, PageReader) and (page := read.page(raws)) is not None:
        return page, ()
    good: list[T] = []
    bad: list[BadRow] = []
    for raw in raws:
        if not isinstance(raw, dict):  # a JSON object; asking for Mapping takes ten times as long
            bad.append(BadRow({"row": raw}, f"expected an object, not {type(raw).__name__}"))
            continue
        try:
            row = read(raw)
        except (UnreadableRow, money.InvalidAmount) as error:
            bad.append(BadRow(raw, str(error)))
        else:
            if row is not None:
                good.append(row)
    return tuple(good), tuple(bad)


def text(raw: Raw, key: str, default: str | None = None) -> str:
    """Non-empty text (whole numbers become text); `default` stands in for a missing, null or empty value."""
    value = raw.get(key)
    if isinstance(value, str) and value:
        # PostgreSQL stores no NUL, and nothing an exchange names is longer.
        if "\x00" in value or len(value) > _LONGEST_TEXT:
            raise UnreadableRow(f"{key} is no usable text")
        return value
    if type(value) is int:
        return str(value)
    if default is not None and (value is None or value == ""):
        return default
    raise UnreadableRow(f"{key} is {_seen(value)}")


def placed_order(raw: Raw, key: str) -> str:
    """The order that a conditional one placed when it fired; empty where it did not."""
    value = text(raw, key, "")
    return "" if value == "0" else value


def amount(raw: Raw, key: str, default: Decimal | None = None) -> Decimal:
    """An exact amount; `default` stands in for a missing, null or empty value."""
    value: Any = raw.get(key)
    if type(value) is str and len(value) <= _PLAIN_LENGTH and value.replace(".", "", 1).isdecimal():
        return Decimal(value)  # nearly all amounts there are: what follows could refuse none of them
    if default is not None and (value is None or value == ""):
        return default
    if value is None:
        raise UnreadableRow(f"{key} is missing")
    try:
        return money.parse(value)
    except money.InvalidAmount as error:
        raise UnreadableRow(f"{key}: {error.message}") from None


def positive(raw: Raw, key: str) -> Decimal:
    """An amount above zero."""
    value = amount(raw, key)
    if value <= ZERO:
        raise UnreadableRow(f"{key} is not above zero: {value}")
    return value


def not_negative(raw: Raw, key: str, default: Decimal | None = None) -> Decimal:
    """An amount of zero or more."""
    value = amount(raw, key, default)
    if value < ZERO:
        raise UnreadableRow(f"{key} is below zero: {value}")
    return value


def one_of(raw: Raw, key: str, meanings: Mapping[str, T]) -> T:
    """What a word means."""
    value = raw.get(key)
    if type(value) is str and value in meanings:
        return meanings[value]
    words = text(raw, key)
    if words not in meanings:
        raise UnreadableRow(f"{key} {words!r:.40} is unknown")
    return meanings[words]


def identity(raw: Raw, key: str, *, below: int) -> str:
    """A whole number of [0, below) that names something, as text; `below` has `_ID_DIGITS` at least."""
    value = raw.get(key)
    if (
        type(value) is str
        and len(value) <= _ID_DIGITS
        and value.isascii()
        and value.isdigit()
        and int(value) < below
    ):
        return value
    if type(value) is int and 0 <= value < below:
        return str(value)
    words = text(raw, key)
    if whole(words, below=below, default=-1) < 0:
        raise UnreadableRow(f"{key} is no id: {words!r:.40}")
    return words


def whole(value: object, *, below: int, default: int) -> int:
    """A bare whole number of [0, below), also as text; `default` for anything else."""
    if isinstance(value, str) and len(value) <= _digits(below) and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 0 <= value < below else default


def flag(raw: Raw, key: str, default: bool | None = None) -> bool:
    """A JSON true or false."""
    value = raw.get(key)
    if isinstance(value, bool):
        return value
    if default is not None and value is None:
        return default
    raise UnreadableRow(f"{key} is {_seen(value)}")


def moment_ms(raw: Raw, key: str) -> datetime:
    """Milliseconds since 1970 as aware UTC, of this century."""
    return moment(raw.get(key), key)


def moment(value: object, key: str) -> datetime:
    """Like `moment_ms`, of a bare value; `key` names it in the reason."""
    if type(value) is str and len(value) == _MS_DIGITS and value.isascii() and value.isdigit():
        milliseconds = int(value)
    else:
        milliseconds = value if type(value) is int else -1
    if not EARLIEST_MS <= milliseconds < LATEST_MS:
        problem = (
            "is missing" if value is None else f"{value!r:.40} is not in milliseconds between 2010 and 2100"
        )
        raise UnreadableRow(f"{key} {problem}")
    # Exact: in these years a double tells apart half microseconds, and to the next whole one is rounded.
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@functools.cache
def _digits(number: int) -> int:
    return len(str(number))


def _seen(value: object) -> str:
    return "missing" if value is None else f"unreadable: {value!r:.60}"
