"""Whatever is wrong with a request to the API, the answer is a problem document (RFC 9457)."""

from typing import Any

import pytest
from django.test import Client

from tests.clients import client_of, problem, stranger
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def _log_in(body: Any, content_type: str = "application/json") -> Any:
    return stranger().generic("POST", "/auth/login", body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff", b"[" * 200_000, b'{"email":NaN}', b"1" * 6_000, b'{"email":1e99999999999999999999}'],
    ids=["truncated", "not UTF-8", "nested", "NaN", "digits", "exponent"],
)
def test_a_body_that_is_no_json_of_ours(body: bytes) -> None:
    assert problem(_log_in(body)) == (400, "parse_error", [])


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """The whole body is what is wrong: RFC 6901 points at it with nothing."""
    assert problem(_log_in(body)) == (400, "invalid", [("", "invalid" if body != b"null" else "null")])


def test_a_body_over_the_limit(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    assert problem(_log_in(b'{"email":"%b"}' % (b"x" * 100)))[:2] == (413, "body_too_large")


def test_a_body_of_another_type() -> None:
    answer = _log_in(b"email=a", "application/x-www-form-urlencoded")

    assert problem(answer)[:2] == (415, "unsupported_media_type")


def test_an_answer_of_another_type_is_asked_for() -> None:
    answer = client_of(UserFactory.create()).get("/api/fills", HTTP_ACCEPT="application/xml")

    assert problem(answer)[:2] == (406, "not_acceptable")


def test_who_asks_for_problems_alone_gets_answers_too() -> None:
    client = client_of(UserFactory.create())

    assert client.get("/user/me", HTTP_ACCEPT="application/problem+json").status_code == 200
    refused = client.get("/api/trades/1", HTTP_ACCEPT="application/problem+json;q=0.9")
    assert problem(refused)[:2] == (404, "not_found")


def test_a_body_that_says_it_is_over_the_limit_is_not_read(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = "x" * 101

    answer = stranger().generic("POST", "/auth/login", body, content_type="application/x-www-form-urlencoded")

    assert problem(answer)[:2] == (413, "body_too_large")


def test_a_page_says_it_to_people(settings: Any, client: Client) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = client.post("/login", {"email": "x" * 101}, headers={"accept": "text/html"})

    assert answer.status_code == 413
    assert "text/html" in answer.headers["Content-Type"]


def test_a_method_that_is_not_there() -> None:
    assert problem(stranger().put("/auth/login"))[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/api/nowhere", "/api/positions/open/", "/api-credentials/7", "/auth/nowhere"]
)
def test_a_path_that_is_not_there(path: str) -> None:
    assert problem(stranger().get(path))[:2] == (404, "not_found")


def test_the_schemas_problems_are_json_too() -> None:
    assert problem(stranger().post("/api/schema/"))[:2] == (405, "method_not_allowed")


def test_a_host_that_is_not_ours(client: Client) -> None:
    assert problem(client.get("/api/fills", headers={"host": "elsewhere.example.com"}))[:2] == (
        400,
        "bad_request",
    )


@pytest.mark.parametrize("path", ["/api/fills", "/api/trades/1", "/user/me", "/api/nowhere"])
def test_nobody_keeps_an_answer(path: str) -> None:
    answer = client_of(UserFactory.create()).get(path)

    assert "no-store" in answer.headers["Cache-Control"]
