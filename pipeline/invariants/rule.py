"""A rule, and where to look for what breaks it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` selects what breaks the rule, told by its columns; `table` holds what is examined. Parameters:
    `cash`, the assets without a book, and `tolerance`, the value up to which a day may be off."""

    name: str
    table: str
    broken: str
