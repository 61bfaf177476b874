"""Asking for a sync and watching it over the API."""

from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.models import RejectedRow, RunStatus, Stream, SyncCursor, SyncRun, Trigger
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    user: User = UserFactory.create()
    return user


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    return made


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


def test_a_sync_is_accepted_and_can_be_watched(account: ExchangeAccount, as_alice: JsonClient) -> None:
    answer = as_alice.post("/api/sync")

    (run,) = answer.json()["results"]
    watched = as_alice.get(answer.headers["Location"])
    assert (answer.status_code, watched.status_code) == (202, 200)
    assert watched.json() == run
    names = ("account_id", "status", "is_under_way", "trigger", "error_kind", "explanation")
    assert [run[name] for name in names] == [str(account.id), "queued", True, "user", "", ""]


def test_asking_twice_answers_the_run_under_way(account: ExchangeAccount, as_alice: JsonClient) -> None:
    first, second = (as_alice.post("/api/sync").headers["Location"] for _ in range(2))

    assert first == second


def test_an_account_is_chosen_by_id_or_label(account: ExchangeAccount, as_alice: JsonClient) -> None:
    AccountFactory.create(user=account.user, label="Other")

    for name in ("Main", str(account.id)):
        runs = as_alice.post("/api/sync", {"account": name}).json()["results"]
        assert [run["account_id"] for run in runs] == [str(account.id)]
    assert len(as_alice.post("/api/sync", {}).json()["results"]) == 2


def test_without_an_account_there_is_nothing_to_sync(as_alice: JsonClient) -> None:
    assert problem(as_alice.post("/api/sync"))[:2] == (409, "no_account")


def test_a_closed_account_cannot_be_synced(account: ExchangeAccount, as_alice: JsonClient) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(is_active=False)

    assert problem(as_alice.post("/api/sync", {"account": str(account.id)}))[0] == 404


def test_the_state_tells_every_account_with_its_latest_run(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    at = clock.now()
    with tenancy.acting_as(account.user_id):
        owner = {"user": account.user, "account": account}
        run = SyncRun.objects.create(
            **owner, trigger=Trigger.SCHEDULE, status=RunStatus.PARTIAL, requested_at=at, counts={"fills": 3}
        )
        SyncCursor.objects.create(**owner, stream=Stream.BALANCES, due_at=at, last_ok_at=at)
        RejectedRow.objects.create(
            **owner, run=run, stream=Stream.FILLS, reason="no price", raw={}, digest="d"
        )

    body = as_alice.get("/api/sync").json()

    (state,) = body["results"]
    assert [state[name] for name in ("label", "exchange", "rejected", "key_state")] == [
        "Main", "binance", 1, "unchecked",
    ]  # fmt: skip
    assert (state["run"]["id"], state["run"]["counts"]) == (run.pk, {"fills": 3})
    assert [(row["stream"], row["failing"]) for row in state["streams"]] == [("balances", 0)]
    assert body["next_cursor"] is None


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/api/sync"), ("post", "/api/sync"), ("get", "/api/sync/1")]
)
def test_a_stranger_is_asked_to_log_in(method: str, path: str) -> None:
    assert problem(getattr(stranger(), method)(path))[:2] == (401, "not_authenticated")


def test_another_user_sees_and_moves_nothing(account: ExchangeAccount, as_alice: JsonClient) -> None:
    location = as_alice.post("/api/sync").headers["Location"]
    as_bob = client_of(UserFactory.create())

    assert problem(as_bob.get(location))[0] == 404
    assert problem(as_bob.post("/api/sync", {"account": str(account.id)}))[0] == 404
    assert as_bob.get("/api/sync").json()["results"] == []


@pytest.mark.parametrize("model", [SyncRun, SyncCursor])
def test_the_database_refuses_when_the_queryset_is_unscoped(
    model: Any, account: ExchangeAccount, as_alice: JsonClient
) -> None:
    as_alice.post("/api/sync")
    bob = UserFactory.create()

    with tenancy.acting_as(bob.id):
        seen = model.unscoped.count()
    with tenancy.acting_as(account.user_id):
        own = model.unscoped.count()

    assert seen == 0
    assert own > 0


def test_wrong_methods_are_refused(as_alice: JsonClient) -> None:
    answers = [problem(as_alice.put("/api/sync")), problem(as_alice.post("/api/sync/1"))]

    assert [answer[:2] for answer in answers] == [(405, "method_not_allowed")] * 2


@pytest.mark.parametrize("run_id", ["0", "99999999999999999999999"])
def test_a_run_that_is_not_there(run_id: str, as_alice: JsonClient) -> None:
    assert problem(as_alice.get(f"/api/sync/{run_id}"))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{"acount": "Main"}, {"account": ""}, {"account": None}, {"account": "x" * 101}]
)
def test_bad_bodies_are_refused(body: dict[str, Any], as_alice: JsonClient) -> None:
    status, _, errors = problem(as_alice.post("/api/sync", body))

    assert (status, [pointer for pointer, _ in errors]) == (400, [f"/{next(iter(body))}"])


def test_unknown_parameters_are_refused(as_alice: JsonClient) -> None:
    assert problem(as_alice.get("/api/sync?x=1")) == (400, "invalid", [("/x", "unknown")])
