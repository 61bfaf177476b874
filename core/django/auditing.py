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

from core.django import actors

TABLE: Final = "accounts_auditlog"

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
_ROW: Final = """
CREATE OR REPLACE FUNCTION cgt_audit_row() RETURNS trigger LANGUAGE plpgsql {security} AS $$
DECLARE
  owner_column text := TG_ARGV[0];
  redacted text[] := string_to_array(TG_ARGV[1], ',');
  ignored text[] := string_to_array(TG_ARGV[2], ',');
  old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) - ignored END;
  new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) - ignored END;
  whole jsonb := coalesce(to_jsonb(NEW), to_jsonb(OLD));
  same text[];
  name text;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT coalesce(array_agg(key), '{{}}') INTO same FROM jsonb_each(new_row) WHERE value = old_row -> key;
    old_row := old_row - same;
    new_row := new_row - same;
    IF new_row = '{{}}'::jsonb THEN
      RETURN NULL;
    END IF;
  END IF;
  FOREACH name IN ARRAY redacted LOOP
    IF old_row ? name THEN
      old_row := jsonb_set(old_row, ARRAY[name], '"[redacted]"');
    END IF;
    IF new_row ? name THEN
      new_row := jsonb_set(new_row, ARRAY[name], '"[redacted]"');
    END IF;
  END LOOP;
  PERFORM {writer}(
    (whole ->> owner_column)::uuid, TG_OP, TG_TABLE_NAME::text, coalesce(whole ->> 'id', ''), old_row, new_row
  );
  RETURN NULL;
END $$;
"""


def _row(writer: str, security: str = "") -> str:
    """The trigger of every audited table; `writer` is the function that it hands the entry to."""
    return _ROW.format(writer=writer, security=security)


_EVENT: Final = f"""
CREATE OR REPLACE FUNCTION cgt_audit_event(
  subject uuid, happening text, about text, record text, before jsonb, after jsonb
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO {TABLE} (
    user_id, actor_id, actor_kind, token_id, request_id, ip_address, user_agent,
    action, table_name, record_id, old_values, new_values, created_at
  ) VALUES (
    subject,
    nullif(current_setting('app.actor_id', true), '')::uuid,
    coalesce(nullif(current_setting('app.actor_kind', true), ''), 'unknown'),
    nullif(current_setting('app.token_id', true), '')::uuid,
    coalesce(current_setting('app.request_id', true), ''),
    nullif(current_setting('app.address', true), '')::inet,
    coalesce(current_setting('app.user_agent', true), ''),
    happening, about, record, before, after, clock_timestamp()
  );
$$;
"""
_TRAIL: Final = f"""
{_EVENT}{_row("cgt_audit_event")}CREATE FUNCTION cgt_audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER final BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION cgt_audit_is_final();
ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_reads ON {TABLE} FOR SELECT TO cgt_app
  USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY anybody_adds ON {TABLE} FOR INSERT TO cgt_app WITH CHECK (true);
CREATE POLICY everything ON {TABLE} TO cgt_system USING (true) WITH CHECK (true);
"""
_NO_TRAIL: Final = f"""
DROP POLICY owner_reads ON {TABLE};
DROP POLICY anybody_adds ON {TABLE};
DROP POLICY everything ON {TABLE};
ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY;
DROP TRIGGER final ON {TABLE};
DROP FUNCTION cgt_audit_is_final();
DROP FUNCTION cgt_audit_row();
DROP FUNCTION cgt_audit_event(uuid, text, text, text, jsonb, jsonb);
"""


class AuditTrail(Operation):
    """Make the audit table append-only and private to its owners; right after the table is created."""

    reversible = True
    atomic = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is part of a model's state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(_TRAIL)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(_NO_TRAIL)

    def describe(self) -> str:
        return "The audit trail"


# The owner's rights, and no function or table of somebody else's under the same name.
_DEFINER: Final = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
_SEAL: Final = f"""
CREATE FUNCTION cgt_audit_write(
  subject uuid, happening text, about text, record text, before jsonb, after jsonb
) RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO public.{TABLE} (
    user_id, actor_id, actor_kind, token_id, request_id, ip_address, user_agent,
    action, table_name, record_id, old_values, new_values, created_at
  ) VALUES (
    subject,
    nullif(current_setting('app.actor_id', true), '')::uuid,
    coalesce(nullif(current_setting('app.actor_kind', true), ''), 'unknown'),
    nullif(current_setting('app.token_id', true), '')::uuid,
    left(coalesce(current_setting('app.request_id', true), ''), 64),
    nullif(current_setting('app.address', true), '')::inet,
    left(coalesce(current_setting('app.user_agent', true), ''), 300),
    happening, left(about, 63), left(record, 64), before, after, clock_timestamp()
  );
$$;
REVOKE ALL ON FUNCTION cgt_audit_write(uuid, text, text, text, jsonb, jsonb) FROM PUBLIC;
CREATE OR REPLACE FUNCTION cgt_audit_event(
  subject uuid, happening text, about text, record text, before jsonb, after jsonb
) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
BEGIN
  IF upper(happening) IN ('INSERT', 'UPDATE', 'DELETE') THEN
    RAISE EXCEPTION 'changes of rows are recorded by triggers alone' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM public.cgt_audit_write(subject, happening, about, record, before, after);
END $$;
{_row("public.cgt_audit_write", _DEFINER)}
DROP POLICY anybody_adds ON {TABLE};
DROP POLICY everything ON {TABLE};
CREATE POLICY everything ON {TABLE} FOR SELECT TO cgt_system USING (true);
REVOKE INSERT ON {TABLE} FROM cgt_app, cgt_system;
"""
_UNSEAL: Final = f"""
DROP POLICY everything ON {TABLE};
CREATE POLICY everything ON {TABLE} TO cgt_system USING (true) WITH CHECK (true);
CREATE POLICY anybody_adds ON {TABLE} FOR INSERT TO cgt_app WITH CHECK (true);
GRANT INSERT ON {TABLE} TO cgt_app, cgt_system;
{_EVENT}
{_row("cgt_audit_event")}
DROP FUNCTION cgt_audit_write(uuid, text, text, text, jsonb, jsonb);
"""


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
        schema_editor.execute(_SEAL)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(_UNSEAL)

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
