"""Database roles: `cgt_app` for everything, `cgt_system` for the listed system places; neither owns or bypasses."""

from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.django import auditing

APP_ROLE: Final = "cgt_app"
SYSTEM_ROLE: Final = "cgt_system"

_CREATE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
  IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
    EXECUTE format('GRANT {role} TO %I', current_user);
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""
_GRANT = """
GRANT USAGE ON SCHEMA public TO {roles};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {roles};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {roles};
GRANT TEMPORARY ON DATABASE {database} TO {roles};
DO $$ BEGIN
  IF to_regclass('{trail}') IS NOT NULL THEN
    REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {trail} FROM {roles};
  END IF;
END $$;
"""


class WrongRole(RuntimeError):
    """The process would see or change more than it may."""


def prepare(db: BaseDatabaseWrapper) -> None:
    """Create the roles if the log-in role may; run as the owner, before migrations whose policies name them."""
    with db.cursor() as cursor:
        for role in (APP_ROLE, SYSTEM_ROLE):
            cursor.execute(_CREATE.format(role=role))


def grant(db: BaseDatabaseWrapper) -> None:
    """Let both roles work on the tables as they are now; run as the owner, after migrations."""
    with db.cursor() as cursor:
        name = db.ops.quote_name(db.settings_dict["NAME"])
        cursor.execute(_GRANT.format(roles=f"{APP_ROLE}, {SYSTEM_ROLE}", database=name, trail=auditing.TABLE))


def verify() -> None:
    """Raise WrongRole, saying what to mend, unless row-level security binds this connection.

    That is: it works as `cgt_app`; `cgt_app` and `cgt_system` are neither superusers nor have BYPASSRLS, own no table,
    cannot log in and are members of nothing; and the log-in role may take both.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (current,) = cursor.fetchone()
        cursor.execute(_STATE, [[APP_ROLE, SYSTEM_ROLE]])
        found = {name: faults for name, *faults in cursor.fetchall()}
    if current != APP_ROLE:
        raise _wrong(f"The database role in use is {current!r}, not {APP_ROLE!r}")
    for role in (APP_ROLE, SYSTEM_ROLE):
        if role not in found:
            raise _wrong(f"The database role {role!r} does not exist: run manage.py migrate")
        for fault, told in zip(found[role], _FAULTS, strict=True):
            if fault:
                raise _wrong(f"The database role {role!r} {told}")


def _wrong(what: str) -> WrongRole:
    return WrongRole(f"{what}: row-level security would not hold.")


_STATE: Final = """
SELECT rolname, rolsuper OR rolbypassrls, rolcanlogin,
  EXISTS (SELECT FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p', 'v', 'm') AND relpersistence <> 't'),
  EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid),
  NOT pg_has_role(session_user, r.oid, 'SET')
FROM pg_roles r WHERE rolname = ANY (%s)
"""
_FAULTS: Final = (
    "is a superuser or has BYPASSRLS",
    "can log in (ALTER ROLE … NOLOGIN)",
    "owns tables (REASSIGN OWNED)",
    "is a member of another role (REVOKE it)",
    "may not be taken by the log-in role (GRANT it)",
)
