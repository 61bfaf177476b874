"""Rows of single tables: the database writes their numbers and times as text, exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Expression, F, Func, Model, QuerySet, TextField

from portfolio.exports.tables import Row, Table, Type

CHUNK: Final = 2_000  # rows the server's cursor hands over at a time
Field = tuple[str, Type, str | Expression]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for: accounts, and a span of time, [since, until). `currency` is the user's."""

    account_ids: tuple[UUID, ...]
    since: datetime | None
    until: datetime | None
    currency: str

    def within(self, moment: str, account: str = "account_id") -> dict[str, Any]:
        """The selection as filters of a queryset, by the field with the moment."""
        asked = {
            f"{account}__in": self.account_ids,
            f"{moment}__gte": self.since,
            f"{moment}__lt": self.until,
        }
        return {name: value for name, value in asked.items() if value is not None}


class Section:
    """Columns over a queryset, read by a cursor of the open transaction."""

    def __init__(self, record: str, *fields: Field) -> None:
        self.table = Table(record, tuple((name, kind) for name, kind, _ in fields))
        self._expressions = [_expression(kind, source) for _, kind, source in fields]

    def rows(self, queryset: QuerySet[Any]) -> Iterator[Row]:
        """In the queryset's order."""
        yield from queryset.values_list(*self._expressions).iterator(chunk_size=CHUNK)


def text(name: str, source: str | Expression = "") -> Field:
    return name, Type.TEXT, source or name


def amount(name: str, source: str | Expression = "") -> Field:
    return name, Type.AMOUNT, source or name


def time(name: str, source: str | Expression = "") -> Field:
    return name, Type.TIME, source or name


def integer(name: str, source: str | Expression = "") -> Field:
    return name, Type.INTEGER, source or name


def flag(name: str, source: str | Expression = "") -> Field:
    return name, Type.FLAG, source or name


def listed(name: str, source: str | Expression = "") -> Field:
    return name, Type.LIST, source or name


def mapped(name: str, source: str | Expression = "") -> Field:
    return name, Type.OBJECT, source or name


# What every row of an account says of it.
OF_ACCOUNT: Final = (text("account", "account__label"), text("exchange", "account__exchange"))
_TEMPLATES: Final = {
    Type.AMOUNT: "trim_scale(%(expressions)s)::text",
    Type.OBJECT: "(%(expressions)s)::text",
    Type.TIME: """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}


def day(source: str) -> Expression:
    """A date as text."""
    return Func(F(source), template="to_char(%(expressions)s, 'YYYY-MM-DD')", output_field=TextField())


def _expression(kind: Type, source: str | Expression) -> str | Expression:
    template = _TEMPLATES.get(kind)
    if template is None:
        return source
    inner = F(source) if isinstance(source, str) else source
    return Func(inner, template=template, output_field=TextField())


def in_order(model: type[Model], selection: Selection, moment: str) -> QuerySet[Any]:
    """The selected rows of a model, oldest first."""
    rows: QuerySet[Any] = model.objects.filter(**selection.within(moment))  # type: ignore[attr-defined]
    return rows.order_by(moment, "id")
