"""The short way to read a page: the shape of its rows in one look, their amounts and names column by column.

It takes only pages whose every row a careful reader would take, and takes from them what that one would; every other
page raises one of `DIFFERENT`, and is read row by row.
"""

import decimal
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from core import money
from exchanges import reading
from exchanges.rows import Raw

T = TypeVar("T")
DIFFERENT: Final = (msgspec.ValidationError, decimal.InvalidOperation, reading.UnreadableRow)

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Digits = Annotated[str, Meta(min_length=1, max_length=19)]
Amount = Annotated[str, Meta(min_length=1, max_length=money.PLACES)]  # fits, wherever its point is
Milliseconds = Annotated[int, Meta(ge=reading.EARLIEST_MS, lt=reading.LATEST_MS)]
MillisecondsText = Annotated[str, Meta(min_length=13, max_length=13)]


class Shape(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The members that are read, as nearly all rows have them."""


def reader(
    page: Callable[[Iterable[Any]], tuple[T, ...]], row: Callable[[Raw], T | None]
) -> reading.PageReader[T]:
    """Reads by `page` what it takes, and by `row` everything else."""

    def at_once(raws: Iterable[Any]) -> tuple[T, ...] | None:
        try:
            return page(raws)
        except DIFFERENT:
            return None

    return reading.PageReader(row, at_once)


def amounts(texts: Sequence[str]) -> list[Decimal]:
    """Amounts of type `Amount`, without a sign or an exponent."""
    if texts and not "".join(texts).replace(".", "").isdecimal():
        raise decimal.InvalidOperation
    return [Decimal(text) for text in texts]


def positives(texts: Sequence[str]) -> list[Decimal]:
    """Like `amounts`, and none of them zero."""
    values = amounts(texts)
    if not all(values):
        raise decimal.InvalidOperation
    return values


def moments(milliseconds: Iterable[int]) -> list[datetime]:
    """Of type `Milliseconds`; exact, as in `reading.moment`."""
    return [datetime.fromtimestamp(each / 1000, UTC) for each in milliseconds]


def moments_of_text(texts: Sequence[str]) -> list[datetime]:
    """Of type `MillisecondsText`."""
    hold_for_digits(texts)
    values = [int(text) for text in texts]
    if values and not (min(values) >= reading.EARLIEST_MS and max(values) < reading.LATEST_MS):
        raise msgspec.ValidationError
    return moments(values)


def hold_for_digits(texts: Sequence[str]) -> None:
    """Nothing but digits in any of them."""
    together = "".join(texts)
    if texts and not (together.isascii() and together.isdigit()):
        raise msgspec.ValidationError


def hold_for_names(texts: Iterable[str]) -> None:
    """PostgreSQL stores no NUL."""
    if "\x00" in "".join(texts):
        raise msgspec.ValidationError
