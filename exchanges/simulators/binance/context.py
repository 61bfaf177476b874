"""What an endpoint is given, and what it declares about itself."""

from collections.abc import Callable
from dataclasses import dataclass

from exchanges.simulators.account import Account
from exchanges.simulators.binance.limits import Limits, Pool
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import Answer
from exchanges.simulators.world import World


@dataclass(frozen=True, slots=True)
class Context:
    """`now_ms` is the moment facts are known up to, `server_ms` the time the exchange believes it is."""

    world: World
    limits: Limits
    now_ms: int
    server_ms: int
    account: Account


@dataclass(frozen=True, slots=True)
class PublicContext:
    world: World
    limits: Limits
    now_ms: int
    server_ms: int


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """`weight` may depend on the parameters."""

    answer: Callable[[PublicContext, Parameters], Answer]
    weight: Callable[[Parameters], int]
    pool: Pool = Pool.API


@dataclass(frozen=True, slots=True)
class SignedEndpoint:
    answer: Callable[[Context, Parameters], Answer]
    weight: Callable[[Parameters], int]
    pool: Pool = Pool.API
