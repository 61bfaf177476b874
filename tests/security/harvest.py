"""What is one person's alone: values to put into others' requests, and marks that betray them in an answer."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from tests.security import catalogue
from tests.security.operations import operations
from tests.security.people import SHARED, Person, as_table_owner, condition, rows
from tests.security.recipes import RECIPES

_WORD: Final = re.compile(r"[^\s\"'<>,;=()\[\]{}&?/\\]+")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d:\d\d.*")
_DIGITS, _LENGTH = 7, 8  # fewer may be alike by chance

Marks = frozenset[str]


@dataclass(frozen=True, slots=True)
class Harvest:
    """`values` by JSON type: uuid, integer, text."""

    values: dict[str, list[Any]]
    marks: Marks


def gather(people: Sequence[Person]) -> dict[str, Harvest]:
    """By name. What two people have in common, or everybody reads, marks nobody."""
    told = {person.name: _marks_of_rows(person) | _marks_of_answers(person) for person in people}
    common = marks(_texts(_shared_rows()))
    return {
        person.name: Harvest(
            values=_values(person),
            marks=frozenset(
                mark
                for mark in told[person.name] - common
                if not any(mark in told[other.name] for other in people if other is not person)
            ),
        )
        for person in people
    }


def marks(texts: Iterable[str]) -> Marks:
    """The words and numbers in texts that are hardly there by chance; amounts without sign and padding."""
    found = set()
    for text in texts:
        for word in _WORD.findall(text):
            mark = _plain(word.strip(".:"))
            if mark:
                found.add(mark)
    return frozenset(found)


def _plain(word: str) -> str:
    if _NUMBER.fullmatch(word):
        number = Decimal(word).copy_abs().normalize()
        return f"{number:f}" if len(number.as_tuple().digits) >= _DIGITS else ""
    return "" if len(word) < _LENGTH or _TIME.fullmatch(word) else word


def answer_texts(answer: Any) -> list[str]:
    """Everything an answer tells: headers, cookies, body."""
    headers = [str(value) for name, value in answer.headers.items() if name != "X-Request-ID"]
    return [*headers, answer.cookies.output(), answer.content.decode("utf-8", "replace")]


def _marks_of_rows(person: Person) -> Marks:
    return marks(_texts(row for table in owned_tables() for row in _owned(table, person)))


def _marks_of_answers(person: Person) -> Marks:
    """Sums and ratios are in no table."""
    found: list[str] = [person.access_token, person.refresh_token]
    for operation in operations():
        recipe = RECIPES.get(str(operation))
        if recipe and operation.method == "get":
            path = operation.path.format(**{k: v or 0 for k, v in recipe.path(person).items()})
            found += answer_texts(person.client.get(path, recipe.query))
    return marks(found)


def _texts(found: Iterable[dict[str, Any]]) -> Iterable[str]:
    for row in found:
        for value in row.values():
            if isinstance(value, memoryview | bytes):
                yield bytes(value).hex()
            elif not isinstance(value, datetime):
                yield str(value)


def _owned(table: str, person: Person) -> list[dict[str, Any]]:
    with as_table_owner():
        return rows(table, person.id)


def _shared_rows() -> Iterable[dict[str, Any]]:
    with as_table_owner(), connection.cursor() as cursor:
        for table in sorted(SHARED):
            cursor.execute(f"SELECT to_jsonb(t)::text AS row FROM {table} t")
            for (row,) in cursor.fetchall():
                yield {"row": row}


def owned_tables() -> list[str]:
    return [table for table in catalogue.read().tables if table not in SHARED]


def _values(person: Person) -> dict[str, list[Any]]:
    """Of each column two values, the first and the last row's."""
    found: dict[str, list[Any]] = defaultdict(list)
    for table in owned_tables():
        owned = _owned(table, person)
        for row in owned[:1] + owned[-1:]:
            for name, value in row.items():
                if isinstance(value, UUID):
                    found["uuid"].append(value)
                    found["text"].append(str(value))
                elif isinstance(value, int) and not isinstance(value, bool) and name.endswith("id"):
                    found["integer"].append(value)
                    found["text"].append(str(value))
                elif isinstance(value, str) and value:
                    found["text"].append(value)
    return {kind: sorted(set(values), key=str) for kind, values in found.items()}


def checksums(
    people: Sequence[Person], tables: Iterable[str], *, but: Collection[str] = ()
) -> dict[str, str]:
    """A digest of the people's rows by person and table, without the tables and columns `but`."""
    parts = [
        f"SELECT '{person.name}''s {table}',"
        " md5(string_agg((to_jsonb(t) - %(but)s::text[])::text, '' ORDER BY t::text))"
        f" FROM {table} t WHERE {condition(table, person.name)}"
        for person in people
        for table in tables
        if table not in but
    ]
    if not parts:
        return {}
    owners = {person.name: person.id for person in people}
    with as_table_owner(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), {**owners, "but": sorted(but)})
        return dict(cursor.fetchall())


@contextmanager
def watching_writes() -> Iterator[set[str]]:
    """Our tables with an owner that the block inserted into, updated or deleted from, in whatever way."""
    seen: set[str] = set()
    before = _row_changes()
    yield seen
    seen |= {table for table, count in _row_changes().items() if count != before.get(table)} & set(
        owned_tables()
    )


def _row_changes() -> dict[str, int]:
    """How many there were in this transaction, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return dict(cursor.fetchall())
