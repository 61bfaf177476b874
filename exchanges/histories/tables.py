"""Separated text as lines of named cells, each with its number in the file."""

import csv
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from core.money import text

_SEPARATORS: Final = (",", ";", "\t")
_PREAMBLE: Final = 10
"""How many lines may stand before the header: names, dates, titles."""
_ID_LENGTH: Final = 32


class Line(NamedTuple):
    """`cells` by column; a column named twice is `Name`, `Name#2`, … `excess`: cells without a column."""

    number: int
    text: str
    cells: Mapping[str, str]
    excess: int = 0


class Table(NamedTuple):
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def tables(content: str) -> Iterator[Table]:
    """The content as it may be meant: by every separator, from every line on that may be the header."""
    for separator in _SEPARATORS:
        rows = list(_rows(content, separator))
        for place, (_, cells) in enumerate(rows[:_PREAMBLE]):
            columns = tuple(_columns(cells))
            if len(columns) > 1:
                yield Table(
                    columns, tuple(_line(columns, number, each) for number, each in rows[place + 1 :])
                )


def identity(*parts: object) -> str:
    """A name for what the parts say, the same whenever they do, however amounts are written; no exchange gives such."""
    told = [text(part) if isinstance(part, Decimal) else str(part) for part in parts]
    return f"file-{hashlib.sha256(repr(told).encode()).hexdigest()[:_ID_LENGTH]}"


def repeated(lines: Collection[Line]) -> dict[int, int]:
    """By number of a line that says what one before said: which one."""
    first: dict[str, int] = {}
    found = {}
    for line in lines:
        place = first.setdefault(line.text, line.number)
        if place != line.number:
            found[line.number] = place
    return found


def _rows(content: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(content.removeprefix("\ufeff").replace("\0", "").splitlines(), delimiter=separator)
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield reader.line_num, stripped


def _columns(cells: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for cell in cells:
        seen[cell] = seen.get(cell, 0) + 1
        yield cell if seen[cell] == 1 else f"{cell}#{seen[cell]}"


def _line(columns: Sequence[str], number: int, cells: Sequence[str]) -> Line:
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    excess = sum(1 for cell in cells[len(columns) :] if cell)
    named = dict(zip(columns, padded, strict=False))
    return Line(number, ",".join(cells), named, excess)
