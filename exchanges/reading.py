"""Reading what exchanges send: every value passes a named reader; one bad row never stops the others."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from core import clock, money
from exchanges.rows import BadRow, Raw

T = TypeVar("T")

# Nothing of ours happened before Bitcoin traded; a value outside is in another unit (seconds, microseconds).
EARLIEST_MS: Final = clock.to_ms(datetime(2010, 1, 1, tzinfo=UTC))
LATEST_MS: Final = clock.to_ms(datetime(2100, 1, 1, tzinfo=UTC))
_LONGEST_TEXT: Final = 512


class UnreadableRow(Exception):
    """The reason, in words, why a row cannot be read."""


def rows(raws: Iterable[object], read: Callable[[Raw], T | None]) -> tuple[tuple[T, ...], tuple[BadRow, ...]]:
    """The rows `read` could make and the ones it could not; it answers None for a row that says nothing."""
    good: list[T] = []
    bad: list[BadRow] = []
    for raw in raws:
        if not isinstance(raw, Mapping):
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
    if type(value) is int:
        return str(value)
    if isinstance(value, str) and value:
        # PostgreSQL stores no NUL, and nothing an exchange names is longer.
        if "\x00" in value or len(value) > _LONGEST_TEXT:
            raise UnreadableRow(f"{key} is no usable text")
        return value
    if default is not None and (value is None or value == ""):
        return default
    raise UnreadableRow(f"{key} is {_seen(value)}")


def amount(raw: Raw, key: str, default: Decimal | None = None) -> Decimal:
    """An exact amount; `default` stands in for a missing, null or empty value."""
    value: Any = raw.get(key)
    if default is not None and (value is None or value == ""):
        return default
    if value is None:
        raise UnreadableRow(f"{key} is missing")
    try:
        return money.parse(value)
    except money.InvalidAmount as error:
        raise UnreadableRow(f"{key}: {error.message}") from None


def whole(value: object, *, below: int, default: int) -> int:
    """A bare whole number of [0, below), also as text; `default` for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(below)):
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
    if type(value) is int and EARLIEST_MS <= value < LATEST_MS:
        return clock.from_ms(value)
    milliseconds = whole(value, below=LATEST_MS, default=-1)
    if milliseconds < EARLIEST_MS:
        problem = (
            "is missing" if value is None else f"{value!r:.40} is not in milliseconds between 2010 and 2100"
        )
        raise UnreadableRow(f"{key} {problem}")
    return clock.from_ms(milliseconds)


def _seen(value: object) -> str:
    return "missing" if value is None else f"unreadable: {value!r:.60}"
