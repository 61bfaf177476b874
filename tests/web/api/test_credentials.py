"""The four `/api-credentials` routes: masked keys out, secrets in, nothing of others."""

import io
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts import api_tokens
from accounts.models import Session, User
from core import clock
from core.django import tenancy
from core.vault import KeyRing
from credentials import scope
from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import SyncRun
from tests.clients import client_of, problem, stranger, with_token
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
CANARY = "CanarySecret9876543210"
NEW = {
    "exchange": "binance",
    "apiKey": f"key{CANARY}1234",
    "secretKey": f"secret{CANARY}",
    "passphrase": f"pass{CANARY}",
    "label": "Mine",
}
SAVE = "/api-credentials/save-credentials"


def _save(user: Any, **changes: Any) -> dict[str, Any]:
    response = client_of(user).post(SAVE, {**NEW, **changes})
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_saving_answers_the_account_with_a_masked_key() -> None:
    answer = _save(UserFactory.create())

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
    answer = _save(user)

    with tenancy.acting_as(user.id):
        runs = list(SyncRun.objects.values_list("account_id", "trigger", "status"))
    assert runs == [(UUID(answer["id"]), "connect", "queued")]


def test_a_refused_save_leaves_nothing() -> None:
    user = UserFactory.create()
    _save(user)

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
    first, second = _save(user), _save(user, label="Second")
    AccountFactory.create(user=user, is_active=False), AccountFactory.create()

    response = client_of(user).get(f"/api-credentials/user/{user.id}")

    assert response.json() == [first, second]
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("whose", ["foreign", "missing"])
def test_the_list_of_another_user_is_not_found(whose: str) -> None:
    other = UserFactory.create()
    _save(other)
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
            _save(user, label=str(number))
        client = client_of(user)
        client.get(f"/api-credentials/user/{user.id}")
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(f"/api-credentials/user/{user.id}").json()) == size
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_was_read_can_be_sent_back_unchanged() -> None:
    user = UserFactory.create()
    answer = _save(user)
    with tenancy.acting_as(user.id):
        before = ApiCredential.objects.values().get()

    response = client_of(user).put(f"/api-credentials/{answer['id']}", answer)

    assert (response.status_code, response.json()) == (200, answer)
    with tenancy.acting_as(user.id):
        assert ApiCredential.objects.values().get() == before


def test_a_new_key_is_stored_and_tried_at_once() -> None:
    user = UserFactory.create()
    answer = _save(user)
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
    answer = _save(user)
    with tenancy.acting_as(user.id):
        SyncRun.objects.update(status="ok")

    response = client_of(user).put(f"/api-credentials/{answer['id']}", {"label": "Renamed"})

    assert response.json()["label"] == "Renamed"
    with tenancy.acting_as(user.id):
        assert SyncRun.objects.count() == 1


def test_half_a_key_is_told() -> None:
    user = UserFactory.create()
    answer = _save(user)

    response = client_of(user).put(f"/api-credentials/{answer['id']}", {"apiKey": "n" * 64})

    assert problem(response) == (400, "invalid", [("/secretKey", "key_incomplete")])


def test_deleting_destroys_the_key_and_hides_the_account() -> None:
    user = UserFactory.create()
    answer = _save(user)
    client = client_of(user)

    assert client.delete(f"/api-credentials/{answer['id']}").status_code == 204
    assert problem(client.delete(f"/api-credentials/{answer['id']}")) == (404, "not_found", [])
    assert client.get(f"/api-credentials/user/{user.id}").json() == []


@pytest.mark.parametrize("method", ["put", "delete"])
@pytest.mark.parametrize("whose", ["foreign", "missing"])
def test_a_foreign_account_is_not_found_and_stays_as_it_is(method: str, whose: str) -> None:
    owner = UserFactory.create()
    theirs = _save(owner)
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
    answer = _save(user)
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
        client.post(SAVE, {**NEW, "exchange": "bitget", "label": "x"}),
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


def test_what_the_check_found_is_in_the_answer() -> None:
    user = UserFactory.create()
    answer = _save(user)
    with tenancy.acting_as(user.id):
        ExchangeAccount.objects.update(
            key_state="good", permissions=["SPOT"], account_type="SPOT", can_trade=True, ip_restricted=False
        )

    [shown] = client_of(user).get(f"/api-credentials/user/{user.id}").json()

    assert (shown["id"], shown["permissions"], shown["accountType"]) == (answer["id"], ["SPOT"], "SPOT")
    assert [text.split(".")[0] for text in shown["keyWarnings"]] == [
        "The key may trade",
        "The key works from any address",
    ]


@pytest.mark.parametrize("stepped_up_at", [None, timedelta(minutes=10, seconds=1)])
@pytest.mark.parametrize(
    ("method", "body"),
    [("post", NEW), ("put", {"secretKey": "t" * 64}), ("put", {"apiKey": "n" * 64, "secretKey": "t" * 64}),
     ("delete", None)],
)  # fmt: skip
def test_touching_a_key_wants_the_password_shown_lately(
    method: str, body: dict[str, str] | None, stepped_up_at: timedelta | None
) -> None:
    user = UserFactory.create()
    answer = _save(user)
    with tenancy.acting_as(user.id):
        before = list(ApiCredential.objects.values())
    client = client_of(user)
    Session.objects.update(stepped_up_at=stepped_up_at and clock.now() - stepped_up_at)

    path = SAVE if method == "post" else f"/api-credentials/{answer['id']}"

    assert problem(getattr(client, method)(path, body)) == (403, "step_up_required", [])
    with tenancy.acting_as(user.id):
        assert list(ApiCredential.objects.values()) == before


