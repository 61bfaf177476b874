"""Commands that change or empty tables work as the log-in role; everything else takes `cgt_app` (config.settings)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def owner(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """The connection as the log-in role for the block; afterwards as the application's role again."""
    connection = connections[alias]
    role = connection.settings_dict["OPTIONS"].pop("assume_role", None)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    try:
        yield connection
    finally:
        if role is not None:
            connection.settings_dict["OPTIONS"]["assume_role"] = role
            if not connection.in_atomic_block:
                connection.close()  # the next one takes the role, if it exists by then
