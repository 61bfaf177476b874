"""The audit trail: recording events that are no row changes, and reading a user's own entries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from accounts.models import AuditLog
from core.django import auditing, tenancy
from core.django.actors import ActorKind
from core.django.cursors import Place, cut

ROW_CHANGES: Final = ("INSERT", "UPDATE", "DELETE")
MOST: Final = 200  # entries a page


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
    ORDER_ANNOTATED = "order annotated"
    KEYS_ROTATED = "keys rotated"
    RECOVERY_CODES_RENEWED = "recovery codes renewed"
    RECOVERY_CODE_USED = "recovery code used"


def record(
    action: Action, *, user_id: UUID | None = None, table: str = "", record_id: str = "", **details: Any
) -> None:
    """One event, ascribed to the current actor. It commits with the transaction around it, if there is one:
    what must survive a refusal is recorded before that transaction or after it was rolled back. `details` are
    plain values without secrets or e-mails."""
    auditing.record(action.value, user_id=user_id, table=table, record_id=record_id, details=details)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as its owner sees it. Where an operator looked from is not the user's to know."""

    id: int
    created_at: datetime
    action: str
    table_name: str
    record_id: str
    actor_kind: str
    is_own: bool
    token_id: UUID | None
    request_id: str
    ip_address: str | None
    user_agent: str
    old_values: dict[str, Any] | None
    new_values: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page:
    results: list[Entry]
    next_cursor: str | None


def page(
    *,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """Entries about the open door's owner in [since, until), newest first. Raises Invalid for a cursor of nobody."""
    asked = {"action": action, "created_at__gte": since, "created_at__lt": until}
    rows = AuditLog.objects.filter(**{name: value for name, value in asked.items() if value is not None})
    if cursor is not None:
        rows = rows.filter(id__lt=Place.read(cursor).id)
    found = list(rows.order_by("-id")[: limit + 1])
    shown, following = cut(found, limit, lambda row: Place(row.created_at, row.id))
    return Page(results=[_entry(row) for row in shown], next_cursor=following)


def _entry(row: AuditLog) -> Entry:
    by_operator = row.actor_kind == ActorKind.OPERATOR
    return Entry(
        id=row.id,
        created_at=row.created_at,
        action=row.action,
        table_name=row.table_name,
        record_id=row.record_id,
        actor_kind=row.actor_kind,
        is_own=row.actor_id == tenancy.current_owner(),
        token_id=row.token_id,
        request_id=row.request_id,
        ip_address=None if by_operator else row.ip_address,
        user_agent="" if by_operator else row.user_agent,
        old_values=row.old_values,
        new_values=row.new_values,
    )
