"""What an endpoint is given, and what it declares about itself."""

from collections.abc import Callable
from dataclasses import dataclass

from exchanges.simulators.account import Account
from exchanges.simulators.binance_like import Answer
from exchanges.simulators.mexc.parameters import Parameters
from exchanges.simulators.world import World


@dataclass(frozen=True, slots=True)
class PublicContext:
    """`now_ms` is the moment facts are known up to, `server_ms` the time the exchange believes it is."""

    world: World
    now_ms: int
    server_ms: int


@dataclass(frozen=True, slots=True)
class Context:
    world: World
    now_ms: int
    server_ms: int
    account: Account


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    answer: Callable[[PublicContext, Parameters], Answer]
    weight: Callable[[Parameters], int]


@dataclass(frozen=True, slots=True)
class SignedEndpoint:
    answer: Callable[[Context, Parameters], Answer]
    weight: int
