"""Logging in, and who is logged in, with the exchanges they connected."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.clients import client_of, problem, stranger, with_token
from tests.factories import PASSWORD, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def _shape(user: User, exchanges: list[str]) -> dict[str, object]:
    return {
        "id": str(user.id),
        "email": user.email,
        "displayName": user.name,
        "createdAt": user.created_at.isoformat().replace("+00:00", "Z"),
        "configuredExchanges": exchanges,
        "isVerified": True,
        "twoFactorEnabled": False,
        "pendingEmail": "",
        "dateOfBirth": None,
        "reportingCurrency": "USDT",
        "costMethod": "average",
        "costScope": "account",
        "booksToRecompute": 0,
    }


def test_logging_in_answers_tokens_and_the_user_with_exchanges() -> None:
    user = UserFactory.create()
    (
        AccountFactory.create(user=user),
        AccountFactory.create(user=user),
        AccountFactory.create(user=user, exchange="bitget"),
    )
    (
        AccountFactory.create(user=user, exchange="mexc", is_active=False),
        AccountFactory.create(exchange="gateio"),
    )

    response = stranger().post("/auth/login", {"email": user.email, "password": PASSWORD})

    assert response.status_code == 200
    assert sorted(response.json()) == ["access_token", "refresh_token", "user"]
    assert response.json()["user"] == _shape(user, ["binance", "bitget"])
    assert "no-store" in response.headers["Cache-Control"]


def test_the_access_token_tells_who_one_is() -> None:
    user = UserFactory.create()
    tokens = stranger().post("/auth/login", {"email": user.email, "password": PASSWORD}).json()

    response = with_token(tokens["access_token"]).get("/user/me")

    assert response.json() == _shape(user, [])


def test_the_answer_is_the_same_for_a_wrong_email_and_a_wrong_password() -> None:
    user = UserFactory.create()
    UserFactory.create(email="gone@example.com", is_active=False)
    answers = {
        stranger().post("/auth/login", {"email": email, "password": password}).content
        for email, password in [
            (user.email, "wrong"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("no e-mail", PASSWORD),
        ]
    }

    assert len(answers) == 1
    assert b"invalid_credentials" in answers.pop()


def test_a_wrong_log_in_is_unauthorized() -> None:
    response = stranger().post("/auth/login", {"email": "nobody@example.com", "password": "x"})

    assert problem(response) == (401, "invalid_credentials", [])


def test_a_log_in_without_password_is_told() -> None:
    response = stranger().post("/auth/login", {"email": "a@example.com", "otp": "1"})

    assert problem(response) == (400, "invalid", [("/password", "required"), ("/otp", "unknown")])


def test_a_stranger_is_nobody() -> None:
    assert problem(stranger().get("/user/me")) == (401, "not_authenticated", [])


@pytest.mark.parametrize(("method", "path"), [("get", "/auth/login"), ("put", "/user/me")])
def test_a_wrong_method_is_a_problem(method: str, path: str) -> None:
    response = getattr(client_of(UserFactory.create()), method)(path)

    assert problem(response) == (405, "method_not_allowed", [])


def test_a_request_looks_its_session_up_once_and_notes_the_user_once() -> None:
    user = UserFactory.create()
    client = client_of(user)
    client.get("/user/me")

    with CaptureQueriesContext(connection) as queries:
        client.get("/user/me")

    user.refresh_from_db()
    assert user.seen_at is not None
    assert sum("accounts_session" in query["sql"] for query in queries.captured_queries) == 1
    assert sum(query["sql"].startswith("UPDATE") for query in queries.captured_queries) == 0
