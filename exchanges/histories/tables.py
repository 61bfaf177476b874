"""Separated text as lines of named cells, each with its number in the file."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

from core.errors import Invalid
from core.money import text

_SEPARATORS: Final = (",", ";", "\t")
_PREAMBLE: Final = 10
"""How many lines may stand before the header: names, dates, titles."""
_ID_LENGTH: Final = 32
FILE_ID: Final = "file-"
"""Begins the ids of facts that have none of the exchange's."""
_Row = tuple[int, list[str]]


class Line(NamedTuple):
    """`cells` by column; a column named twice is `Name`, `Name#2`, … `excess`: cells without a column."""

    number: int
    text: str
    cells: Mapping[str, str]
    excess: int = 0


class Table(NamedTuple):
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


class Header(NamedTuple):
    """A line that may be one; `place`: how many stand before it."""

    columns: tuple[str, ...]
    separator: str
    place: int


def headers(content: str) -> Iterator[Header]:
    """What may be meant as the header: every one of the first lines, by every separator."""
    for separator in _SEPARATORS:
        try:
            for place, (_, cells) in enumerate(islice(_rows(content, separator), _PREAMBLE)):
                if len(cells) > 1:
                    yield Header(tuple(_columns(cells)), separator, place)
        except csv.Error:  # by this separator it is no table so far; told by `table` if it is meant
            continue


def table(content: str, header: Header) -> Table:
    """What stands behind a header. Where it stands once more, another file was put behind: its lines are those before
    as far as they say the same. Raises Invalid where the text is no table."""
    rows = islice(_rows(content, header.separator), header.place, None)
    try:
        return Table(header.columns, tuple(_united(header.columns, rows)))
    except csv.Error as error:
        raise Invalid(f"The file is no table: {error}.") from None


def identity(*parts: object) -> str:
    """A name for what the parts say, the same whenever they do, however amounts are written; no exchange gives such."""
    told = [text(part) if isinstance(part, Decimal) else str(part) for part in parts]
    return f"{FILE_ID}{hashlib.sha256(repr(told).encode()).hexdigest()[:_ID_LENGTH]}"


def repeated(lines: Collection[Line]) -> dict[int, int]:
    """By number of a line that says what one before said: which one."""
    first: dict[str, int] = {}
    found = {}
    for line in lines:
        place = first.setdefault(line.text, line.number)
        if place != line.number:
            found[line.number] = place
    return found


def _united(columns: Sequence[str], rows: Iterable[_Row]) -> Iterator[Line]:
    """Equal lines of one file are as many facts; what several files hold alike are the same ones."""
    before: Counter[str] = Counter()
    now: Counter[str] = Counter()
    first = next(iter(rows), (0, []))[1]
    for number, cells in rows:
        if cells == first:
            before, now = before | now, Counter()
            continue
        line = _line(columns, number, cells)
        now[line.text] += 1
        if now[line.text] > before[line.text]:
            yield line


def _rows(content: str, separator: str) -> Iterator[_Row]:
    """Raises csv.Error, with the number of the line, for a quote that is never closed, say."""
    # A mark of order stands also where one file was put behind another.
    plain = io.StringIO(content.replace("\ufeff", "").replace("\0", ""), newline="")
    reader = csv.reader(plain, delimiter=separator, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise csv.Error(f"Line {number}: {error}") from None
        if cells is None:
            return
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
