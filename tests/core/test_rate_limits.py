"""How many requests somebody may make, counted in Redis."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.django import rate_limits
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Any) -> Iterator[None]:
    """Its first database is flushed by other tests' runs."""
    settings.RATE_LIMIT = "3/minute"
    settings.REDIS_URL = re.sub(r"\d+$", "7", settings.REDIS_URL)
    rate_limits.counter.cache_clear()
    yield
    rate_limits.counter.cache_clear()


@pytest.fixture(autouse=True)
def address() -> str:
    """A fresh one for each test: windows outlive it."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


@pytest.fixture
def alice() -> User:
    return UserFactory.create()


def statuses(client: JsonClient, count: int, path: str = "/user/me", **extra: Any) -> list[int]:
    return [client.get(path, **extra).status_code for _ in range(count)]


def test_a_user_over_the_limit_is_told_when_to_come_back(alice: User) -> None:
    client = client_of(alice)
    assert statuses(client, 3) == [200, 200, 200]

    answer = client.get("/user/me")

    assert problem(answer)[:2] == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["retry_after"] == int(answer.headers["Retry-After"])


def test_every_answer_tells_policy_and_room(alice: User) -> None:
    client = client_of(alice)
    client.get("/user/me")
    answer = client.get("/user/me")

    assert answer.headers["RateLimit-Policy"] == '"user";q=3;w=60'
    name, remaining, reset = answer.headers["RateLimit"].split(";")
    assert (name, remaining) == ('"user"', "r=1")
    assert 1 <= int(reset.removeprefix("t=")) <= 60


def test_one_users_requests_do_not_count_against_anothers(alice: User, address: str) -> None:
    bob = UserFactory.create()
    assert statuses(client_of(alice), 4, REMOTE_ADDR=address) == [200, 200, 200, 429]
    assert statuses(client_of(bob), 3, REMOTE_ADDR=address) == [200, 200, 200]


def test_all_sessions_of_a_user_count_together(alice: User) -> None:
    assert statuses(client_of(alice), 2) == [200, 200]
    assert statuses(client_of(alice), 2) == [200, 429]


def test_requests_without_a_good_token_count_against_the_address(address: str) -> None:
    bad = JsonClient(HTTP_AUTHORIZATION="Bearer made.up.token")

    assert statuses(bad, 2, REMOTE_ADDR=address) == [401, 401]
    assert statuses(stranger(), 2, REMOTE_ADDR=address) == [401, 429]
    other = JsonClient(HTTP_AUTHORIZATION="Bearer another.made.up")
    assert statuses(other, 1, REMOTE_ADDR=address) == [429]


def test_documents_and_pages_count_too(address: str, client: Client, alice: User) -> None:
    assert statuses(stranger(), 4, "/api/schema/", REMOTE_ADDR=address)[-1] == 429

    client.force_login(alice)
    pages = [client.get("/", HTTP_ACCEPT="text/html") for _ in range(4)]
    assert [page.status_code for page in pages] == [200, 200, 200, 429]
    assert "text/html" in pages[-1].headers["Content-Type"]
    assert int(pages[-1].headers["Retry-After"]) >= 1


def test_probes_do_not_count(address: str) -> None:
    assert statuses(stranger(), 5, "/health/live", REMOTE_ADDR=address) == [200] * 5


def test_routes_that_take_passwords_are_held_tighter_by_address(settings: Any, address: str) -> None:
    settings.RATE_LIMIT, settings.RATE_LIMIT_SENSITIVE = "100/minute", "2/minute"
    client = stranger()
    bodies = [{"email": f"nobody{number}@example.com", "password": "x" * 12} for number in range(3)]

    answers = [client.post("/auth/login", body, REMOTE_ADDR=address) for body in bodies]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].headers["RateLimit-Policy"] == '"log-in";q=2;w=60'
    assert client.post("/auth/refresh", {"refresh_token": "x"}, REMOTE_ADDR=address).status_code == 401


def test_a_form_page_is_held_tighter_when_it_is_sent_only(
    settings: Any, address: str, client: Client
) -> None:
    settings.RATE_LIMIT, settings.RATE_LIMIT_SENSITIVE = "100/minute", "1/minute"
    shown = [client.get("/login", REMOTE_ADDR=address).status_code for _ in range(3)]
    sent = [
        client.post("/login", {"email": "a@example.com"}, REMOTE_ADDR=address).status_code for _ in range(2)
    ]

    assert (shown, sent) == ([200, 200, 200], [422, 429])


@pytest.mark.parametrize("name", sorted(configured.SENSITIVE_ROUTES))
def test_the_sensitive_routes_are_there(name: str) -> None:
    assert reverse(name)


def test_an_empty_limit_counts_nothing(settings: Any, alice: User) -> None:
    settings.RATE_LIMIT = ""
    client = client_of(alice)

    assert statuses(client, 5) == [200] * 5
    assert "RateLimit" not in client.get("/user/me").headers


def test_without_redis_everything_passes_and_the_log_says_so_once(
    settings: Any, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert statuses(client_of(alice), 6) == [200] * 6

    told = [record.getMessage() for record in caplog.records if record.name == rate_limits.__name__]
    assert told == ["Redis does not answer (ConnectionError): requests are not counted."]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002"),
        ("2001:db8:1:2::", "20010db800010002"),
        ("", "unknown"),
        ("elsewhere", "unknown"),
    ],
)
def test_a_subscriber_is_one_address_or_half_of_one(address: str, expected: str) -> None:
    assert rate_limits.network(address) == expected
