"""What an endpoint is given, and what it declares about itself."""

from collections.abc import Callable
from dataclasses import dataclass

from exchanges.simulators.account import Account
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.world import World

Answer = bytes | list[bytes]
"""A body, or the encoded rows of a page (which faults may spoil)."""


@dataclass(frozen=True, slots=True)
class PublicContext:
    """`now_ms` is the moment facts are known up to, `server_ms` the time the exchange believes it is."""

    world: World
    now_ms: int
    server_ms: int


@dataclass(frozen=True, slots=True)
class Context(PublicContext):
    account: Account
    sees_contracts: bool = True
    ledger_days: int = 10_000


PublicEndpoint = Callable[[PublicContext, Parameters], Answer]
SignedEndpoint = Callable[[Context, Parameters], Answer]
