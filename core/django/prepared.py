"""Cursors whose statements the server has read and planned once for each connection, for what every request asks.

Django's own cursors put the values into the text, so that PostgreSQL reads and plans it anew each time: for a look-up
by key that takes several times longer than the look-up. Statements must be constant texts, with `%s` for the values,
and name their columns, so that a new column of a table does not change what they answer.
"""

from contextlib import AbstractContextManager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg import Connection, Cursor


class _Logged(CursorDebugWrapper):
    """Notes the constant text: the driver does not keep what it sent of a prepared statement."""

    def debug_sql(
        self, sql: Any = None, params: Any = None, use_last_executed_query: bool = False, many: bool = False
    ) -> AbstractContextManager[None]:
        return super().debug_sql(sql, params, use_last_executed_query=False, many=many)


def cursor() -> CursorWrapper:
    """As `connection.cursor()`: the same checks, errors, wrappers and log of queries."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    driver: Connection[Any] = connection.connection
    driver.prepare_threshold = 0  # at the first use; Django's own cursors never prepare
    wrapper: Any = _Logged if connection.queries_logged else CursorWrapper
    wrapped: CursorWrapper = wrapper(Cursor(driver), connection)
    return wrapped
