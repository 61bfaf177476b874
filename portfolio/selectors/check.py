"""One number held against the same number computed anew."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from core import money

MAX_EVENTS: Final = 20_000
"""A longer history is not folded again while somebody waits; `manage.py rebuild` does."""


@dataclass(frozen=True, slots=True)
class Check:
    """A number of the trade (`stored`) beside the same number computed anew; `equal` is None, with a `note`, where
    it could not be computed."""

    name: str
    basis: str
    """`allocations`, `fills`, `order`, or `facts`: all facts of the position folded by the engine again."""
    formula: str
    stored: str | None
    computed: str | None
    equal: bool | None
    note: str


Value = Decimal | datetime | str | None


def check(name: str, basis: str, formula: str, stored: Value, computed: Value, note: str = "") -> Check:
    return Check(name, basis, formula, _text(stored), _text(computed), stored == computed, note)


def not_checked(name: str, basis: str, formula: str, stored: Value, note: str) -> Check:
    return Check(name, basis, formula, _text(stored), None, None, note)


def _text(value: Value) -> str | None:
    if isinstance(value, Decimal):
        return money.text(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value
