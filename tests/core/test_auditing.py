"""The audit trail as the database keeps it: whoever writes, whatever way."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.audit import Action
from accounts.models import ApiToken, AuditLog, Session, User
from core.django import actors, audit_sql, tenancy
from core.django.actors import Actor, ActorKind
from credentials.models import ApiCredential, ExchangeAccount
from tests.conftest import NOW
from tests.factories import AccountFactory, FillFactory, UserFactory

pytestmark = pytest.mark.django_db


def trail(**filters: Any) -> list[AuditLog]:
    """The entries but those of looking at them."""
    with tenancy.as_system("admin"):
        entries = AuditLog.objects.filter(**filters).order_by("id")
        return [entry for entry in entries if entry.action != Action.SYSTEM_DOOR]


def as_login_role(*statements: str) -> None:
    """Statements of the tables' owner; the application's role comes back whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        try:
            with transaction.atomic():
                for statement in statements:
                    cursor.execute(statement)
        finally:
            cursor.execute("SET ROLE cgt_app")


def test_a_change_tells_old_and_new_values_of_the_changed_columns_alone() -> None:
    account = AccountFactory.create(label="Main")

    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.filter(id=account.id).update(label="Other")

    [entry] = trail(table_name="credentials_exchangeaccount", action="UPDATE")
    assert (entry.user_id, entry.record_id) == (account.user_id, str(account.id))
    assert (entry.old_values, entry.new_values) == ({"label": "Main"}, {"label": "Other"})


def test_an_update_that_changes_nothing_is_not_recorded() -> None:
    account = AccountFactory.create(label="Main")

    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.filter(id=account.id).update(label="Main", updated_at=NOW)

    assert trail(action="UPDATE") == []


def test_a_bulk_update_is_recorded_row_by_row() -> None:
    user = UserFactory.create()
    ids = {str(AccountFactory.create(user=user).id) for _ in range(3)}

    with tenancy.acting_as(user.id):
        ExchangeAccount.objects.update(is_active=False)

    changes = trail(table_name="credentials_exchangeaccount", action="UPDATE")
    assert {entry.record_id for entry in changes} == ids


def test_raw_sql_is_recorded_too() -> None:
    account = AccountFactory.create()

    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute("UPDATE credentials_exchangeaccount SET is_active = false")
        cursor.execute("DELETE FROM credentials_exchangeaccount")

    changes = trail(table_name="credentials_exchangeaccount", record_id=str(account.id))
    assert [entry.action for entry in changes] == ["INSERT", "UPDATE", "DELETE"]


def test_what_the_owner_of_the_tables_writes_is_recorded_as_nobodys() -> None:
    user = UserFactory.create()
    as_login_role(f"UPDATE accounts_user SET is_staff = true WHERE id = '{user.id}'")

    [entry] = trail(table_name="accounts_user", action="UPDATE")
    assert (entry.actor_kind, entry.actor_id) == (ActorKind.UNKNOWN, None)
    assert entry.new_values == {"is_staff": True}


def test_redacted_columns_are_told_without_their_values() -> None:
    user = UserFactory.create(email="dora@example.com", name="Dora Canary")
    user.email, user.pending_email, user.name = "other@example.com", "third@example.com", "Another Canary"
    user.set_password("a long canary password")
    user.save()

    entries = trail(table_name="accounts_user")
    assert [entry.action for entry in entries] == ["INSERT", "UPDATE"]
    changed = entries[1].new_values or {}
    assert {changed[name] for name in ("email", "pending_email", "name", "password")} == {"[redacted]"}
    told = repr([(entry.old_values, entry.new_values) for entry in entries])
    assert [word for word in ("example.com", "Canary", "canary", user.password) if word in told] == []


def test_sealed_keys_leave_no_ciphertext() -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        key = ApiCredential.objects.create(
            user_id=account.user_id, account=account, api_key="cv1:canary-a", secret_key="cv1:canary-b",
            api_key_hint="1234",
        )  # fmt: skip
        ApiCredential.objects.filter(id=key.id).update(secret_key="cv1:canary-c")
        key.delete()

    entries = trail(table_name="credentials_apicredential")
    assert [entry.action for entry in entries] == ["INSERT", "UPDATE", "DELETE"]
    assert entries[1].new_values == {"secret_key": "[redacted]"}
    assert "canary" not in repr([(entry.old_values, entry.new_values) for entry in entries])


def test_a_token_leaves_no_hash() -> None:
    user = UserFactory.create()
    ApiToken.objects.create(
        user=user, name="bot", token_hash=b"canary" * 5, hint="1234", created_at=NOW, expires_at=NOW.replace(year=2027)
    )  # fmt: skip

    [entry] = trail(table_name="accounts_apitoken")
    assert entry.new_values is not None
    assert (entry.user_id, entry.new_values["token_hash"]) == (user.id, "[redacted]")


def test_a_change_is_ascribed_to_the_actor() -> None:
    user, token_id = UserFactory.create(), uuid4()
    actor = Actor(ActorKind.USER, user.id, token_id, "request-1", "192.0.2.7", "curl/8")

    with actors.acting(actor), actors.stamped():
        User.objects.filter(id=user.id).update(is_staff=True)

    [entry] = trail(table_name="accounts_user", action="UPDATE")
    told = (
        entry.actor_kind,
        entry.actor_id,
        entry.token_id,
        entry.request_id,
        entry.ip_address,
        entry.user_agent,
    )
    assert told == ("user", user.id, token_id, "request-1", "192.0.2.7", "curl/8")


def test_derived_rows_and_facts_are_not_recorded() -> None:
    FillFactory.create()

    assert {entry.table_name for entry in trail()} == {"accounts_user", "credentials_exchangeaccount"}


