"""Many rows in few statements: one JSON array a statement, unfolded by PostgreSQL.

COPY is refused on tables with row-level security, and staging in temporary tables costs milliseconds of catalogue
work each time; a JSON array of some thousand rows is as fast as COPY and INSERT … SELECT, and as cheap for three rows.
Amounts travel as text and are never rounded: what does not fit its column raises InvalidAmount. Table, column and
SQL arguments come from code, never from outside.
"""

import decimal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection, transaction

from core.money import InvalidAmount

CHUNK: Final = 2000  # rows a statement
_NUMERIC_HEADER: Final = 4  # PostgreSQL's offset in a numeric's type modifier

Row = Sequence[Any]


class _Column(NamedTuple):
    type: str
    precision: int  # of numeric(precision, scale); 0 for other types
    scale: int


def upsert(
    *,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Row],
    key: Sequence[str],
    update: Sequence[str] | Mapping[str, str] = (),
    where: str = "",
    returning: Sequence[str] = (),
    fixed: Mapping[str, Any] | None = None,
    stamps: Sequence[str] = (),
    summary: str = "SELECT * FROM written",
) -> list[tuple[Any, ...]]:
    """Insert rows; a row whose `key` is stored already updates it.

    `update` names the columns to bring up to date where one differs and `where`, SQL over `stored` and `excluded`,
    holds; or it maps columns to such SQL, and `where` alone decides; empty, the stored row stays. `fixed` columns
    have one value for all rows, `stamps` are set to the transaction's time. Answers what `summary` selects from
    `written`: one row for each row inserted or changed, (inserted, *returning). A key given twice is written twice,
    in the order given.
    """
    constants = dict(fixed or {})
    statement = _upsert_statement(
        table, columns, key, update, where, returning, tuple(constants), stamps, summary
    )
    places = [columns.index(name) for name in key if name not in constants]
    written: list[tuple[Any, ...]] = []
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for chunk in _chunks(rows, places):
            cursor.execute(statement, [encode(table, columns, chunk), *constants.values()])
            written += cursor.fetchall()
    return written


def update(*, table: str, columns: Sequence[str], rows: Iterable[Row], key: Sequence[str]) -> int:
    """Set the columns of stored rows that differ; answers how many. Rows whose key is not stored are passed over."""
    values = [name for name in columns if name not in key]
    statement = f"""
        WITH given AS MATERIALIZED ({staged(table, columns)})
        UPDATE {table} AS stored SET {", ".join(f"{name} = given.{name}" for name in values)}
        FROM given WHERE {same_key(key)} AND {_differs(values, "given")}
    """
    changed = 0
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for chunk in _chunks(rows, [columns.index(name) for name in key]):
            cursor.execute(statement, [encode(table, columns, chunk)])
            changed += cursor.rowcount
    return changed


def staged(table: str, columns: Sequence[str]) -> str:
    """The SELECT that unfolds `encode(table, columns, rows)`, its one parameter, in the table's types.

    Joined to a table with row-level security it must be MATERIALIZED: the policy is checked before functions that
    are not leakproof, such as `->>`, and so an index is entered by plain columns only.
    """
    types = _columns(table)
    values = ", ".join(
        f"NULLIF(item->{place}, 'null') AS {name}"
        if types[name].type == "jsonb"
        else f"(item->>{place})::{types[name].type} AS {name}"
        for place, name in enumerate(columns)
    )
    return f"SELECT {values} FROM jsonb_array_elements(%s::jsonb) AS item"


def encode(table: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Rows as a JSON array. Raises InvalidAmount where a numeric column would have to round or overflow."""
    types = _columns(table)
    for place, name in enumerate(columns):
        if types[name].precision:
            _require_exact((row[place] for row in rows), types[name], f"{table}.{name}")
    return _ENCODER.encode(rows).decode()


def same_key(key: Sequence[str]) -> str:
    """The condition that joins `given` and `stored` rows."""
    return " AND ".join(f"stored.{name} = given.{name}" for name in key)


@cache
def _columns(table: str) -> Mapping[str, _Column]:
    """The columns of a table, read once in a process."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL), CASE WHEN atttypid = 'numeric'::regtype THEN atttypmod END"
            " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        return {name: _column(kind, modifier) for name, kind, modifier in cursor.fetchall()}


def _column(kind: str, modifier: int | None) -> _Column:
    if modifier is None or modifier < 0:
        return _Column(kind, 0, 0)
    return _Column(kind, *divmod(modifier - _NUMERIC_HEADER, 1 << 16))


def _require_exact(values: Iterable[Any], column: _Column, where: str) -> None:
    step = Decimal(1).scaleb(-column.scale)
    exact = Context(prec=column.precision, traps=[decimal.Inexact, decimal.InvalidOperation])
    for value in values:
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise InvalidAmount(f"{where} takes a Decimal, not {type(value).__name__}.")
        try:
            fits = not exact.quantize(value, step).is_nan()
        except (decimal.Inexact, decimal.InvalidOperation):
            fits = False
        if not fits:
            raise InvalidAmount(
                f"{value!s:.60} does not fit {where}: {column.precision} digits, {column.scale} of them decimals."
            )


def _chunks(rows: Iterable[Row], key_places: Sequence[int]) -> Iterator[list[Row]]:
    """Lists of at most CHUNK rows; no key twice in one list, as a statement may touch a stored row only once."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        while chunk:
            first: dict[tuple[Any, ...], Row] = {}
            repeated = []
            for row in chunk:
                name = tuple(row[place] for place in key_places)
                if name in first:
                    repeated.append(row)
                else:
                    first[name] = row
            yield list(first.values())
            chunk = repeated


def _upsert_statement(
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    update: Sequence[str] | Mapping[str, str],
    where: str,
    returning: Sequence[str],
    fixed: Sequence[str],
    stamps: Sequence[str],
    summary: str,
) -> str:
    """Rows are written in the order of their keys, so that two writers never wait for each other crosswise."""
    types = _columns(table)
    targets = [*columns, *fixed, *stamps]
    values = [*columns, *(f"%s::{types[name].type}" for name in fixed), *("now()" for _ in stamps)]
    ordered = [name for name in key if name in columns]
    return f"""
        WITH given AS ({staged(table, columns)}), written AS (
          INSERT INTO {table} AS stored ({", ".join(targets)})
          SELECT {", ".join(values)} FROM given ORDER BY {", ".join(ordered)}
          ON CONFLICT ({", ".join(key)}) {_action(update, where, stamps)}
          RETURNING (stored.xmax = 0) AS inserted{"".join(f", stored.{name}" for name in returning)}
        ) {summary}
    """


def _action(update: Sequence[str] | Mapping[str, str], where: str, stamps: Sequence[str]) -> str:
    if not update:
        return "DO NOTHING"
    if isinstance(update, Mapping):
        changes, conditions = dict(update), [where]
    else:
        changes = {name: f"excluded.{name}" for name in update}
        conditions = [where, _differs([name for name in update if name not in stamps], "excluded")]
    condition = " AND ".join(f"({each})" for each in conditions if each)
    assignments = ", ".join(f"{name} = {value}" for name, value in changes.items())
    return f"DO UPDATE SET {assignments}" + (f" WHERE {condition}" if condition else "")


def _differs(names: Sequence[str], other: str) -> str:
    stored = ", ".join(f"stored.{name}" for name in names)
    given = ", ".join(f"{other}.{name}" for name in names)
    return f"ROW({stored}) IS DISTINCT FROM ROW({given})"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string")
