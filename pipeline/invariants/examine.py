"""Every rule examined over all owners' rows, through the system door."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection

from core.django import tenancy
from pipeline.invariants import books, days, facts, people
from pipeline.invariants.rule import Rule
from portfolio.accounting.reconstruction import TOLERANCE

PLACE: Final = "verify-invariants"
SHOWN: Final = 5
"""Rows of a broken rule that are told."""
_TABLES: Final = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
JOIN pg_attribute u ON u.attrelid = c.oid AND u.attname = 'user_id'
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped ORDER BY 1
"""
# Rows by the statistics: what nobody may see is counted in them all the same.
_KNOWN: Final = "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = %s"


@dataclass(frozen=True, slots=True)
class Examined:
    """A rule with the first rows that break it. `is_blind`: there are rows, and none of them was seen."""

    name: str
    rows: int
    broken: list[dict[str, Any]]
    is_blind: bool

    @property
    def holds(self) -> bool:
        return not self.broken and not self.is_blind


def examine() -> Iterator[Examined]:
    """One rule after the other. Opens the system door, which must not be open yet."""
    with tenancy.as_system(PLACE):
        for rule in rules():
            yield _examine(rule)


def rules() -> list[Rule]:
    """All of them, those of every owned table among them."""
    owned = [
        Rule(
            f"rows of {table} belong to their account's owner",
            table,
            f"SELECT t.* FROM {table} t JOIN credentials_exchangeaccount a ON a.id = t.account_id"
            " WHERE a.user_id IS DISTINCT FROM t.user_id",
        )
        for table in _owned()
    ]
    return [*facts.RULES, *books.RULES, *days.RULES, *people.RULES, *owned]


def _owned() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [table for (table,) in cursor.fetchall()]


def _examine(rule: Rule) -> Examined:
    scope: dict[str, Any] = {"cash": sorted(settings.CASH_ASSETS), "tolerance": TOLERANCE}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {rule.table}")
        (rows,) = cursor.fetchone() or (0,)
        cursor.execute(_KNOWN, [rule.table])
        (known,) = cursor.fetchone() or (0,)
        cursor.execute(f"SELECT * FROM ({rule.broken}) broken LIMIT {SHOWN}", scope)
        names = [column.name for column in cursor.description or ()]
        broken = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return Examined(rule.name, rows, broken, is_blind=not rows and known > 0)