def test_sign_of_life_is_not_recorded() -> None:
    user = UserFactory.create()
    User.objects.filter(id=user.id).update(seen_at=NOW, last_login=NOW)
    Session.objects.create(user=user, created_at=NOW, expires_at=NOW)

    assert [entry.action for entry in trail()] == ["INSERT"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditlog SET action = 'x'",
        "DELETE FROM accounts_auditlog",
        "TRUNCATE accounts_auditlog",
        "INSERT INTO accounts_auditlog (actor_kind, request_id, user_agent, action, table_name, record_id, created_at)"
        " VALUES ('user', '', '', 'INSERT', '', '', now())",
        "ALTER TABLE accounts_auditlog DISABLE TRIGGER ALL",
        "SELECT cgt_audit_write(NULL, 'INSERT', 'accounts_user', '', NULL, NULL)",
        "SELECT cgt_audit_event(NULL, 'UPDATE', 'accounts_user', '', NULL, NULL)",
        "SELECT cgt_audit_event(NULL, 'delete', 'accounts_user', '', NULL, NULL)",
    ],
)
@pytest.mark.parametrize("role", ["cgt_app", "cgt_system"])
def test_no_role_of_the_application_writes_the_trail_itself(role: str, statement: str) -> None:
    UserFactory.create()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}; {statement}")

    assert len(trail()) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditlog SET action = 'x'", "DELETE FROM accounts_auditlog"]
)
def test_the_owner_cannot_change_the_past_either(statement: str) -> None:
    UserFactory.create()

    with pytest.raises(DatabaseError, match="only grows"):
        as_login_role(statement)


def test_a_schema_of_somebody_elses_does_not_catch_the_entries() -> None:
    """The functions run with their owner's rights, so they name what they touch."""
    user = UserFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE accounts_auditlog (LIKE public.accounts_auditlog)")
        cursor.execute("UPDATE accounts_user SET is_verified = NOT is_verified")
        cursor.execute("DROP TABLE pg_temp.accounts_auditlog")

    assert [entry.action for entry in trail(user_id=user.id)] == ["INSERT", "UPDATE"]


def test_an_event_is_recorded_with_its_details() -> None:
    user = UserFactory.create()
    audit.record(Action.EXPORT, user_id=user.id, table="orders_fill", record_id="7", rows=3)

    [entry] = trail(action="export")
    assert (entry.user_id, entry.table_name, entry.record_id, entry.new_values) == (
        user.id, "orders_fill", "7", {"rows": 3},
    )  # fmt: skip


def test_an_overlong_name_of_a_browser_breaks_no_change() -> None:
    user = UserFactory.create()
    with actors.acting(Actor(user_agent="x" * 1000, request_id="y" * 100)), actors.stamped():
        User.objects.filter(id=user.id).update(is_staff=True)

    [entry] = trail(action="UPDATE")
    assert (len(entry.user_agent), len(entry.request_id)) == (300, 64)


def test_a_user_sees_own_entries_only() -> None:
    mine, other = UserFactory.create(), UserFactory.create()
    audit.record(Action.EXPORT, user_id=mine.id)
    audit.record(Action.EXPORT, user_id=other.id)
    audit.record(Action.IMPORT)

    with tenancy.acting_as(mine.id):
        scoped, unscoped = AuditLog.objects.all(), AuditLog.unscoped.all()
        assert {entry.user_id for entry in scoped} == {mine.id} == {entry.user_id for entry in unscoped}


def test_the_system_door_leaves_a_trace_of_who_went_through() -> None:
    operator = UserFactory.create()
    actor = Actor(ActorKind.OPERATOR, operator.id, request_id="request-2")
    with actors.acting(actor), tenancy.as_system("admin", method="GET", path="/admin/"):
        entries = list(AuditLog.objects.filter(action=Action.SYSTEM_DOOR))

    [entry] = entries
    assert (entry.actor_id, entry.actor_kind, entry.request_id) == (operator.id, "operator", "request-2")
    assert entry.new_values == {"place": "admin", "method": "GET", "path": "/admin/"}


def test_the_trace_stays_when_the_work_behind_the_door_is_undone() -> None:
    with pytest.raises(ZeroDivisionError), tenancy.as_system("admin"):
        _ = 1 / 0

    with tenancy.as_system("admin"):
        assert AuditLog.objects.filter(action=Action.SYSTEM_DOOR).count() == 2


@pytest.mark.parametrize("place", sorted(tenancy.CLOCKWORK))
def test_clockwork_is_a_line_of_the_log(place: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "core.django.tenancy")
    with tenancy.as_system(place):
        assert AuditLog.objects.count() == 0

    assert caplog.messages == [f"System door: {place}"]


def test_djangos_own_commands_are_ascribed_to_the_command() -> None:
    with actors.running_command("createsuperuser"):
        call_command("createsuperuser", email="root@example.com", name="Root", interactive=False)

    [entry] = trail(table_name="accounts_user")
    assert (entry.action, entry.actor_kind, entry.user_agent) == (
        "INSERT",
        "command",
        "manage.py createsuperuser",
    )


def test_sealing_goes_back_and_forth() -> None:
    user = UserFactory.create()
    as_login_role(audit_sql.UNSEAL)
    User.objects.filter(id=user.id).update(is_staff=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('accounts_auditlog', 'INSERT')")
        assert cursor.fetchone() == (True,)

    as_login_role(audit_sql.SEAL)
    User.objects.filter(id=user.id).update(is_staff=False)

    assert [entry.new_values for entry in trail(action="UPDATE")] == [{"is_staff": True}, {"is_staff": False}]
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('accounts_auditlog', 'INSERT')")
        assert cursor.fetchone() == (False,)
