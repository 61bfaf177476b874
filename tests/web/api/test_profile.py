"""`/user/me`: shown, changed, closed."""

from datetime import datetime
from typing import Any

import pytest

from accounts.models import Session, User
from core import clock
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import PASSWORD, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(email="alice@example.com", name="Alice")


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


def test_the_profile_is_the_frontends_user_and_more(alice: User, as_alice: JsonClient) -> None:
    AccountFactory.create(user=alice)

    assert as_alice.get("/user/me").json() == {
        "id": str(alice.id),
        "email": "alice@example.com",
        "displayName": "Alice",
        "createdAt": alice.created_at.isoformat().replace("+00:00", "Z"),
        "configuredExchanges": ["binance"],
        "isVerified": True,
        "twoFactorEnabled": False,
        "pendingEmail": "",
        "dateOfBirth": None,
        "reportingCurrency": "USDT",
        "costMethod": "average",
        "costScope": "account",
        "booksToRecompute": 0,
    }


def test_what_is_given_is_changed_and_the_rest_stays(alice: User, as_alice: JsonClient) -> None:
    response = as_alice.patch("/user/me", {"name": " Alicia ", "date_of_birth": "1990-05-17"})

    assert response.status_code == 200
    assert (response.json()["displayName"], response.json()["dateOfBirth"]) == (
        "Alicia",
        "1990-05-17T00:00:00Z",
    )
    assert as_alice.patch("/user/me", {"cost_method": "fifo"}).json()["displayName"] == "Alicia"
    assert as_alice.patch("/user/me", {"cost_scope": "all"}).json()["costScope"] == "all"
    assert as_alice.patch("/user/me", {"date_of_birth": None}).json()["dateOfBirth"] is None
    alice.refresh_from_db()
    assert (alice.name, alice.cost_method, alice.cost_scope) == ("Alicia", "fifo", "all")
    assert alice.email == "alice@example.com"


def test_nothing_given_changes_nothing(alice: User, as_alice: JsonClient) -> None:
    assert as_alice.patch("/user/me", {}).json() == as_alice.get("/user/me").json()


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": ""}, ("/name", "blank")),
        ({"name": "x" * 151}, ("/name", "max_length")),
        ({"name": "a\x1bb"}, ("/name", "unprintable")),
        ({"date_of_birth": "3000-01-01"}, ("/date_of_birth", "in_the_future")),
        ({"cost_method": "best"}, ("/cost_method", "invalid_choice")),
        ({"cost_scope": "some"}, ("/cost_scope", "invalid_choice")),
        ({"email": "new@example.com"}, ("/email", "unknown")),
        ({"isVerified": True}, ("/isVerified", "unknown")),
        ({"is_staff": True}, ("/is_staff", "unknown")),
        ({"reporting_currency": "EUR"}, ("/reporting_currency", "unknown")),
    ],
)
def test_bad_input_is_told_at_its_member(
    alice: User, as_alice: JsonClient, changes: dict[str, Any], refused: tuple[str, str]
) -> None:
    assert problem(as_alice.patch("/user/me", changes)) == (400, "invalid", [refused])
    alice.refresh_from_db()
    assert (alice.name, alice.cost_method, alice.is_staff) == ("Alice", "average", False)
    assert alice.cost_scope == "account"


def test_closing_needs_the_password_and_ends_everything(alice: User, as_alice: JsonClient) -> None:
    wrong = as_alice.delete("/user/me", {"password": "wrong"})
    assert problem(wrong) == (400, "invalid", [("/password", "wrong_password")])

    response = as_alice.delete("/user/me", {"password": PASSWORD})

    assert (response.status_code, response.content) == (204, b"")
    assert problem(as_alice.get("/user/me"))[:2] == (401, "invalid_token")
    again = stranger().post("/auth/login", {"email": "alice@example.com", "password": PASSWORD})
    assert problem(again)[:2] == (401, "invalid_credentials")
    assert User.objects.get(id=alice.id).is_deleted


def test_closing_needs_a_fresh_log_in(alice: User, as_alice: JsonClient) -> None:
    Session.objects.update(stepped_up_at=datetime(2020, 1, 1, tzinfo=clock.now().tzinfo))

    assert problem(as_alice.delete("/user/me", {"password": PASSWORD})) == (403, "step_up_required", [])
    assert not User.objects.get(id=alice.id).is_deleted


@pytest.mark.parametrize(
    "body", [None, {}, {"password": ""}, {"password": 1}, {"password": PASSWORD, "sure": True}]
)
def test_closing_without_the_right_body_is_refused(alice: User, as_alice: JsonClient, body: Any) -> None:
    assert problem(as_alice.delete("/user/me", body))[0] == 400
    assert not User.objects.get(id=alice.id).is_deleted


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_stranger_is_refused(method: str) -> None:
    assert problem(getattr(stranger(), method)("/user/me")) == (401, "not_authenticated", [])


def test_a_wrong_method_is_a_problem(as_alice: JsonClient) -> None:
    response = as_alice.put("/user/me", {})

    assert problem(response) == (405, "method_not_allowed", [])
    assert {"GET", "PATCH", "DELETE"} <= set(response.headers["Allow"].split(", "))


def test_the_document_knows_the_body_of_delete() -> None:
    document = stranger().get("/api/schema/?format=json").json()

    body = document["paths"]["/user/me"]["delete"]["requestBody"]["content"]["application/json"]
    assert body == {"schema": {"$ref": "#/components/schemas/CloseRequest"}}
