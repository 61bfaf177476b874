"""Every exchange as a test of the pipeline needs it: simulated, with Binance beside it for prices of what it lists."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from pytest_django.fixtures import Settings

from credentials import accounts
from exchanges.simulators import binance, bitget, gateio, mexc
from exchanges.simulators.bitget.limits import Limits as BitgetLimits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio.limits import Limits as GateioLimits
from exchanges.simulators.mexc.limits import Limits as MexcLimits
from exchanges.simulators.profiles import Profile
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
    # Of its own: whoever runs tests beside us empties the shared one.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for name, ago in _OPENED.items():
        monkeypatch.setattr(name, START - ago)
    with ExitStack() as stack:

        def opened(
            exchange: str,
            label: str,
            people: Sequence[Profile],
            *,
            limits: Any = None,
            method: str = "average",
            key: str = "",
            secret: str = "",
            **options: Any,
        ) -> World:
            clock = FixedClock(START)
            limits = limits or UNLIMITED[exchange]
            simulator = stack.enter_context(
                _SIMULATORS[exchange](seed=7, clock=clock, profiles=people, limits=limits, **options)
            )
            urls = {exchange: simulator.url}
            if exchange != "binance":
                prices = binance.BinanceSimulator(
                    seed=7, clock=clock, profiles=(), limits=UNLIMITED["binance"]
                )
                urls["binance"] = stack.enter_context(prices).url
            settings.EXCHANGE_URLS = " ".join(f"{name}={url}" for name, url in urls.items())
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
