"""A process does not start with a database role that row-level security would not bind."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from core.django import roles
from tests.factories import FillFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_role() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE cgt_app")


def as_owner(*statements: str, role: str | None = "cgt_app") -> None:
    """What the owner of the cluster does, undone with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        for statement in statements:
            cursor.execute(statement)
        if role:
            cursor.execute(f"SET ROLE {role}")


def test_the_roles_are_as_they_must_be() -> None:
    roles.verify()


def test_the_log_in_role_itself_is_refused() -> None:
    as_owner(role=None)

    with pytest.raises(roles.WrongRole, match="not 'cgt_app'"):
        roles.verify()


def test_the_system_role_is_refused() -> None:
    as_owner(role="cgt_system")

    with pytest.raises(roles.WrongRole, match="'cgt_system', not 'cgt_app'"):
        roles.verify()


@pytest.mark.parametrize("role", ["cgt_app", "cgt_system"])
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
        ("ALTER ROLE {role} BYPASSRLS", "has BYPASSRLS"),
        ("ALTER ROLE {role} LOGIN", "can log in"),
        ("ALTER TABLE orders_fill OWNER TO {role}", "owns tables"),
        ("GRANT pg_read_all_data TO {role}", "is a member of another role"),
    ],
)
def test_a_role_with_more_than_it_needs_is_refused(role: str, statement: str, told: str) -> None:
    as_owner(statement.format(role=role))

    with pytest.raises(roles.WrongRole, match=f"'{role}' .*{told}"):
        roles.verify()


def test_a_missing_system_role_is_refused() -> None:
    as_owner("ALTER ROLE cgt_system RENAME TO cgt_elsewhere")

    with pytest.raises(roles.WrongRole, match="'cgt_system' does not exist"):
        roles.verify()


def test_a_log_in_role_that_may_not_take_both_is_refused() -> None:
    as_owner(
        "CREATE ROLE cgt_poor LOGIN",
        "GRANT cgt_app TO cgt_poor",
        "SET SESSION AUTHORIZATION cgt_poor",
        "SET ROLE cgt_app",
        role=None,
    )

    with pytest.raises(roles.WrongRole, match="'cgt_system' may not be taken"):
        roles.verify()
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_the_backup_role_reads_everything_and_changes_nothing() -> None:
    FillFactory.create(), FillFactory.create()
    as_owner(
        "CREATE ROLE cgt_backup LOGIN BYPASSRLS",
        "GRANT pg_read_all_data TO cgt_backup",
        "SET SESSION AUTHORIZATION cgt_backup",
        role=None,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_fill")
        assert cursor.fetchone() == (2,)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute("DELETE FROM orders_fill")
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_a_dump_by_the_applications_role_would_be_empty() -> None:
    FillFactory.create()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_fill")
        assert cursor.fetchone() == (0,)
