"""Events of the audit trail that are no row changes: log-ins, decryption, exports, refused access."""

from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from core.django import actors

_EVENT: Final = "SELECT cgt_audit_event(%s, %s, %s, %s, NULL, %s::jsonb)"


class Action(StrEnum):
    """What is recorded besides INSERT, UPDATE and DELETE."""

    LOG_IN = "log-in"
    LOG_IN_REFUSED = "log-in refused"
    LOG_OUT = "log-out"
    SESSION_REVOKED = "session revoked"
    TOKEN_REUSED = "refresh token reused"  # noqa: S105  (no password)
    STEP_UP = "step-up"
    DECRYPT = "decrypt"
    EXPORT = "export"
    ACCESS_REFUSED = "access refused"
    SYSTEM_DOOR = "system door"
    IMPORT = "import"
    KEYS_ROTATED = "keys rotated"


def record(
    action: Action, *, user_id: UUID | None = None, table: str = "", record_id: str = "", **details: Any
) -> None:
    """One event, ascribed to the current actor. It commits with the transaction around it, if there is one:
    what must survive a refusal is recorded before that transaction or after it was rolled back. `details` are
    plain values without secrets or e-mails."""
    values = msgspec.json.encode(details).decode() if details else None
    with actors.stamped(), connection.cursor() as cursor:
        cursor.execute(_EVENT, [user_id, action.value, table, record_id, values])
