"""A user's own audit trail over the API, and what gets into it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts import audit
from accounts.audit import Action
from accounts.models import AuditLog, User
from core import clock
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return UserFactory.create()


@pytest.fixture
def bob() -> User:
    return UserFactory.create()


def actions(client: JsonClient, query: str = "") -> list[str]:
    answer = client.get(f"/api/audit{query}")
    assert answer.status_code == 200, answer.content
    return [entry["action"] for entry in answer.json()["results"]]


def events(user: User, *, of: Action = Action.ACCESS_REFUSED) -> list[AuditLog]:
    with tenancy.acting_as(user.id):
        return list(AuditLog.objects.filter(action=of))


def test_an_entry_has_every_detail(alice: User) -> None:
    client = client_of(alice)
    actor = Actor(ActorKind.USER, alice.id, None, "request-1", "192.0.2.7", "curl/8")
    with actors.acting(actor):
        audit.record(Action.EXPORT, user_id=alice.id, table="orders_fill", record_id="7", rows=3)

    [entry] = client.get("/api/audit?action=export").json()["results"]
    assert clock.now() - timedelta(minutes=1) < datetime.fromisoformat(entry.pop("created_at")) <= clock.now()
    assert isinstance(entry.pop("id"), int)
    assert entry == {
        "action": "export", "table_name": "orders_fill", "record_id": "7", "actor_kind": "user", "is_own": True,
        "token_id": None, "request_id": "request-1", "ip_address": "192.0.2.7", "user_agent": "curl/8",
        "old_values": None, "new_values": {"rows": 3},
    }  # fmt: skip


def test_where_an_operator_looked_from_is_not_the_users_to_know(alice: User, bob: User) -> None:
    with actors.acting(Actor(ActorKind.OPERATOR, bob.id, None, "request-1", "192.0.2.7", "curl/8")):
        audit.record(Action.EXPORT, user_id=alice.id)

    [entry] = client_of(alice).get("/api/audit?action=export").json()["results"]
    told = (entry["actor_kind"], entry["is_own"], entry["ip_address"], entry["user_agent"])
    assert told == ("operator", False, None, "")
    assert str(bob.id) not in str(entry)


def test_nobody_reads_another_users_entries(alice: User, bob: User) -> None:
    audit.record(Action.EXPORT, user_id=alice.id)
    audit.record(Action.IMPORT)

    assert not {"export", "import"} & set(actions(client_of(bob)))


def test_nor_with_row_level_security_out_of_the_way(alice: User, bob: User) -> None:
    audit.record(Action.EXPORT, user_id=alice.id)
    client = client_of(bob)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        assert AuditLog.unscoped.filter(action="export").exists()
        seen = actions(client)
        cursor.execute("SET ROLE cgt_app")

    assert "export" not in seen


def test_pages_follow_one_another_newest_first(alice: User) -> None:
    client = client_of(alice)
    for number in range(5):
        audit.record(Action.EXPORT, user_id=alice.id, record_id=str(number))

    seen, cursor = [], ""
    while True:
        answer = client.get(f"/api/audit?action=export&limit=2{cursor}").json()
        seen.append([entry["record_id"] for entry in answer["results"]])
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"

    assert seen == [["4", "3"], ["2", "1"], ["0"]]


def test_since_is_in_and_until_is_not(alice: User) -> None:
    client = client_of(alice)
    audit.record(Action.EXPORT, user_id=alice.id)
    [entry] = client.get("/api/audit?action=export").json()["results"]
    at = entry["created_at"]

    assert actions(client, f"?action=export&since={at}") == ["export"]
    assert actions(client, f"?action=export&until={at}") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"), ("limit=201", "/limit"), ("since=yesterday", "/since"), ("cursor=x", "/cursor"),
        ("cursor=MS4tMQ", "/cursor"), ("user=1", "/user"), ("action=a%00b", "/action"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(alice: User, query: str, pointer: str) -> None:
    status, code, errors = problem(client_of(alice).get(f"/api/audit?{query}"))

    assert (status, code, errors[0][0]) == (400, "invalid", pointer)


def test_strangers_are_asked_to_log_in() -> None:
    assert problem(stranger().get("/api/audit"))[:2] == (401, "not_authenticated")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_it(alice: User, method: str) -> None:
    assert problem(getattr(client_of(alice), method)("/api/audit"))[:2] == (405, "method_not_allowed")


def test_asking_for_another_users_keys_is_recorded(alice: User, bob: User) -> None:
    path = f"/api-credentials/user/{alice.id}"
    answer = client_of(bob).get(path)

    [entry] = events(bob)
    assert answer.status_code == 404
    assert entry.new_values == {"method": "GET", "path": path, "status": 404}
    assert (entry.actor_id, entry.actor_kind, entry.request_id) == (
        bob.id,
        "user",
        answer.headers["X-Request-ID"],
    )
    assert events(alice) == []


def test_asking_for_the_own_keys_is_not(bob: User) -> None:
    client_of(bob).get(f"/api-credentials/user/{bob.id}")

    assert events(bob) == []


def test_a_forbidden_page_of_the_admin_is_recorded(bob: User, client: Any) -> None:
    User.objects.filter(id=bob.id).update(is_staff=True)
    client.force_login(User.objects.get(id=bob.id))

    assert client.get("/admin/accounts/user/").status_code == 403

    [entry] = events(bob)
    assert (entry.actor_kind, entry.new_values) == (
        "operator", {"method": "GET", "path": "/admin/accounts/user/", "status": 403},
    )  # fmt: skip


def test_what_a_stranger_may_not_see_is_nobodys_entry() -> None:
    stranger().get("/api/audit")

    with tenancy.as_system("admin"):
        assert not AuditLog.objects.filter(action=Action.ACCESS_REFUSED).exists()
