"""What the database itself says of its tables: columns, constraints, triggers and policies."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.db import connection

FRAMEWORK: Final = ("django_", "auth_")
"""Prefixes of tables that Django's own applications made."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    length: int | None
    is_required: bool
    has_default: bool


@dataclass(frozen=True, slots=True)
class Constraint:
    """`kind`: c check, f foreign key, n not null, p primary key, u unique (also a bare unique index)."""

    table: str
    name: str
    kind: str
    columns: tuple[str, ...]
    definition: str
    parent: str = ""
    parent_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    table: str
    name: str
    function: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    table: str
    name: str
    command: str
    roles: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    columns: dict[str, tuple[Column, ...]]
    constraints: tuple[Constraint, ...]
    triggers: tuple[Trigger, ...]
    policies: tuple[Policy, ...]
    walled: frozenset[str]
    """Tables with row-level security."""
    of_table: dict[str, list[Constraint]] = field(default_factory=lambda: defaultdict(list))

    @property
    def tables(self) -> list[str]:
        """Ours."""
        return sorted(table for table in self.columns if not table.startswith(FRAMEWORK))

    def ours(self, kinds: str) -> list[Constraint]:
        return [one for one in self.constraints if one.kind in kinds and one.table in self.tables]

    def column(self, table: str, name: str) -> Column:
        return next(column for column in self.columns[table] if column.name == name)


_COLUMNS: Final = """
SELECT c.relname, a.attname, t.typname, nullif(a.atttypmod, -1) - 4, a.attnotnull,
       a.atthasdef OR a.attidentity <> ''
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY c.relname, a.attnum
"""
_NAMES: Final = (
    "ARRAY(SELECT a.attname FROM unnest({keys}) WITH ORDINALITY AS u (number, place)"
    " JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.number ORDER BY u.place)::text[]"
)
_CONSTRAINTS: Final = f"""
SELECT c.relname, k.conname, k.contype::text, {_NAMES.format(keys="k.conkey", table="k.conrelid")},
       pg_get_constraintdef(k.oid), coalesce(p.relname, ''), {_NAMES.format(keys="k.confkey", table="k.confrelid")}
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class p ON p.oid = k.confrelid
 WHERE k.connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
# What an index is made of, its condition's columns included, are the columns it depends on.
_INDEXES: Final = """
SELECT t.relname, c.relname, 'u', array_agg(DISTINCT a.attname)::text[], pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
 WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
 GROUP BY 1, 2, 5
"""
_TRIGGERS: Final = """
SELECT c.relname, t.tgname, p.proname, string_to_array(encode(t.tgargs, 'escape'), '\\000')
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_POLICIES: Final = (
    "SELECT tablename, policyname, cmd, roles::text FROM pg_policies WHERE schemaname = 'public'"
)
_WALLED: Final = "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"


@cache
def read() -> Catalogue:
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, *properties in _rows(_COLUMNS):
        columns[table].append(Column(*properties))
    found = [*_rows(_CONSTRAINTS), *_rows(_INDEXES)]
    constraints = [
        Constraint(table, name, kind, tuple(names), definition, *(_parent(more) if more else ()))
        for table, name, kind, names, definition, *more in found
    ]
    catalogue = Catalogue(
        columns={table: tuple(found) for table, found in columns.items()},
        constraints=tuple(constraints),
        triggers=tuple(
            Trigger(table, name, function, tuple(arguments))
            for table, name, function, arguments in _rows(_TRIGGERS)
        ),
        policies=tuple(Policy(*row) for row in _rows(_POLICIES)),
        walled=frozenset(table for (table,) in _rows(_WALLED)),
    )
    for one in constraints:
        catalogue.of_table[one.table].append(one)
    return catalogue


def _parent(more: list[Any]) -> tuple[str, tuple[str, ...]]:
    table, columns = more
    return table, tuple(columns)


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
