"""When sessions, tokens and users were last here, kept to the minute: at most one write a minute, none in between."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from accounts.models import ApiToken, Session

_MINUTE: Final = timedelta(minutes=1)

# Of parallel requests, one writes.
_NOTE: Final = """
WITH way AS (
  UPDATE {table} SET last_used_at = %(at)s
  WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(stale)s)
)
UPDATE accounts_user SET seen_at = %(at)s
WHERE id = %(user_id)s AND (seen_at IS NULL OR seen_at <= %(stale)s)
"""


def note(way: Session | ApiToken, at: datetime) -> None:
    """Note the use of a session or a token, and that its user is here: it sets the pace of the sync."""
    seen_at = way.user.seen_at
    if way.last_used_at and at - way.last_used_at < _MINUTE and seen_at and at - seen_at < _MINUTE:
        return
    values: dict[str, Any] = {"at": at, "stale": at - _MINUTE, "id": way.id, "user_id": way.user_id}
    with connection.cursor() as cursor:
        cursor.execute(_NOTE.format(table=way._meta.db_table), values)
    way.last_used_at = way.user.seen_at = at
