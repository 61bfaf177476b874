"""Reading single cells. Each raises UnreadableRow with the reason in words."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from core import money
from core.money import ZERO
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

_ASSET: Final = re.compile(r"[A-Z0-9][A-Z0-9.\-_]{0,19}")
_FIRST_YEAR: Final = 2009
_LAST_YEAR: Final = 2100


def amount(line: Line, column: str, default: Decimal | None = None) -> Decimal:
    """`default` stands in for an empty cell, or one with a dash."""
    words = line.cells[column].removeprefix("+")
    if words in ("", "-"):
        if default is None:
            raise UnreadableRow(f"{column} is empty")
        return default
    try:
        return money.parse(words)
    except money.InvalidAmount as error:
        raise UnreadableRow(f"{column}: {error.message}") from None


def positive(line: Line, column: str) -> Decimal:
    value = amount(line, column)
    if value <= ZERO:
        raise UnreadableRow(f"{column} is not above zero")
    return value


def not_negative(line: Line, column: str) -> Decimal:
    """Zero for an empty cell."""
    value = amount(line, column, ZERO)
    if value < ZERO:
        raise UnreadableRow(f"{column} is below zero")
    return value


def asset(line: Line, column: str) -> str:
    """A coin's ticker in capitals; an address or a long name is none."""
    words = line.cells[column].upper()
    if not _ASSET.fullmatch(words):
        raise UnreadableRow(f"{column} {words!r:.40} is no ticker" if words else f"{column} is empty")
    return words


def moment(line: Line, column: str, formats: Sequence[str]) -> datetime:
    """In UTC, also where the format has no zone."""
    words = line.cells[column]
    if not words:
        raise UnreadableRow(f"{column} is empty")
    for pattern in formats:
        try:
            at = datetime.strptime(words, pattern)  # noqa: DTZ007 -- the zone is seen to below
        except ValueError:
            continue
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if _FIRST_YEAR <= at.year < _LAST_YEAR:
            return at
    raise UnreadableRow(f"{column} {words!r:.40} is no time")
