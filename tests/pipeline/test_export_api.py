"""Exports over the API."""

from datetime import timedelta
from typing import Any

import pytest

from accounts import api_tokens
from accounts.models import Session, User
from core import clock
from credentials.models import ExchangeAccount
from pipeline import export_work
from tests.clients import JsonClient, client_of, problem, stranger, with_token
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import fill

pytestmark = pytest.mark.django_db
PATH = "/api/exports"
FILLS = {"kind": "fills", "format": "csv"}


@pytest.fixture
def alice(db: None) -> User:
    user: User = UserFactory.create(email="alice@example.com")
    return user


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    fill(made, "BUY", "1", "100", exchange_order_id="=1")
    return made


@pytest.fixture
def client(alice: User) -> JsonClient:
    return client_of(alice)


@pytest.fixture
def ready(client: JsonClient, account: ExchangeAccount) -> int:
    made: int = client.post(PATH, FILLS).json()["id"]
    assert export_work.write(user_id=account.user_id, export_id=made, at=clock.now())
    return made


def test_a_file_is_asked_for_and_watched(client: JsonClient, account: ExchangeAccount) -> None:
    answer = client.post(PATH, {**FILLS, "account": "Main", "since": "2026-01-01T00:00:00Z"})

    assert (answer.status_code, answer["Location"]) == (202, f"{PATH}/{answer.json()['id']}")
    shown = client.get(answer["Location"]).json()
    assert shown == answer.json()
    told = {
        name: shown[name] for name in ("kind", "format", "account", "state", "since", "row_count", "sha256")
    }
    assert told == {
        "kind": "fills", "format": "csv", "account": "Main", "state": "queued", "since": "2026-01-01T00:00:00Z",
        "row_count": None, "sha256": None,
    }  # fmt: skip


def test_the_same_request_again_answers_the_same_export(client: JsonClient, account: ExchangeAccount) -> None:
    first, second = (client.post(PATH, FILLS) for _ in range(2))

    assert (second.status_code, second.json()["id"]) == (202, first.json()["id"])


def test_a_file_is_downloaded_as_an_attachment_nobody_keeps(client: JsonClient, ready: int) -> None:
    answer = client.get(f"{PATH}/{ready}/download", HTTP_ACCEPT="text/csv")

    report = client.get(f"{PATH}/{ready}").json()
    headers = (
        "Content-Type", "Content-Disposition", "Content-Length", "ETag", "Cache-Control", "X-Content-Type-Options",
    )  # fmt: skip
    assert [answer[name] for name in headers] == [
        "text/csv; charset=utf-8",
        f'attachment; filename="{report["file_name"]}"',
        str(report["size"]),
        f'"{report["sha256"]}"',
        "no-store",
        "nosniff",
    ]
    assert len(answer.content) == report["size"]
    assert b'"\'=1"' in answer.content


def test_what_is_not_written_yet_is_a_conflict(client: JsonClient, account: ExchangeAccount) -> None:
    made = client.post(PATH, FILLS).json()["id"]

    answer = client.get(f"{PATH}/{made}/download", HTTP_ACCEPT="text/csv")
    assert problem(answer) == (409, "export_not_ready", [])


def test_a_deleted_one_is_gone(client: JsonClient, ready: int) -> None:
    assert client.delete(f"{PATH}/{ready}").status_code == 204
    assert client.get(f"{PATH}/{ready}").status_code == 404


def test_pages_go_on_where_they_ended(client: JsonClient, ready: int) -> None:
    other = client.post(PATH, {**FILLS, "format": "jsonl"}).json()["id"]

    first = client.get(PATH, {"limit": "1"}).json()
    second = client.get(PATH, {"limit": "1", "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [other, ready]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/kind", "/format"]),
        ({"kind": "keys", "format": "csv"}, ["/kind"]),
        ({**FILLS, "until": "yesterday"}, ["/until"]),
        ({**FILLS, "user": "1"}, ["/user"]),
        ({**FILLS, "since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, ["/until"]),
    ],
)
def test_bad_requests_say_what_is_wrong(client: JsonClient, body: Any, pointers: list[str]) -> None:
    status, _, errors = problem(client.post(PATH, body))

    assert (status, [pointer for pointer, _ in errors]) == (400, pointers)


def test_strangers_are_turned_away() -> None:
    for path in (PATH, f"{PATH}/1", f"{PATH}/1/download"):
        assert stranger().get(path).status_code == 401
    assert stranger().post(PATH, FILLS).status_code == 401


def test_anothers_export_and_account_are_not_there(ready: int, account: ExchangeAccount) -> None:
    bob = client_of(UserFactory.create())

    assert bob.get(f"{PATH}/{ready}").status_code == 404
    assert bob.get(f"{PATH}/{ready}/download").status_code == 404
    assert bob.delete(f"{PATH}/{ready}").status_code == 404
    assert bob.post(PATH, {**FILLS, "account": str(account.id)}).status_code == 404
    assert bob.get(PATH).json()["results"] == []


def test_other_methods_are_not_allowed(client: JsonClient, ready: int) -> None:
    assert client.put(PATH, FILLS).status_code == 405
    assert client.post(f"{PATH}/{ready}/download", {}).status_code == 405


def test_asking_and_downloading_need_a_fresh_log_in(client: JsonClient, alice: User, ready: int) -> None:
    Session.objects.filter(user=alice).update(stepped_up_at=clock.now() - timedelta(days=1))

    assert problem(client.post(PATH, FILLS))[:2] == (403, "step_up_required")
    assert problem(client.get(f"{PATH}/{ready}/download"))[:2] == (403, "step_up_required")
    assert client.get(f"{PATH}/{ready}").status_code == 200


def test_api_tokens_may_look_and_not_take_away(alice: User, ready: int) -> None:
    made = api_tokens.create(user=alice, name="program", expires_in_days=1, can_trade=True, at=clock.now())
    program = with_token(made.token)

    assert program.get(PATH).status_code == 200
    assert program.get(f"{PATH}/{ready}/download").status_code == 403
    assert program.post(PATH, FILLS).status_code == 403
    assert program.delete(f"{PATH}/{ready}").status_code == 403
