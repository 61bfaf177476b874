"""How rows become a file. Pure: rows come as tuples of text, numbers, flags, lists and None.

CSV is RFC 4180 in UTF-8, every cell quoted. Text from outside that a spreadsheet would take for a formula gets an
apostrophe in front (and so does text that begins with one: take a leading one off to have what it was). JSON Lines
have texts as they are, begin with a record `header` and end with a record `end`, without which the file is cut off.
"""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import islice
from typing import Any, Final

import msgspec

VERSION: Final = 1
PRODUCER: Final = "crypto-graph-trader"
MARK: Final = "'"
_BATCH: Final = 500
# Also as full-width letters, which some spreadsheets read alike.
_RISKY: Final = (MARK, "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = Sequence[Any]


class Type(StrEnum):
    """What a column holds; amounts and times come as text, objects as the text of JSON."""

    TEXT = auto()
    AMOUNT = auto()
    TIME = auto()
    INTEGER = auto()
    FLAG = auto()
    LIST = auto()
    OBJECT = auto()


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of one kind of record."""

    record: str
    columns: tuple[tuple[str, Type], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


@dataclass(slots=True)
class Counts:
    """How many rows were written, by record."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def defuse(text: str) -> str:
    """What no spreadsheet takes for a formula."""
    return MARK + text if text.startswith(_RISKY) else text


def csv_file(table: Table, rows: Iterable[Row], counts: Counts) -> Generator[bytes, None, None]:
    """A header and the rows."""
    write = [_CELLS.get(kind, _as_is) for _, kind in table.columns]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(table.names)
    for batch in _batches(rows):
        writer.writerows([cell(value) for cell, value in zip(write, row, strict=True)] for row in batch)
        counts.rows[table.record] = counts.rows.get(table.record, 0) + len(batch)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if rest := text.getvalue():
        yield rest.encode()


def json_lines(
    header: Mapping[str, Any], sections: Iterable[tuple[Table, Iterable[Row]]], counts: Counts
) -> Generator[bytes, None, None]:
    """A header, the rows of each section, and at the end how many there were."""
    encode = msgspec.json.Encoder().encode
    yield encode({"record": "header", "producer": PRODUCER, "version": VERSION, **header}) + b"\n"
    for table, rows in sections:
        names = ("record", *table.names)
        objects = [place for place, (_, kind) in enumerate(table.columns) if kind is Type.OBJECT]
        counts.rows.setdefault(table.record, 0)
        for batch in _batches(rows):
            counts.rows[table.record] += len(batch)
            yield b"".join(
                encode(dict(zip(names, (table.record, *_embedded(row, objects)), strict=True))) + b"\n"
                for row in batch
            )
    yield encode({"record": "end", "counts": counts.rows}) + b"\n"


def _embedded(row: Row, objects: Sequence[int]) -> Row:
    """With the objects, which come as JSON's text, as they are: their numbers have all their digits."""
    if not objects:
        return row
    values = list(row)
    for place in objects:
        values[place] = msgspec.Raw(values[place].encode())
    return values


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _as_is(value: Any) -> Any:
    return value


def _text(value: str | None) -> str | None:
    return value and defuse(value)


def _flag(value: bool | None) -> str | None:
    return None if value is None else "true" if value else "false"


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


_CELLS: Final[dict[Type, Callable[[Any], Any]]] = {
    Type.TEXT: _text,
    Type.FLAG: _flag,
    Type.LIST: _json,
    Type.OBJECT: _json,
}
