"""The four `/api-credentials` routes: masked keys out, secrets in, nothing of others."""

import io
import logging
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from core.vault import KeyRing
from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import SyncRun
from tests.clients import client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory
from tests.web.api.keys import CANARY, NEW, SAVE, save

pytestmark = pytest.mark.django_db


def test_saving_answers_the_account_with_a_masked_key() -> None:
    answer = save(UserFactory.create())

    created_at = answer.pop("createdAt")
    assert created_at.endswith("Z")
    assert UUID(answer.pop("id"))
    assert answer == {
        "exchange": "binance",
        "apiKey": "****1234",
        "secretKey": "",
        "passphrase": "",
        "label": "Mine",
        "isActive": True,
        "mode": "live",
        "keyState": "unchecked",
        "keyNote": "",
        "keyWarnings": [],
        "permissions": [],
        "accountType": "",
        "canTrade": None,
        "ipRestricted": None,
        "checkedAt": None,
    }


def test_saving_requests_the_first_sync() -> None:
    user = UserFactory.create()
    answer = save(user)

    with tenancy.acting_as(user.id):
        runs = list(SyncRun.objects.values_list("account_id", "trigger", "status"))
    assert runs == [(UUID(answer["id"]), "connect", "queued")]


def test_a_refused_save_leaves_nothing() -> None:
    user = UserFactory.create()
    save(user)

    assert problem(client_of(user).post(SAVE, NEW)) == (409, "label_taken", [])
    with tenancy.acting_as(user.id):
        assert (ExchangeAccount.objects.count(), ApiCredential.objects.count(), SyncRun.objects.count()) == (
            1,
            1,
            1,
        )


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"exchange": "nowhere"}, [("/exchange", "exchange_not_supported")]),
        ({"apiKey": "****1234"}, [("/apiKey", "masked_key")]),
        ({"apiKey": ""}, [("/apiKey", "blank")]),
        ({"apiKey": "two words"}, [("/apiKey", "invalid")]),
        ({"secretKey": "ключ"}, [("/secretKey", "invalid")]),
        ({"secretKey": None}, [("/secretKey", "key_incomplete")]),
        ({"mode": "paper"}, [("/mode", "invalid_choice")]),
        ({"label": "x" * 101}, [("/label", "max_length")]),
        ({"user": "x", "user_id": "y"}, [("/user", "unknown"), ("/user_id", "unknown")]),
    ],
)
def test_a_wrong_member_is_told_by_its_pointer(
    changes: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    user = UserFactory.create()

    assert problem(client_of(user).post(SAVE, {**NEW, **changes})) == (400, _code(errors), errors)
    with tenancy.acting_as(user.id):
        assert ExchangeAccount.objects.count() == 0


def _code(errors: list[tuple[str, str]]) -> str:
    return "invalid"


def test_the_list_holds_the_users_living_accounts() -> None:
    user = UserFactory.create()
    first, second = save(user), save(user, label="Second")
    AccountFactory.create(user=user, is_active=False), AccountFactory.create()

    response = client_of(user).get(f"/api-credentials/user/{user.id}")

    assert response.json() == [first, second]
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("whose", ["foreign", "missing"])
def test_the_list_of_another_user_is_not_found(whose: str) -> None:
    other = UserFactory.create()
    save(other)
    user_id = other.id if whose == "foreign" else uuid4()

    assert problem(client_of(UserFactory.create()).get(f"/api-credentials/user/{user_id}")) == (
        404,
        "not_found",
        [],
    )


def test_the_list_asks_the_database_alike_for_one_and_three_accounts() -> None:
    counts = []
    for size in (1, 3):
        user = UserFactory.create()
        for number in range(size):
            save(user, label=str(number))
        client = client_of(user)
        client.get(f"/api-credentials/user/{user.id}")
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(f"/api-credentials/user/{user.id}").json()) == size
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_was_read_can_be_sent_back_unchanged() -> None:
    user = UserFactory.create()
    answer = save(user)
    with tenancy.acting_as(user.id):
        before = ApiCredential.objects.values().get()

    response = client_of(user).put(f"/api-credentials/{answer['id']}", answer)

    assert (response.status_code, response.json()) == (200, answer)
    with tenancy.acting_as(user.id):
        assert ApiCredential.objects.values().get() == before


def test_a_new_key_is_stored_and_tried_at_once() -> None:
    user = UserFactory.create()
    answer = save(user)
    with tenancy.acting_as(user.id):
        SyncRun.objects.update(status="ok")

    response = client_of(user).put(
        f"/api-credentials/{answer['id']}", {"apiKey": "n" * 60 + "7777", "secretKey": "t" * 64}
    )

    assert response.json()["apiKey"] == "****7777"
    with tenancy.acting_as(user.id):
        assert sorted(SyncRun.objects.values_list("status", flat=True)) == ["ok", "queued"]


