"""What a request of `/{exchange}/*` asks for, and the answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core import clock
from core.errors import NotFound
from credentials.models import DATA_SOURCES, Exchange
from credentials.scope import Scope, resolve
from exchanges.rows import MarketType

_MILLISECOND: Final = timedelta(milliseconds=1)
KNOWN: Final = tuple(name for name in Exchange.values if name not in DATA_SOURCES)


class UnknownExchange(NotFound):
    """No exchange of ours has this name."""

    code = "unknown_exchange"


class NoAccount(NotFound):
    """The user has no account at this exchange."""

    code = "no_account"


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is of the route's shape; `next_cursor` is None on the last page."""

    body: Any
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's exchange, accounts and validated query."""

    exchange: str
    scope: Scope
    query: Mapping[str, Any]
    at: datetime

    @property
    def present_ids(self) -> tuple[UUID, ...]:
        """The accounts whose present state counts: the living ones, else those there were."""
        return self.scope.living_ids or self.scope.account_ids

    @property
    def market(self) -> str:
        """spot, futures or all."""
        return str(self.query.get("market", MarketType.SPOT.value))

    @property
    def market_types(self) -> Collection[str] | None:
        """None for all."""
        return None if self.market == "all" else (self.market,)

    @property
    def page(self) -> dict[str, Any]:
        """Limit and cursor, as list selectors take them."""
        return {name: self.query.get(name) for name in ("limit", "cursor")}

    @property
    def span(self) -> dict[str, Any]:
        """Half-open from the two ends, of which both are in."""
        found: dict[str, Any] = {}
        if "startTime" in self.query:
            found["since"] = clock.from_ms(self.query["startTime"])
        if "endTime" in self.query:
            found["until"] = clock.from_ms(self.query["endTime"]) + _MILLISECOND
        return found


def require_known(exchange: str) -> None:
    """Raises UnknownExchange."""
    if exchange not in KNOWN:
        raise UnknownExchange(f"There is no such exchange here; there are: {', '.join(KNOWN)}.")


def ask(exchange: str, query: Mapping[str, Any], at: datetime) -> Asked:
    """Whose accounts a request is about; needs an open door. Raises NotFound for an account that is not there,
    NoAccount where there is none at all."""
    scope = resolve(exchange=exchange, account=query.get("account"), mode=query.get("mode"))
    if not scope.account_ids:
        raise NoAccount(_what_to_do(exchange))
    return Asked(exchange, scope, query, at)


def _what_to_do(exchange: str) -> str:
    if exchange == Exchange.FILES:
        return "You have no account that is known from files alone: `manage.py import_history` makes one."
    name = Exchange(exchange).label
    return f"You have no account at {name}: connect one by POST /api-credentials/save-credentials."
