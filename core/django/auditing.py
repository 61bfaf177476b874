"""The audit trail's database side: a table that only grows, and triggers that fill it whoever writes.

`AuditTrail` makes the table append-only; `AuditedTable` has a table's changes recorded, bulk and raw SQL included.
Redacted columns are recorded as having changed, never with their values.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from core.django import actors, audit_sql

TABLE: Final = audit_sql.TABLE

SYSTEM_DOOR: Final = "system door"


def record(
    happening: str,
    *,
    user_id: UUID | None = None,
    table: str = "",
    record_id: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """One event, ascribed to the current actor; rooms have names for what happens in `accounts.audit.Action`."""
    values = msgspec.json.encode(details).decode() if details else None
    with actors.stamped(), connection.cursor() as cursor:
        cursor.execute(_RECORD, [user_id, happening, table, record_id, values])


def audited_tables() -> list[str]:
    """The tables whose changes are recorded, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgname = 'audited' AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY relname"
        )
        return [name for (name,) in cursor.fetchall()]


_RECORD: Final = "SELECT cgt_audit_event(%s, %s, %s, %s, NULL, %s::jsonb)"


class AuditTrail(Operation):
    """Make the audit table append-only and private to its owners; right after the table is created."""

    reversible = True
    atomic = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is part of a model's state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(audit_sql.TRAIL)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(audit_sql.NO_TRAIL)

    def describe(self) -> str:
        return "The audit trail"


class SealAuditTrail(Operation):
    """Let nobody but the owner's functions write the trail: a row's change by its trigger, an event by its name.

    Who may call the event function cannot write a row's change, another time, or an actor other than the
    transaction's; the roles need no right to INSERT any more, so they have none.
    """

    reversible = True
    atomic = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is part of a model's state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(audit_sql.SEAL)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(audit_sql.UNSEAL)

    def describe(self) -> str:
        return "The audit trail is written by its owner's functions alone"


class AuditedTable(Operation):
    """Record every change of a model's rows. `owner`: the column with the user; `ignored` columns do not count."""

    reversible = True
    atomic = True

    def __init__(
        self,
        model_name: str,
        owner: str = "user_id",
        redacted: Sequence[str] = (),
        ignored: Sequence[str] = ("updated_at",),
    ) -> None:
        self.model_name, self.owner, self.redacted, self.ignored = model_name, owner, redacted, ignored

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is part of a model's state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        arguments = ", ".join(
            f"'{argument}'" for argument in (self.owner, ",".join(self.redacted), ",".join(self.ignored))
        )
        schema_editor.execute(f"DROP TRIGGER IF EXISTS audited ON {table}")
        schema_editor.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION cgt_audit_row({arguments})"
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f"DROP TRIGGER IF EXISTS audited ON {table}")

    def describe(self) -> str:
        return f"Changes of {self.model_name} are audited"

    def deconstruct(self) -> Any:
        return (
            self.__class__.__qualname__,
            [self.model_name],
            {"owner": self.owner, "redacted": self.redacted, "ignored": self.ignored},
        )