def test_a_new_label_asks_for_no_sync() -> None:
    user = UserFactory.create()
    answer = save(user)
    with tenancy.acting_as(user.id):
        SyncRun.objects.update(status="ok")

    response = client_of(user).put(f"/api-credentials/{answer['id']}", {"label": "Renamed"})

    assert response.json()["label"] == "Renamed"
    with tenancy.acting_as(user.id):
        assert SyncRun.objects.count() == 1


def test_half_a_key_is_told() -> None:
    user = UserFactory.create()
    answer = save(user)

    response = client_of(user).put(f"/api-credentials/{answer['id']}", {"apiKey": "n" * 64})

    assert problem(response) == (400, "invalid", [("/secretKey", "key_incomplete")])


def test_deleting_destroys_the_key_and_hides_the_account() -> None:
    user = UserFactory.create()
    answer = save(user)
    client = client_of(user)

    assert client.delete(f"/api-credentials/{answer['id']}").status_code == 204
    assert problem(client.delete(f"/api-credentials/{answer['id']}")) == (404, "not_found", [])
    assert client.get(f"/api-credentials/user/{user.id}").json() == []


@pytest.mark.parametrize("method", ["put", "delete"])
@pytest.mark.parametrize("whose", ["foreign", "missing"])
def test_a_foreign_account_is_not_found_and_stays_as_it_is(method: str, whose: str) -> None:
    owner = UserFactory.create()
    theirs = save(owner)
    path = f"/api-credentials/{theirs['id'] if whose == 'foreign' else uuid4()}"

    response = getattr(client_of(UserFactory.create()), method)(path, {"label": "Taken"})

    assert problem(response) == (404, "not_found", [])
    assert client_of(owner).get(f"/api-credentials/user/{owner.id}").json() == [theirs]


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", SAVE), ("get", f"/api-credentials/user/{uuid4()}"), ("put", f"/api-credentials/{uuid4()}"),
     ("delete", f"/api-credentials/{uuid4()}")],
)  # fmt: skip
def test_a_stranger_is_told_to_log_in(method: str, path: str) -> None:
    assert problem(getattr(stranger(), method)(path, NEW)) == (401, "not_authenticated", [])


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", SAVE), ("post", f"/api-credentials/user/{uuid4()}"), ("patch", f"/api-credentials/{uuid4()}")],
)
def test_a_wrong_method_is_a_problem(method: str, path: str) -> None:
    response = getattr(client_of(UserFactory.create()), method)(path)

    assert problem(response) == (405, "method_not_allowed", [])


@pytest.mark.parametrize("path", ["/api-credentials/user/me", "/api-credentials/17"])
def test_what_is_no_id_is_not_found(path: str) -> None:
    assert problem(client_of(UserFactory.create()).get(path)) == (404, "not_found", [])


def test_no_request_decrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(KeyRing, "open", lambda *_: opened.append("x"))
    user = UserFactory.create()
    answer = save(user)
    path = f"/api-credentials/{answer['id']}"
    client = client_of(user)

    client.get(f"/api-credentials/user/{user.id}")
    client.put(path, answer)
    client.put(path, {"secretKey": "t" * 64})
    client.put(path, {"apiKey": "n" * 64, "secretKey": "t" * 64})
    client.delete(path)

    assert opened == []


def test_the_secret_is_in_no_answer_no_log_and_nowhere_in_the_database(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    user = UserFactory.create()
    client = client_of(user)
    saved = client.post(SAVE, NEW)
    path = f"/api-credentials/{saved.json()['id']}"
    answers = [
        saved,
        client.post(SAVE, NEW),
        client.post(SAVE, {**NEW, "exchange": "kraken", "label": "x"}),
        client.post(SAVE, {**NEW, "mode": "paper", "label": "y"}),
        client.post(SAVE, {**NEW, "apiKey": f"{CANARY} space", "secretKey": f"{CANARY}é"}),
        client.post(SAVE, {**NEW, "secretKey": {"deep": [CANARY]}}),
        client.put(path, {"secretKey": f"other{CANARY}"}),
        client.put(path, {"apiKey": f"key{CANARY}"}),
        client.get(f"/api-credentials/user/{user.id}"),
        client.get("/user/me"),
    ]

    assert [a.status_code for a in answers] == [201, 409, 400, 400, 400, 400, 200, 400, 200, 200]
    assert [a.content for a in answers if CANARY.encode() in a.content] == []
    assert CANARY not in caplog.text
    assert CANARY not in _database_text()


def _database_text() -> str:
    """Every row of every table, as text: what a dump would hold."""
    with connection.cursor() as cursor, io.StringIO() as text:
        for table in connection.introspection.table_names():
            with tenancy.as_system("admin"):
                cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} AS t")
                text.write("\n".join(row[0] for row in cursor.fetchall()))
        found = text.getvalue()
    assert "cv1:" in found  # the scan sees the sealed values
    assert len(connection.introspection.table_names()) >= len(apps.get_models())
    return found
