"""Events of the audit trail that are no row changes: log-ins, decryption, exports, refused access."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from core.django import auditing


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
    SYSTEM_DOOR = auditing.SYSTEM_DOOR
    IMPORT = "import"
    KEYS_ROTATED = "keys rotated"


def record(
    action: Action, *, user_id: UUID | None = None, table: str = "", record_id: str = "", **details: Any
) -> None:
    """One event, ascribed to the current actor. It commits with the transaction around it, if there is one:
    what must survive a refusal is recorded before that transaction or after it was rolled back. `details` are
    plain values without secrets or e-mails."""
    auditing.record(action.value, user_id=user_id, table=table, record_id=record_id, details=details)
