"""Every policy and trigger of the catalogue, and what is withheld from the roles, tried by raw SQL.

A policy or trigger function that nothing here knows how to try fails the run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from core.django import roles
from tests.security import catalogue
from tests.security.catalogue import Policy, Trigger
from tests.security.specimens import Specimens, execute, insert, refusal, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_table_owner")]


@pytest.mark.parametrize("role", [roles.APP_ROLE, roles.SYSTEM_ROLE])
def test_every_policy_binds(role: str) -> None:
    """Each command of each policy, tried on rows of another user and on making own rows theirs."""
    known = {"owner": _owner, "everything": _everything, "owner_reads": _owner_reads}
    let_through = []
    for policy in catalogue.read().policies:
        if role not in policy.roles.strip("{}").split(","):
            continue
        assert policy.name in known, f"say here how policy {policy.name} of {policy.table} is broken"
        with undone() as mine:
            theirs = Specimens()
            let_through += known[policy.name](policy, role, mine, theirs)

    assert let_through == []


def _owner(policy: Policy, role: str, mine: Specimens, theirs: Specimens) -> list[str]:
    table = policy.table
    own, foreign = mine.of(table), theirs.of(table)
    new_own, new_foreign = mine.row(table), theirs.row(table)
    with acting(role, mine):
        seen = {
            "sees foreign rows": _seen(table, foreign) != 0,
            "does not see own rows": _seen(table, own) != 1,
            "changes foreign rows": execute(
                f"UPDATE {table} SET user_id = user_id WHERE id = %s", foreign["id"]
            )
            != 0,
            "deletes foreign rows": execute(f"DELETE FROM {table} WHERE id = %s", foreign["id"]) != 0,
            "adds foreign rows": "row-level security" not in refusal(insert, table, new_foreign),
            "gives rows away": "row-level security"
            not in refusal(
                execute, f"UPDATE {table} SET user_id = %s WHERE id = %s", theirs.owner, own["id"]
            ),
        }
        execute("SELECT set_config('app.user_id', '', true)")
        seen["sees rows without an owner"] = _seen(table, own) != 0
        seen["adds rows without an owner"] = "row-level security" not in refusal(insert, table, new_own)
    return [f"{table}: {what}" for what, is_so in seen.items() if is_so]


def _owner_reads(policy: Policy, role: str, mine: Specimens, theirs: Specimens) -> list[str]:
    assert policy.command == "SELECT"
    table = policy.table
    own, foreign = mine.of(table), theirs.of(table)
    with acting(role, mine):
        good = (_seen(table, own), _seen(table, foreign)) == (1, 0)
        good &= bool(refusal(insert, table, mine.row(table)))
    return [] if good else [table]


def _everything(policy: Policy, role: str, mine: Specimens, theirs: Specimens) -> list[str]:
    table = policy.table
    one, other = mine.of(table), theirs.of(table)
    with acting(role, None):
        return [] if (_seen(table, one), _seen(table, other)) == (1, 1) else [table]


def _seen(table: str, row: dict[str, Any]) -> int:
    return execute(f"SELECT FROM {table} WHERE id = %s", row["id"])


@contextmanager
def acting(role: str, owner: Specimens | None) -> Iterator[None]:
    """As a role of the application, for an owner."""
    execute(f"SET ROLE {role}")
    execute("SELECT set_config('app.user_id', %s, true)", str(owner.owner) if owner else "")
    yield
    execute("RESET ROLE")


def test_every_table_with_an_owner_is_behind_a_wall_or_an_identity_table() -> None:
    """Identity tables are looked up by exact keys, before anybody's identity is known."""
    owned = {
        table
        for table in catalogue.read().tables
        if any(column.name == "user_id" for column in catalogue.read().columns[table])
    }

    assert owned - catalogue.read().walled == {
        "accounts_apitoken",
        "accounts_recoverycode",
        "accounts_session",
        "accounts_twofactor",
        "accounts_user_groups",
        "accounts_user_user_permissions",
    }


