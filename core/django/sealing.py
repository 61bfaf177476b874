"""Sealed columns: texts that stand in the database only encrypted, each bound to its table, row, user and column.

A model names its own in `SEALED`; whoever rotates keys finds them there.
"""

from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from core.vault import KeyRing, Place

ATTRIBUTE: Final = "SEALED"


def ring() -> KeyRing:
    """The keys of this server."""
    keys: KeyRing = settings.VAULT
    return keys


def place(model: type[Model], *, row: UUID, user: UUID, column: str) -> Place:
    """What a sealed text of a row is bound to."""
    return Place(table=model._meta.db_table, row=str(row), user=str(user), field=column)


def seal(row: Any, **plaintexts: str) -> None:
    """Set sealed columns of a row that has its id and user; it is not saved here.

    Empty texts are sealed like others, so that no secret can be taken away unnoticed either.
    """
    for column, text in plaintexts.items():
        if column not in columns(type(row)):
            raise TypeError(f"{column!r} is no sealed column of {type(row).__name__}.")
        bound = place(type(row), row=row.id, user=row.user_id, column=column)
        setattr(row, column, ring().seal(text, bound))


def unseal(row: Any, column: str) -> str:
    """The plaintext of a sealed column. Raises VaultError if it does not open in its place."""
    sealed: str = getattr(row, column)
    return ring().open(sealed, place(type(row), row=row.id, user=row.user_id, column=column))


def columns(model: type[Model]) -> tuple[str, ...]:
    """The sealed columns of a model; most have none."""
    named: tuple[str, ...] = getattr(model, ATTRIBUTE, ())
    return named


def sealed_models() -> list[type[Model]]:
    """Every model with sealed columns."""
    return [model for model in apps.get_models() if columns(model)]
