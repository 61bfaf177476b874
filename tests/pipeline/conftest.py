"""Every test here speaks to a simulated Binance with the real adapter."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from core.django import actors
from core.django.actors import Actor, ActorKind
from pipeline import shared
from tests.pipeline.venues import FirstSyncs, Open, Reopen, opening, reopening
from tests.pipeline.worlds import PROFILES, World


@pytest.fixture
def as_command() -> Iterator[None]:
    """Commands are called here as manage.py would."""
    with actors.acting(Actor(kind=ActorKind.COMMAND)):
        yield


@pytest.fixture
def no_redis(settings: Settings) -> None:
    """The workers' shared state is away, and nobody was told of it before."""
    settings.EXCHANGE_STATE_URL = "redis://127.0.0.1:1/0"
    shared._shared.cache_clear()


@pytest.fixture
def open_world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """One simulated trader at an exchange, and our account of them: see `venues.opening`."""
    with opening(settings, monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="module")
def first_syncs(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[FirstSyncs]:
    """Accounts read once for all tests of a module. Ask for them in fixtures of the module's scope."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield FirstSyncs()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture
def reopen(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reopen]:
    """An account of `first_syncs` as it stood then."""
    with reopening(settings, monkeypatch) as reopened:
        yield reopened


@pytest.fixture
def make_world(open_world: Open) -> Callable[..., World]:
    """Traders at Binance; with a key and secret, a user who mistyped them."""

    def make(label: str = "quiet", *, key: str = "", secret: str = "") -> World:
        return open_world("binance", label, PROFILES, key=key, secret=secret)

    return make


@pytest.fixture
def world(db: None, make_world: Callable[..., World]) -> World:
    return make_world()
