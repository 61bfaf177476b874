"""A valid row of any table, made from the catalogue alone: new tables need a line here only where CHECKs are peculiar.

Required columns get a value of their type, those with a list of known values its first; foreign keys point to a
specimen of the parent. Owned rows of one `Specimens` belong to one new user.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from psycopg.types.json import Jsonb

from tests.conftest import NOW
from tests.security import catalogue
from tests.security.catalogue import Column

Row = dict[str, Any]

FRESH: Final = object()
# What the types' defaults would not satisfy; FRESH fills in what may be null.
PECULIAR: Final[Mapping[str, Row]] = {
    "accounts_apitoken": {"expires_at": NOW + timedelta(days=1), "created_at": NOW},
    "credentials_exchangeaccount": {"is_active": True},
    "orders_fill": {"market_type": "spot"},
    "pipeline_coveragegap": {"since": NOW, "until": NOW + timedelta(days=1)},
    "portfolio_book": {"market_type": "spot"},
    "portfolio_fee": {"fill_id": FRESH},
    "portfolio_position": {"opening_fill_id": FRESH},
    "portfolio_reconciliationitem": {"difference": 0},
    "portfolio_trade": {"market_type": "spot", "side": "LONG", "gross_pnl": 0, "funding": 0, "net_pnl": -2},
}
KNOWN_VALUES: Final = re.compile(r"ANY \(\(?ARRAY\['([^']*)'")
_numbers = count(1000)


class Specimens:
    """Rows of one new owner, inserted on demand; each table has at most one that children hang on."""

    def __init__(self, owner: uuid.UUID | None = None) -> None:
        self.catalogue = catalogue.read()
        self.owner = owner or uuid.uuid4()
        self._rows: dict[str, Row] = {}

    def adopt(self, table: str, row: Row) -> None:
        """Let children refer to a row that is stored already."""
        self._rows[table] = row

    def of(self, table: str) -> Row:
        """The stored row that children of this owner refer to."""
        if table not in self._rows:
            self._rows[table] = insert(table, self.row(table))
        return self._rows[table]

    def row(self, table: str, **values: Any) -> Row:
        """A row that could be stored; what it refers to is."""
        row = {
            column.name: fresh(column)
            for column in self.catalogue.columns[table]
            if column.is_required and not column.has_default
        }
        row |= self._known(table) | self._parents(table) | PECULIAR.get(table, {}) | values
        if table == "accounts_user" and "id" not in values:
            row["id"] = self.owner
        return {
            name: fresh(self.catalogue.column(table, name)) if value is FRESH else value
            for name, value in row.items()
        }

    def _known(self, table: str) -> Row:
        """The first known value of each required column that has a list of them."""
        checks = [one for one in self.catalogue.of_table[table] if one.kind == "c" and len(one.columns) == 1]
        found = {one.columns[0]: KNOWN_VALUES.search(one.definition) for one in checks}
        return {
            name: match[1]
            for name, match in found.items()
            if match and self.catalogue.column(table, name).is_required
        }

    def _parents(self, table: str) -> Row:
        values: Row = {}
        if any(column.name == "user_id" for column in self.catalogue.columns[table]):
            values["user_id"] = self.owner  # also where no foreign key says so
        for key in self.catalogue.of_table[table]:
            required = [self.catalogue.column(table, name).is_required for name in key.columns]
            if key.kind == "f" and all(required):
                parent = self.of(key.parent)
                values |= {
                    name: parent[theirs] for name, theirs in zip(key.columns, key.parent_columns, strict=True)
                }
        return values


def insert(table: str, row: Row) -> Row:
    """The row as stored, defaults included."""
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(["%s"] * len(row))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING *",
            [_sendable(v) for v in row.values()],
        )
        stored = cursor.fetchone()
        assert stored is not None
        return dict(zip([column.name for column in cursor.description or ()], stored, strict=True))


def fresh(column: Column) -> Any:
    """A value of the column's type that no row has yet."""
    number = next(_numbers)
    if column.type in ("varchar", "text", "bpchar"):
        return str(number)[-column.length :] if column.length else str(number)
    return _BY_TYPE[column.type](number)


_BY_TYPE: Final[dict[str, Any]] = {
    "uuid": lambda _: uuid.uuid4(),
    "int2": lambda number: number,
    "int4": lambda number: number,
    "int8": lambda number: number,
    "numeric": lambda _: Decimal(1),
    "bool": lambda _: False,
    "timestamptz": lambda number: NOW + timedelta(seconds=number),
    "date": lambda number: date(2020, 1, 1) + timedelta(days=number),
    "interval": lambda number: timedelta(seconds=number),
    "jsonb": lambda _: {},
    "bytea": lambda number: number.to_bytes(32),
    "inet": lambda number: f"10.0.{number // 256 % 256}.{number % 256}",
}


def _sendable(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


@contextmanager
def undone() -> Iterator[Specimens]:
    """Specimens of a new owner; nothing of the block stays."""
    try:
        with transaction.atomic():
            yield Specimens()
            raise _Undo
    except _Undo:
        pass


class _Undo(Exception):
    pass


def refusal(action: Any, *arguments: Any) -> str:
    """The name of the rule (of NOT NULL: the column, else the error) that refused; "" if nothing did."""
    try:
        with transaction.atomic():
            action(*arguments)
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET CONSTRAINTS ALL DEFERRED")
    except DatabaseError as error:
        diagnostics = error.__cause__.diag  # type: ignore[union-attr]
        return str(diagnostics.constraint_name or diagnostics.column_name or diagnostics.message_primary)
    return ""


def execute(statement: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed
