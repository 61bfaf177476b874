"""Sealing everything anew with the primary key, while readers and writers go on.

Each batch is a transaction of its own: a row is locked (rows that others hold are left for a later pass), opened,
sealed anew and written where it still reads as it was opened. What is done is told by the rows themselves, so a
killed run loses nothing and the next one goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from core.django import sealing, tenancy
from core.vault import VaultError

PLACE: Final = "key-rotation"
_FIRST: Final = UUID(int=0)
_PASSES: Final = 5  # the first takes almost all; the others what somebody held just then

Progress: TypeAlias = Callable[[int], object]  # rows sealed anew by a batch


@dataclass(slots=True)
class Report:
    """What became of each table's rows, and how many values each key holds now."""

    primary: str
    rotated: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    """Rows still sealed with another key."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Those of them that do not open: changed, moved, or sealed with a key that is not in the ring."""
    values_by_key: Counter[str] = field(default_factory=Counter)
    removable: list[str] = field(default_factory=list)
    """Keys of the ring that nothing here is sealed with any more; old backups may be."""
    missing: list[str] = field(default_factory=list)
    """Keys that something is sealed with and that are not in the ring."""


@dataclass(frozen=True, slots=True)
class _Batch:
    last: UUID
    seen: int
    rotated: int
    unreadable: int


def rotate(*, batch: int, progress: Progress = lambda rows: None) -> Report:
    """Seal every row that another key than the primary holds anew. Opens its own doors."""
    report = _new_report()
    for model in sealing.sealed_models():
        for _ in range(_PASSES):
            rotated, unreadable = _pass(model, batch, progress)
            report.rotated[model._meta.db_table] += rotated
            report.unreadable[model._meta.db_table] = unreadable
            if _count_left(model) <= unreadable:
                break
    return _completed(report)


def survey(*, batch: int) -> Report:
    """What `rotate` would find: every row of another key is opened, nothing is written. Opens its own doors."""
    report = _new_report()
    for model in sealing.sealed_models():
        after, unreadable = _FIRST, 0
        while True:
            with tenancy.as_system(PLACE):
                rows = list(_old_rows(model, after, batch, lock=False))
            unreadable += sum(_opened(model, row) is None for row in rows)
            if len(rows) < batch:
                break
            after = rows[-1]["id"]
        report.unreadable[model._meta.db_table] = unreadable
    return _completed(report)


def _pass(model: type[Model], batch: int, progress: Progress) -> tuple[int, int]:
    """Once through a table by id; rows sealed anew, and rows that do not open."""
    after, rotated, unreadable = _FIRST, 0, 0
    while True:
        done = _rotate_batch(model, after, batch)
        after, rotated, unreadable = done.last, rotated + done.rotated, unreadable + done.unreadable
        progress(done.rotated)
        if done.seen < batch:
            return rotated, unreadable


def _rotate_batch(model: type[Model], after: UUID, size: int) -> _Batch:
    table, rotated, unreadable = model._meta.db_table, 0, 0
    with tenancy.as_system(PLACE):
        rows = list(_old_rows(model, after, size, lock=True))
        for row in rows:
            fresh = _sealed_anew(model, row)
            if fresh is None:
                unreadable += 1
            else:
                rotated += _replace(model, row, fresh)
        if rotated:
            audit.record(audit.Action.KEYS_ROTATED, table=table, rows=rotated, key=sealing.ring().primary)
    return _Batch(rows[-1]["id"] if rows else after, len(rows), rotated, unreadable)


def _old_rows(model: type[Model], after: UUID, limit: int, *, lock: bool) -> Iterator[dict[str, Any]]:
    """Rows with a value of another key, by id. Locked ones stay this transaction's; those others hold are left out."""
    columns = sealing.columns(model)
    sql = (
        f"SELECT id, user_id, {', '.join(columns)} FROM {model._meta.db_table}"
        f" WHERE id > %s AND NOT ({_is_current(columns)}) ORDER BY id LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql + (" FOR UPDATE SKIP LOCKED" if lock else ""), [after, *_current_prefix(columns), limit]
        )
        names = ("id", "user_id", *columns)
        return iter([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])


@sensitive_variables("texts")
def _sealed_anew(model: type[Model], row: Mapping[str, Any]) -> dict[str, str] | None:
    """The row's columns under the primary key; None when one of them does not open."""
    texts = _opened(model, row)
    if texts is None:
        return None
    ring = sealing.ring()
    return {
        column: row[column]
        if ring.is_current(row[column])
        else ring.seal(text, sealing.place(model, row=row["id"], user=row["user_id"], column=column))
        for column, text in texts.items()
    }


@sensitive_variables()
def _opened(model: type[Model], row: Mapping[str, Any]) -> dict[str, str] | None:
    try:
        return {
            column: sealing.ring().open(
                row[column], sealing.place(model, row=row["id"], user=row["user_id"], column=column)
            )
            for column in sealing.columns(model)
        }
    except VaultError:
        return None


def _replace(model: type[Model], row: Mapping[str, Any], fresh: Mapping[str, str]) -> int:
    """Write the new texts where the old ones still stand; answers how many rows that were."""
    values = ", ".join(f"{column} = %s" for column in fresh)
    unchanged = " AND ".join(f"{column} = %s" for column in fresh)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {values} WHERE id = %s AND {unchanged}",
            [*fresh.values(), row["id"], *(row[column] for column in fresh)],
        )
        replaced: int = cursor.rowcount
    return replaced


def _completed(report: Report) -> Report:
    """With what is left, counted anew: writers went on meanwhile."""
    for model in sealing.sealed_models():
        report.left[model._meta.db_table] = _count_left(model)
        report.values_by_key.update(_values_by_key(model))
    ring = sealing.ring().key_ids
    report.removable = [key for key in ring if key != report.primary and not report.values_by_key[key]]
    report.missing = sorted(key for key in report.values_by_key if key not in ring)
    return report


def _new_report() -> Report:
    return Report(primary=sealing.ring().primary)


def _count_left(model: type[Model]) -> int:
    columns = sealing.columns(model)
    sql = f"SELECT count(*) FROM {model._meta.db_table} WHERE NOT ({_is_current(columns)})"
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(sql, _current_prefix(columns))
        count: int = cursor.fetchone()[0]
        return count


def _values_by_key(model: type[Model]) -> dict[str, int]:
    values = " UNION ALL ".join(
        f"SELECT {column} AS value FROM {model._meta.db_table}" for column in sealing.columns(model)
    )
    sql = f"SELECT split_part(value, ':', 2), count(*) FROM ({values}) AS sealed GROUP BY 1"
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def _is_current(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"starts_with({column}, %s)" for column in columns)


def _current_prefix(columns: tuple[str, ...]) -> list[str]:
    return [sealing.ring().prefix] * len(columns)
