"""Fixtures of every room. The test database is made by the owner; tests run as `cgt_app`."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from core.django import actors
from core.django.actors import Actor, ActorKind
from exchanges import registry
from pipeline import shared
from tests.clients import PageClient

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The database is created, and migrated, by the log-in role."""
    connection.settings_dict["TEST"]["NAME"] = os.environ.get("DJANGO_TEST_DB")
    connection.settings_dict["OPTIONS"].pop("assume_role", None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Between making and dropping the database every connection takes the application's role."""
    connection.settings_dict["OPTIONS"]["assume_role"] = "cgt_app"
    with django_db_blocker.unblock():
        connection.close()
    yield
    connection.settings_dict["OPTIONS"].pop("assume_role")
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: object) -> None:
    """Hashing is tested where it matters; elsewhere it only costs time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _no_waiting(settings: object) -> None:
    """No worker runs beside the tests: nobody would answer whoever waits for a key's check, or reads live."""
    settings.KEY_CHECK_SECONDS = settings.LIVE_READ_SECONDS = 0  # type: ignore[attr-defined]


@pytest.fixture
def as_worker() -> Iterator[None]:
    """What a test does is done by a worker, who may open keys."""
    with actors.acting(Actor(kind=ActorKind.WORKER)):
        yield


@pytest.fixture(autouse=True)
def _uncounted(settings: object) -> None:
    """Sweeps make thousands of requests a minute; rate limits have tests of their own."""
    settings.RATE_LIMIT = settings.RATE_LIMIT_SENSITIVE = ""  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _own_exchange_state(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers share of exchanges is each test's own, in a database nobody flushes; simulators allow everything."""
    url = re.sub(r"(db=|/)\d+$", r"\g<1>9", settings.REDIS_URL)  # type: ignore[attr-defined]
    settings.EXCHANGE_STATE_URL = url  # type: ignore[attr-defined]
    settings.EXCHANGE_BUDGET_PERCENT = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(shared, "PREFIX", f"test:{uuid4().hex}")


@pytest.fixture(autouse=True)
def _patient(settings: object) -> None:
    """However slow the machine is, Redis is waited for; a dead one refuses at once."""
    settings.REDIS_PATIENCE_SECONDS = 20  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _nobody() -> Iterator[None]:
    """Whoever a test let act is gone after it."""
    with actors.acting(actors.NOBODY):
        yield


@pytest.fixture
def only_binance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other exchanges have no adapter, whichever have one by now."""
    monkeypatch.setattr(registry, "_EXCHANGES", {"binance": registry.supported()["binance"]})


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    """A browser without cookies; `force_login` logs somebody in."""
    return PageClient()


@pytest.fixture
def now() -> datetime:
    return NOW
