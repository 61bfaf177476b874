"""What surrounds every request: headers, origins, patience, one line of the log."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from tests.clients import client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory
from tests.logs import Log

pytestmark = pytest.mark.django_db
ORIGIN = "https://app.example.com"
SAVE = "/api-credentials/save-credentials"


@pytest.fixture
def alice() -> User:
    return UserFactory.create()


@pytest.fixture
def log() -> Iterator[Log]:
    with Log.captured() as log:
        yield log


@pytest.mark.parametrize(
    "path", ["/login", "/user/me", "/api/nowhere", "/admin/login/", "/api/docs/", "/health/live"]
)
def test_every_answer_has_the_security_headers(path: str, client: Client) -> None:
    headers = client.get(path, headers={"accept": "text/html, application/json"}).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/login", "/admin/login/", "/", "/api/nowhere"])
def test_no_script_stands_in_a_page(path: str, client: Client) -> None:
    policy = policy_of(client.get(path))

    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
        "font-src": "'self'", "connect-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'",
        "base-uri": "'none'", "object-src": "'none'",
    }  # fmt: skip


def policy_of(answer: Any) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, _, sources in parts if name}


def test_the_readable_document_relaxes_styles_alone(client: Client) -> None:
    relaxed, strict = policy_of(client.get("/api/docs/")), policy_of(client.get("/login"))

    assert relaxed.items() - strict.items() == {("style-src", "'self' 'unsafe-inline'")}


def test_behind_tls_the_browser_is_told_to_stay_there(settings: Any, client: Client) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

    answer = client.get("/health/live", secure=True)

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_no_origin_but_our_own_is_let_in_by_default() -> None:
    answer = stranger().get("/health/live", HTTP_ORIGIN=ORIGIN)

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_listed_origin_reads_answers_and_their_headers(settings: Any, alice: User) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    headers = client_of(alice).get("/user/me", HTTP_ORIGIN=ORIGIN).headers

    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in headers
    assert {
        "ETag",
        "Link",
        "RateLimit",
        "Retry-After",
        "X-Request-ID",
        "X-Data-As-Of",
        "X-Data-Stale",
        "X-Data-Grade",
        "X-Data-Grade-Reasons",
    } <= set(headers["Access-Control-Expose-Headers"].split(", "))


def test_a_listed_origin_may_ask_beforehand(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    asked: dict[str, Any] = {
        "HTTP_ORIGIN": ORIGIN,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization, content-type",
    }

    allowed = stranger().generic("OPTIONS", SAVE, **asked)
    refused = stranger().generic("OPTIONS", SAVE, **(asked | {"HTTP_ORIGIN": "https://evil.example"}))

    assert allowed.status_code == 200
    assert "authorization" in allowed.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_proxys_request_id_is_kept_if_it_is_a_plain_word(client: Client) -> None:
    kept = client.get("/health/live", headers={"x-request-id": "proxy-7f3a9c21"})
    replaced = client.get("/health/live", headers={"x-request-id": "two words\n"})

    assert kept.headers["X-Request-ID"] == "proxy-7f3a9c21"
    assert len(replaced.headers["X-Request-ID"]) == 32


@pytest.fixture
def slow_changes(account: ExchangeAccount) -> Iterator[None]:
    """Every change of an exchange account takes longer than anybody waits."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;"
            "CREATE TRIGGER slow AFTER UPDATE ON credentials_exchangeaccount FOR EACH ROW EXECUTE FUNCTION slow()"
        )
        cursor.execute("SET ROLE cgt_app")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("DROP TRIGGER slow ON credentials_exchangeaccount; DROP FUNCTION slow()")
        cursor.execute("SET ROLE cgt_app")


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return AccountFactory.create(user=alice, label="Before")


def test_a_statement_that_takes_too_long_is_a_503_and_nothing_is_half_done(
    alice: User, account: ExchangeAccount, slow_changes: None
) -> None:
    client = client_of(alice)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")

    answer = client.put(f"/api-credentials/{account.id}", {"label": "After"})

    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
    assert problem(answer)[:2] == (503, "timeout")
    assert answer.headers["Retry-After"] == "5"
    with tenancy.acting_as(alice.id):
        assert [account.label for account in ExchangeAccount.objects.all()] == ["Before"]


def _fail(*_: Any, **__: Any) -> Any:
    raise OperationalError("server closed the connection: canary")


def test_a_database_that_is_away_is_a_503(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(alice)
    monkeypatch.setattr("web.api.session.profiles.profile_of", _fail)

    answer = client.get("/user/me")

    assert problem(answer)[:2] == (503, "unavailable")
    assert b"canary" not in answer.content


def test_a_page_says_it_to_people_too(alice: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(alice)
    monkeypatch.setattr("web.pages.dashboard.tenancy.acting_as", _fail)

    answer = client.get("/", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"canary" not in answer.content


def test_the_admin_says_it_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    monkeypatch.setattr("web.middleware.tenancy.as_system", _fail)

    answer = client.get("/admin/", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_one_line_a_request_tells_who_what_and_how_long(log: Log, alice: User) -> None:
    answer = client_of(alice).get("/user/me?token=canary", REMOTE_ADDR="192.0.2.9")

    [line] = [line for line in log.lines() if line["logger"] == "access"]
    assert line["duration_ms"] > 0
    assert line["time"]
    del line["duration_ms"], line["time"]
    assert line.pop("message").startswith("GET /user/me 400 ")
    assert line == {
        "level": "INFO", "logger": "access", "method": "GET", "path": "/user/me", "status": 400,
        "address": "192.0.2.9", "request_id": answer.headers["X-Request-ID"], "user_id": str(alice.id),
        "actor_kind": "user",
    }  # fmt: skip


def test_probes_are_not_worth_a_line(log: Log) -> None:
    stranger().get("/health/live")

    assert [line for line in log.lines() if line["logger"] == "access"] == []


def test_a_path_forges_no_line(log: Log) -> None:
    stranger().get("/nowhere%0A2026-01-01 INFO access []: GET /admin/ 200%00")

    [line] = [line for line in log.lines() if line["logger"] == "access"]
    assert line["path"] == "/nowhere2026-01-01 INFO access []: GET /admin/ 200"
