"""Every exchange as a test of the pipeline needs it: simulated, with Binance beside it for prices of what it lists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.test import override_settings
from pytest_django.fixtures import Settings

from accounts.models import User
from core.django import actors
from credentials import accounts
from credentials.models import ExchangeAccount
from exchanges.simulators import binance, bitget, gateio, mexc
from exchanges.simulators.bitget.limits import Limits as BitgetLimits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio.limits import Limits as GateioLimits
from exchanges.simulators.mexc.limits import Limits as MexcLimits
from exchanges.simulators.profiles import Profile
from pipeline.models import SyncRun, Trigger
from tests import surroundings
from tests.factories import UserFactory
from tests.pipeline.worlds import NO_LIMITS, START, World

_MANY: Final = 10**9
# The simulated clock stands still, so no allowance ever is new again.
UNLIMITED: Final[dict[str, Any]] = {
    "binance": NO_LIMITS,
    "bitget": BitgetLimits.none(),
    "gateio": GateioLimits(public=_MANY, private=_MANY),
    "mexc": MexcLimits(ip=_MANY, uid=_MANY, contracts=_MANY, contract_details=_MANY),
}
_SIMULATORS: Final[dict[str, Callable[..., SimulatedExchange]]] = {
    "binance": binance.BinanceSimulator,
    "bitget": bitget.BitgetSimulator,
    "gateio": gateio.GateioSimulator,
    "mexc": mexc.MexcSimulator,
}
# Nothing happened before: hundreds of empty windows less to walk in every test.
_OPENED: Final = {
    "exchanges.binance.walks.OPENED": timedelta(days=200),
    "exchanges.gateio.walks.OPENED": timedelta(days=200),
    "exchanges.gateio.walks.CONTRACTS_OPENED": timedelta(days=100),
}

Open = Callable[..., World]


@contextmanager
def opening(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Gives `open(exchange, label, people, ...)`: one simulated trader there, and a new user who connected them."""
    _prepare(settings, monkeypatch)
    with ExitStack() as stack:

        def opened(
            exchange: str,
            label: str,
            people: Sequence[Profile],
            *,
            method: str = "average",
            key: str = "",
            secret: str = "",
            **options: Any,
        ) -> World:
            simulator, clock = _simulate(stack, settings, exchange, people, options)
            theirs, user = simulator.accounts[label], UserFactory.create(cost_method=method)
            account = accounts.connect(
                user_id=user.id,
                exchange=exchange,
                api_key=key or theirs.api_key,
                secret_key=secret or theirs.api_secret,
                passphrase=simulator.passphrase(label)
                if isinstance(simulator, bitget.BitgetSimulator)
                else "",
                label="Main",
            )
            return World(simulator, clock, label, user, account)

        yield opened


@dataclass(frozen=True, slots=True)
class Read:
    """An account as it stood after its first sync; its rows are there, its exchange is to be opened again."""

    exchange: str
    label: str
    people: Sequence[Profile]
    options: Mapping[str, Any]
    user: User
    account: ExchangeAccount
    run: SyncRun


Reopen = Callable[[Read], World]


class FirstSyncs:
    """Accounts read once for all tests of a module, in a transaction that surrounds them: that is half their cost.

    Each test has a transaction of its own within, and exchanges of its own as they were at the first sync.
    """

    def __init__(self) -> None:
        self._known: list[Read] = []

    def read(self, exchange: str, label: str, people: Sequence[Profile], **options: Any) -> Read:
        for each in self._known:
            if (each.exchange, each.label, each.people, each.options) == (exchange, label, people, options):
                return each
        with _as_in_a_test() as (settings, monkeypatch), opening(settings, monkeypatch) as opened:
            world = opened(exchange, label, people, **options)
            run = world.sync(Trigger.CONNECT)
            cache.clear()
        self._known.append(Read(exchange, label, people, options, world.user, world.account, run))
        return self._known[-1]


@contextmanager
def reopening(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reopen]:
    """Gives `reopen(read)`: the exchange again as it was when it was read, and the account with what was stored."""
    _prepare(settings, monkeypatch)
    with ExitStack() as stack:

        def reopened(read: Read) -> World:
            options = {name: value for name, value in read.options.items() if name != "method"}
            simulator, clock = _simulate(stack, settings, read.exchange, read.people, options)
            return World(simulator, clock, read.label, copy(read.user), copy(read.account))

        yield reopened


def _prepare(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of its own: whoever runs tests beside us empties the shared one.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for name, ago in _OPENED.items():
        monkeypatch.setattr(name, START - ago)


def _simulate(
    stack: ExitStack, settings: Settings, exchange: str, people: Sequence[Profile], options: dict[str, Any]
) -> tuple[SimulatedExchange, FixedClock]:
    """The exchange, and Binance beside it; everything else is told to look there."""
    clock = FixedClock(START)
    options = {**options, "limits": options.get("limits") or UNLIMITED[exchange]}
    simulator = stack.enter_context(_SIMULATORS[exchange](seed=7, clock=clock, profiles=people, **options))
    urls = {exchange: simulator.url}
    if exchange != "binance":
        prices = binance.BinanceSimulator(seed=7, clock=clock, profiles=(), limits=UNLIMITED["binance"])
        urls["binance"] = stack.enter_context(prices).url
    settings.EXCHANGE_URLS = " ".join(f"{name}={url}" for name, url in urls.items())
    return simulator, clock


@contextmanager
def _as_in_a_test() -> Iterator[tuple[Any, pytest.MonkeyPatch]]:
    """What every test is given, for what is done before one."""
    with ExitStack() as stack:
        settings = _Overrides(stack)
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(actors.acting(actors.NOBODY))
        surroundings.apply(settings, monkeypatch)
        yield settings, monkeypatch


class _Overrides:
    """Settings that are what they were when `stack` is left, as pytest-django's are after a test."""

    def __init__(self, stack: ExitStack) -> None:
        self.__dict__["_stack"] = stack

    def __getattr__(self, name: str) -> Any:
        return getattr(configured, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._stack.enter_context(override_settings(**{name: value}))
