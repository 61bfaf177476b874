"""Who may touch a key, what of it is kept, and what the check of a new one answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts import api_tokens
from accounts.models import Session, User
from core import clock
from core.django import tenancy
from credentials import scope
from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import SyncRun
from tests.clients import client_of, problem, with_token
from tests.factories import UserFactory
from tests.web.api.keys import NEW, SAVE, save

pytestmark = pytest.mark.django_db


def test_what_the_check_found_is_in_the_answer() -> None:
    user = UserFactory.create()
    answer = save(user)
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


def test_an_account_is_not_closed_by_saying_so() -> None:
    user = UserFactory.create()
    path = f"/api-credentials/{save(user)['id']}"

    told = problem(client_of(user).put(path, {"label": "Other", "isActive": False}))

    assert told == (400, "invalid", [("/isActive", "invalid")])


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
    answer = save(user)
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
    answer = save(user)
    client = client_of(user)
    Session.objects.update(stepped_up_at=None)

    response = client.put(f"/api-credentials/{answer['id']}", {**answer, "label": "Renamed"})

    assert (response.status_code, response.json()["label"]) == (200, "Renamed")


@pytest.mark.parametrize("method", ["post", "put"])
def test_saving_a_key_wants_a_confirmed_address(method: str) -> None:
    user = UserFactory.create()
    answer = save(user)
    User.objects.update(is_verified=False)
    path = SAVE if method == "post" else f"/api-credentials/{answer['id']}"

    response = getattr(client_of(user), method)(path, {**NEW, "label": "Other"} if method == "post" else
                                                {"secretKey": "t" * 64})  # fmt: skip

    assert problem(response) == (403, "email_not_verified", [])


def test_without_mails_addresses_need_no_confirmation(settings: Settings) -> None:
    settings.VERIFY_EMAIL = False

    save(UserFactory.create(is_verified=False))


def test_a_token_may_read_what_is_connected_and_change_nothing() -> None:
    user = UserFactory.create()
    answer = save(user)
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
    save(user)
    client_of(user).post(SAVE, {"exchange": "fred", "apiKey": "a" * 16})

    with tenancy.acting_as(user.id):
        everything, data = scope.resolve(), scope.resolve(exchange="fred")
        ids = list(ExchangeAccount.objects.filter(exchange="binance").values_list("id", flat=True))

    assert (list(everything.account_ids), data.account_ids) == (ids, ())


def test_after_deleting_no_ciphertext_is_left_in_the_table() -> None:
    user = UserFactory.create()
    answer = save(user)
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

    answer = save(UserFactory.create())

    assert (answer["keyState"], answer["permissions"], exchange.slept) == ("good", ["SPOT"], 3)


def test_a_refusal_comes_with_the_answer(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.KEY_CHECK_SECONDS = 10
    Exchange(monkeypatch, looks=1, key_state="disabled", key_note="This key may withdraw.")

    answer = save(UserFactory.create())

    assert (answer["keyState"], answer["keyNote"]) == ("disabled", "This key may withdraw.")


def test_when_no_verdict_comes_the_answer_says_unchecked(settings: Settings) -> None:
    settings.KEY_CHECK_SECONDS = 0.3

    assert save(UserFactory.create())["keyState"] == "unchecked"
