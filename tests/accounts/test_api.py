"""Refresh and log-out over HTTP."""

from typing import Any

import pytest

from tests.clients import client_of, log_in, problem, stranger, with_token
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_refreshing_answers_new_tokens_and_is_not_stored_by_caches() -> None:
    tokens = log_in(UserFactory.create())

    response = stranger().post("/auth/refresh", {"refresh_token": tokens.refresh_token})

    assert response.status_code == 200
    assert sorted(response.json()) == ["access_token", "refresh_token"]
    assert "no-store" in response.headers["Cache-Control"]
    assert with_token(response.json()["access_token"]).get("/user/me").status_code == 200


def test_a_reused_refresh_token_ends_the_session_over_http() -> None:
    tokens = log_in(UserFactory.create())
    stranger().post("/auth/refresh", {"refresh_token": tokens.refresh_token})

    replay = stranger().post("/auth/refresh", {"refresh_token": tokens.refresh_token})

    assert problem(replay) == (401, "token_reused", [])
    assert problem(with_token(tokens.access_token).get("/user/me")) == (401, "invalid_token", [])


def test_an_access_token_is_no_refresh_token() -> None:
    token = log_in(UserFactory.create()).access_token[:200]

    assert problem(stranger().post("/auth/refresh", {"refresh_token": token})) == (401, "invalid_token", [])


def test_log_out_ends_the_session_at_the_next_request() -> None:
    tokens = log_in(UserFactory.create())
    client = with_token(tokens.access_token)

    response = client.post("/auth/logout", {"refresh_token": tokens.refresh_token})

    assert (response.status_code, response.content) == (204, b"")
    assert problem(client.get("/user/me")) == (401, "invalid_token", [])
    assert problem(stranger().post("/auth/refresh", {"refresh_token": tokens.refresh_token}))[0] == 401


def test_log_out_needs_no_body() -> None:
    client = client_of(UserFactory.create())

    assert client.post("/auth/logout").status_code == 204
    assert client.post("/auth/logout").status_code == 401


def test_a_stranger_cannot_log_out() -> None:
    response = stranger().post("/auth/logout")

    assert problem(response) == (401, "not_authenticated", [])
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_a_wrong_method_is_a_problem(path: str) -> None:
    response = client_of(UserFactory.create()).get(path)

    assert problem(response) == (405, "method_not_allowed", [])
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"refresh_token": None},
        {"refresh_token": 1.5},
        {"refresh_token": ["x"]},
    ],
)
def test_what_is_no_refresh_token_is_refused(body: Any) -> None:
    response = stranger().post("/auth/refresh", body)

    assert response.status_code in (400, 401)
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"\\ud800": 1}',
        b'{"refresh_token": "\\ud800"}',
        b"[" * 200_000,
        b'{"a": NaN}',
    ],
)
def test_a_garbled_body_is_a_problem(raw: bytes) -> None:
    response = stranger().generic("POST", "/auth/refresh", raw.decode(), content_type="application/json")

    assert problem(response)[0] == 400


def test_an_unknown_query_parameter_is_refused() -> None:
    response = stranger().post("/auth/refresh?verbose=1", {"refresh_token": "x"})

    assert problem(response) == (400, "invalid", [("/verbose", "unknown")])


def test_another_content_type_is_refused() -> None:
    response = stranger().generic("POST", "/auth/refresh", "a=b", content_type="text/plain")

    assert problem(response) == (415, "unsupported_media_type", [])
