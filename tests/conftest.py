"""Fixtures of every room. The test database is made by the owner; tests run as `cgt_app`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from core.django import actors
from core.django.actors import Actor, ActorKind
from exchanges import registry
from tests import surroundings
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
def _surroundings(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    surroundings.apply(settings, monkeypatch)


@pytest.fixture
def as_worker() -> Iterator[None]:
    """What a test does is done by a worker, who may open keys."""
    with actors.acting(Actor(kind=ActorKind.WORKER)):
        yield


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
def _clean_cache(settings: object) -> Iterator[None]:
    """Of the cache that the test used: so it ends before the settings do."""
    yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    """A browser without cookies; `force_login` logs somebody in."""
    return PageClient()


@pytest.fixture
def now() -> datetime:
    return NOW
