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
    """Raise WrongRole unless this connection works as `cgt_app` without superuser or BYPASSRLS."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        name, unsafe = cursor.fetchone()
    if name != APP_ROLE:
        raise WrongRole(
            f"The database role in use is {name!r}, not {APP_ROLE!r}: row-level security would not hold."
        )
    if unsafe:
        raise WrongRole(
            f"The database role {name!r} is a superuser or has BYPASSRLS: row-level security would not hold."
        )