def test_a_label_is_changed_without_showing_the_password_again() -> None:
    user = UserFactory.create()
    answer = _save(user)
    client = client_of(user)
    Session.objects.update(stepped_up_at=None)

    response = client.put(f"/api-credentials/{answer['id']}", {**answer, "label": "Renamed"})

    assert (response.status_code, response.json()["label"]) == (200, "Renamed")


@pytest.mark.parametrize("method", ["post", "put"])
def test_saving_a_key_wants_a_confirmed_address(method: str) -> None:
    user = UserFactory.create()
    answer = _save(user)
    User.objects.update(is_verified=False)
    path = SAVE if method == "post" else f"/api-credentials/{answer['id']}"

    response = getattr(client_of(user), method)(path, {**NEW, "label": "Other"} if method == "post" else
                                                {"secretKey": "t" * 64})  # fmt: skip

    assert problem(response) == (403, "email_not_verified", [])


def test_without_mails_addresses_need_no_confirmation(settings: Settings) -> None:
    settings.VERIFY_EMAIL = False

    _save(UserFactory.create(is_verified=False))


def test_a_token_may_read_what_is_connected_and_change_nothing() -> None:
    user = UserFactory.create()
    answer = _save(user)
    token = api_tokens.create(user=user, name="x", can_trade=True, expires_in_days=1, at=clock.now()).token
    path = f"/api-credentials/{answer['id']}"

    assert with_token(token).get(f"/api-credentials/user/{user.id}").json() == [answer]
    for call in (
        with_token(token).post(SAVE, {**NEW, "label": "x"}),
        with_token(token).put(path, {"label": "x"}),
        with_token(token).delete(path),
    ):
        assert problem(call) == (403, "token_not_allowed", [])


@pytest.mark.parametrize("exchange", ["alpha_vantage", "fred"])
def test_the_key_of_a_data_source_needs_no_secret_and_is_never_synced(exchange: str) -> None:
    user = UserFactory.create()
    key = {"exchange": exchange, "apiKey": "a" * 16, "label": "Data"}

    response = client_of(user).post(SAVE, key)

    answer = response.json()
    assert response.status_code == 201
    assert (answer["exchange"], answer["apiKey"], answer["keyState"]) == (exchange, "****aaaa", "unchecked")
    assert "used when these data are fetched" in answer["keyNote"]
    with tenancy.acting_as(user.id):
        assert (SyncRun.objects.count(), ApiCredential.objects.count()) == (0, 1)
    assert client_of(user).get("/user/me").json()["configuredExchanges"] == []
    assert client_of(user).get("/api/sync").json()["results"] == []
    assert problem(client_of(user).post("/api/sync", {"account": "Data"}))[:2] == (404, "not_found")


def test_a_data_source_is_no_part_of_all_accounts() -> None:
    user = UserFactory.create()
    _save(user)
    client_of(user).post(SAVE, {"exchange": "fred", "apiKey": "a" * 16})

    with tenancy.acting_as(user.id):
        everything, data = scope.resolve(), scope.resolve(exchange="fred")
        ids = list(ExchangeAccount.objects.filter(exchange="binance").values_list("id", flat=True))

    assert (list(everything.account_ids), data.account_ids) == (ids, ())


def test_after_deleting_no_ciphertext_is_left_in_the_table() -> None:
    user = UserFactory.create()
    answer = _save(user)
    client_of(user).delete(f"/api-credentials/{answer['id']}")

    with tenancy.as_system("admin"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM credentials_apicredential WHERE user_id = %s", [user.id])
        left = cursor.fetchone()
        cursor.execute("SELECT is_active FROM credentials_exchangeaccount WHERE id = %s", [answer["id"]])
        account = cursor.fetchone()
    assert (left, account) == ((0,), (False,))


class Exchange:
    """Stands for a worker: gives its verdict at the n-th look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, looks: int, **verdict: Any) -> None:
        self.looks, self.verdict, self.slept = looks, verdict, 0
        monkeypatch.setattr("web.connections.time.sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        assert tenancy._door.get() is None  # nobody waits with a transaction open
        self.slept += 1
        if self.slept == self.looks:
            with tenancy.as_system("admin"):
                ExchangeAccount.unscoped.update(**self.verdict)


def test_saving_waits_for_the_verdict(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.KEY_CHECK_SECONDS = 10
    exchange = Exchange(monkeypatch, looks=3, key_state="good", permissions=["SPOT"])

    answer = _save(UserFactory.create())

    assert (answer["keyState"], answer["permissions"], exchange.slept) == ("good", ["SPOT"], 3)


def test_a_refusal_comes_with_the_answer(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.KEY_CHECK_SECONDS = 10
    Exchange(monkeypatch, looks=1, key_state="disabled", key_note="This key may withdraw.")

    answer = _save(UserFactory.create())

    assert (answer["keyState"], answer["keyNote"]) == ("disabled", "This key may withdraw.")


def test_when_no_verdict_comes_the_answer_says_unchecked(settings: Settings) -> None:
    settings.KEY_CHECK_SECONDS = 0.3

    assert _save(UserFactory.create())["keyState"] == "unchecked"
