"""Every test here speaks to a simulated Binance with the real adapter."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from core.django import actors
from core.django.actors import Actor, ActorKind
from credentials import accounts
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from pipeline import shared
from tests.factories import UserFactory
from tests.pipeline.worlds import NO_LIMITS, PROFILES, START, World


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
def make_world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    # Of its own: whoever runs tests beside us empties the shared one.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # Nothing happened before: seventy empty windows less to walk in every test.
    monkeypatch.setattr("exchanges.binance.walks.OPENED", START - timedelta(days=200))
    simulators: list[BinanceSimulator] = []

    def make(label: str = "quiet", *, key: str = "", secret: str = "") -> World:
        clock = FixedClock(START)
        simulator = BinanceSimulator(seed=7, clock=clock, profiles=PROFILES, limits=NO_LIMITS)
        simulator.start()
        simulators.append(simulator)
        settings.EXCHANGE_URLS = f"binance={simulator.url}"
        theirs = simulator.accounts[label]
        user = UserFactory.create()
        account = accounts.connect(
            user_id=user.id,
            exchange="binance",
            api_key=key or theirs.api_key,
            secret_key=secret or theirs.api_secret,
            label="Main",
        )
        return World(simulator, clock, label, user, account)

    yield make
    for simulator in simulators:
        simulator.stop()


@pytest.fixture
def world(db: None, make_world: Callable[..., World]) -> World:
    return make_world()
