"""The set-up of docs/operations.md on a PostgreSQL of one's own: a log-in role with the least rights."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import psycopg
import pytest
from django.db import connection

ROOT: Final = Path(__file__).resolve().parents[2]
NAME: Final = f"cgt_own_{os.getpid()}"
PROGRAM: Final = """
import django
django.setup()
from datetime import datetime, UTC
from django.db import DatabaseError, connection
from accounts import audit
from accounts.models import AuditLog, User
from core.django import actors, roles, tenancy
from core.django.actors import Actor, ActorKind

roles.verify()
with actors.acting(Actor(ActorKind.COMMAND, request_id="own-server")), actors.stamped():
    user = User.objects.create(email="a@example.com", name="A")
audit.record(audit.Action.EXPORT, user_id=user.id)
with tenancy.acting_as(user.id):
    print([(entry.action, entry.request_id) for entry in AuditLog.objects.order_by("id")])
for statement in ("INSERT INTO accounts_auditlog DEFAULT VALUES", "TRUNCATE orders_fill", "CREATE TABLE mine (id int)"):
    try:
        connection.cursor().execute(statement)
    except DatabaseError as error:
        print(str(error).splitlines()[0])
with tenancy.as_system("admin"):
    print(User.objects.count())
"""


def _server() -> dict[str, Any]:
    given = connection.settings_dict
    return {
        "host": given["OPTIONS"].get("host") or given["HOST"] or None,
        "port": given["OPTIONS"].get("port") or given["PORT"] or None,
    }


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of a poor role's own, made as the documentation says."""
    given = connection.settings_dict
    admin = {key: value for key, value in _server().items() if value}
    with psycopg.connect(
        **admin, user=given["USER"], password=given["PASSWORD"], dbname="postgres", autocommit=True
    ) as db:
        db.execute(f"CREATE ROLE {NAME} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD 'x'")
        db.execute(f"GRANT cgt_app, cgt_system TO {NAME} WITH INHERIT FALSE, SET TRUE")
        db.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
        try:
            yield f"postgres://{NAME}:x@/{NAME}?{urlencode(admin)}"
        finally:
            db.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
            db.execute(f"DROP ROLE {NAME}")


def _run(database_url: str, *arguments: str) -> str:
    environment = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.django_db
def test_everything_works_with_the_least_rights(database_url: str) -> None:
    _run(database_url, "manage.py", "migrate", "--verbosity", "0")

    assert _run(database_url, "-c", PROGRAM).splitlines() == [
        "[('INSERT', 'own-server'), ('export', '')]",
        "permission denied for table accounts_auditlog",
        "permission denied for table orders_fill",
        "permission denied for schema public",
        "1",
    ]
    _run(database_url, "manage.py", "check", "--database", "default", "--fail-level", "WARNING")
