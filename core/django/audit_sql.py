"""The SQL of the audit trail: its functions, triggers and policies, for the operations of `core.django.auditing`."""

from typing import Final

TABLE: Final = "accounts_auditlog"

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
TRAIL: Final = f"""
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
NO_TRAIL: Final = f"""
DROP POLICY owner_reads ON {TABLE};
DROP POLICY anybody_adds ON {TABLE};
DROP POLICY everything ON {TABLE};
ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY;
DROP TRIGGER final ON {TABLE};
DROP FUNCTION cgt_audit_is_final();
DROP FUNCTION cgt_audit_row();
DROP FUNCTION cgt_audit_event(uuid, text, text, text, jsonb, jsonb);
"""
# The owner's rights, and no function or table of somebody else's under the same name.
_DEFINER: Final = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
SEAL: Final = f"""
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
UNSEAL: Final = f"""
DROP POLICY everything ON {TABLE};
CREATE POLICY everything ON {TABLE} TO cgt_system USING (true) WITH CHECK (true);
CREATE POLICY anybody_adds ON {TABLE} FOR INSERT TO cgt_app WITH CHECK (true);
GRANT INSERT ON {TABLE} TO cgt_app, cgt_system;
{_EVENT}
{_row("cgt_audit_event")}
DROP FUNCTION cgt_audit_write(uuid, text, text, text, jsonb, jsonb);
"""
