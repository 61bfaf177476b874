"""Sessions and API tokens that open something, with their users: the look-up that every request makes.

One constant statement, prepared once for each connection: the ORM takes several times longer to build it, and the
server to plan it, than it takes to answer. What comes back are whole rows, as the ORM would have made them.
"""

from datetime import datetime
from functools import cache
from typing import Final, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.models import ApiToken, Session, User
from core.django import prepared

_Way = TypeVar("_Way", Session, ApiToken)

# As `sessions.living`: not ended, not over, of somebody who is still there.
_FIND: Final = """
SELECT {columns} FROM {table} JOIN accounts_user ON accounts_user.id = {table}.user_id
WHERE {table}.{key} = %s AND {table}.revoked_at IS NULL AND {table}.expires_at > %s
  AND accounts_user.is_active AND NOT accounts_user.is_deleted
"""


def find_session(session_id: UUID, *, at: datetime) -> Session | None:
    """The living session of an id, of the API or the pages."""
    return _find(Session, key="id", value=session_id, at=at)


def find_token(token_hash: bytes, *, at: datetime) -> ApiToken | None:
    """The living API token of a hash."""
    return _find(ApiToken, key="token_hash", value=token_hash, at=at)


def _find(model: type[_Way], *, key: str, value: UUID | bytes, at: datetime) -> _Way | None:
    with prepared.cursor() as cursor:
        cursor.execute(_statement(model, key), [value, at])
        row = cursor.fetchone()
    if row is None:
        return None
    names = _names(model)
    way = model.from_db(connection.alias, names, row[: len(names)])
    way.user = User.from_db(connection.alias, _names(User), row[len(names) :])
    return way


@cache
def _statement(model: type[Model], key: str) -> str:
    columns = [
        f"{kind._meta.db_table}.{field.column}"
        for kind in (model, User)
        for field in kind._meta.concrete_fields
    ]
    return _FIND.format(columns=", ".join(columns), table=model._meta.db_table, key=key)


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