def test_every_trigger_does_its_work() -> None:
    """One function audits a table's changes, one keeps the audit trail as it is, two note days for the metrics."""
    known = {
        "cgt_audit_row": _audited,
        "cgt_audit_is_final": _final,
        "cgt_note_trade_days": _noted,
        "cgt_note_equity_days": _noted,
    }
    failed = []
    for trigger in catalogue.read().triggers:
        assert trigger.function in known, f"say here what {trigger.function} of {trigger.table} must do"
        with undone() as one:
            failed += known[trigger.function](trigger, one)

    assert failed == []


def _audited(trigger: Trigger, one: Specimens) -> list[str]:
    """A row added, changed and deleted by raw SQL leaves three entries, its redacted columns in none of them."""
    owner, redacted, ignored = (text.split(",") for text in trigger.arguments[:3])
    table, row = trigger.table, one.row(trigger.table)
    canaries = {name: f"canary {name}" for name in redacted if _is_text(table, name)}
    row |= {name: text[: catalogue.read().column(table, name).length] for name, text in canaries.items()}
    stored = insert(table, row)
    changed = [
        column.name
        for column in catalogue.read().columns[table]
        if _is_text(table, column.name)
        and column.name not in {*ignored, "id"}
        and not _is_limited(table, column.name)
    ]
    execute(f"UPDATE {table} SET {changed[0]} = %s WHERE id = %s", "changed", stored["id"])
    execute(f"DELETE FROM {table} WHERE id = %s", stored["id"])
    entries = _entries(table, stored["id"])
    good = [action for action, *_ in entries] == ["INSERT", "UPDATE", "DELETE"]
    good &= all(user_id == stored[owner[0]] for _, user_id, _ in entries)
    good &= not any(f"canary {name}" in text for name in canaries for _, _, text in entries)
    return [] if good else [table]


def _is_text(table: str, name: str) -> bool:
    return bool(name) and catalogue.read().column(table, name).type in ("varchar", "text")


def _is_limited(table: str, name: str) -> bool:
    return any(name in one.columns for one in catalogue.read().of_table[table] if one.kind in "cf")


def _entries(table: str, row_id: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, user_id, concat(old_values, new_values) FROM accounts_auditlog"
            " WHERE table_name = %s AND record_id = %s ORDER BY id",
            [table, str(row_id)],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _final(trigger: Trigger, one: Specimens) -> list[str]:
    """Not even the owner of the table changes or deletes what it holds."""
    row = one.of(trigger.table)
    statements = (
        f"UPDATE {trigger.table} SET record_id = '?' WHERE id = %s",
        f"DELETE FROM {trigger.table} WHERE id = %s",
    )
    return [sql for sql in statements if "only grows" not in refusal(execute, sql, row["id"])]


def _noted(trigger: Trigger, one: Specimens) -> list[str]:
    """A row added, changed or deleted leaves its owner a note of its day."""
    stored = insert(trigger.table, one.row(trigger.table))
    statements = {
        "notes_added": "",
        "notes_changed": f"UPDATE {trigger.table} SET exchange = '?' WHERE id = %s",
        "notes_removed": f"DELETE FROM {trigger.table} WHERE id = %s",
    }
    if sql := statements[trigger.name]:
        execute("DELETE FROM portfolio_changedday")
        execute(sql, stored["id"])
    noted = execute("SELECT FROM portfolio_changedday WHERE user_id = %s", one.owner)
    return [] if noted else [f"{trigger.table}: {trigger.name}"]


@pytest.mark.parametrize("role", [roles.APP_ROLE, roles.SYSTEM_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO accounts_auditlog (action) VALUES ('?')",
        "UPDATE accounts_auditlog SET action = '?'",
        "DELETE FROM accounts_auditlog",
        "TRUNCATE accounts_auditlog",
        "ALTER TABLE orders_fill DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE accounts_auditlog DISABLE TRIGGER final",
        "DROP POLICY owner ON orders_fill",
        "CREATE TABLE mine (id int)",
    ],
)
def test_roles_may_not(role: str, statement: str) -> None:
    """What is withheld by grant, or belongs to the owner of the tables."""
    with undone():
        execute(f"SET ROLE {role}")

        assert refusal(execute, statement) != ""
