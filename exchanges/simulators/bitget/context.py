"""What an endpoint is given, and what it declares about itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchanges.simulators.account import Account
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.world import World


@dataclass(frozen=True, slots=True)
class PublicContext:
    """`now_ms` is the moment facts are known up to, `server_ms` the time the exchange believes it is."""

    world: World
    now_ms: int
    server_ms: int


@dataclass(frozen=True, slots=True)
class Context(PublicContext):
    account: Account


@dataclass(frozen=True, slots=True)
class Rows:
    """A page as `data`: the rows themselves, or an object with the rows as `member` and where they end."""

    rows: list[bytes]
    member: str = ""
    more: tuple[tuple[str, Any], ...] = ()


Answer = bytes | Rows
"""What `data` is: encoded JSON, or rows (which faults may spoil)."""
PublicEndpoint = Callable[[PublicContext, Parameters], Answer]
SignedEndpoint = Callable[[Context, Parameters], Answer]
