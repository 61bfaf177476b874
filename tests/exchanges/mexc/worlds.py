"""The simulated exchange and what it says happened, in the shape of our rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core import clock
from exchanges.base import Account, ApiKeys
from exchanges.mexc import open_account
from exchanges.rows import BadRow, FillRow, Page
from exchanges.simulators import profiles
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import Profile

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# What is allowed in ten seconds would have to last for ever: this clock stands still.
NO_LIMITS = Limits(ip=10**9, uid=10**9, contracts=10**9, contract_details=10**9)
# Histories longer than what MEXC tells: of fills, and of transfers.
LONG = tuple(replace(profile, days=40) for profile in profiles.DEFAULT)
LONGEST = tuple(replace(profile, days=120) for profile in profiles.DEFAULT)
LABELS = ["demo", "holes", "quiet"]


@dataclass(frozen=True, slots=True)
class World:
    simulator: MexcSimulator
    clock: FixedClock
    opened: list[Account]

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(self, label: str = "demo", *, key: str = "", secret: str = "", now: Any = None) -> Account:
        theirs = self.simulator.accounts[label]
        keys = ApiKeys(key or theirs.api_key, secret or theirs.api_secret)
        self.opened.append(open_account(keys, self.simulator.url, None, now or self.now))
        return self.opened[-1]

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts

    def since(self, days: int, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The facts of the last days."""
        return [each for each in facts if each["time"] >= self.clock.now_ms() - days * DAY_MS]


@contextmanager
def made(people: Sequence[Profile] = LONG, limits: Limits = NO_LIMITS) -> Iterator[World]:
    clock_ = FixedClock(START)
    with MexcSimulator(seed=7, clock=clock_, profiles=people, limits=limits) as simulator:
        world = World(simulator, clock_, [])
        yield world
        for account in world.opened:
            account.close()


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], list[BadRow], str]:
    rows: list[Any] = []
    bad: list[BadRow] = []
    while True:
        page = ask(position)
        rows += page.rows
        bad += page.bad
        position = page.next_position
        if not page.has_more:
            return rows, bad, position


def fill_facts(rows: list[FillRow]) -> dict[str, dict[str, Any]]:
    return {
        row.fill_id: {
            "id": row.fill_id,
            "order_id": row.order_id,
            "side": row.side.value,
            "price": row.price,
            "quantity": row.quantity,
            "quote_quantity": row.quote_quantity,
            "fee": row.fee_amount,
            "fee_asset": row.fee_currency,
            "is_maker": row.is_maker,
            "time": clock.to_ms(row.executed_at),
        }
        for row in rows
    }


def exact(facts: list[dict[str, Any]], *amounts: str, key: str = "id") -> dict[str, dict[str, Any]]:
    """Facts of the truth by id, their amounts as Decimal."""
    return {str(each[key]): each | {name: Decimal(each[name]) for name in amounts} for each in facts}


def true_fills(world: World, symbol: str, label: str = "demo") -> dict[str, dict[str, Any]]:
    facts = world.since(30, world.truth(label)["fills"][symbol])
    return exact(facts, "price", "quantity", "quote_quantity", "fee")


def busiest(world: World, label: str = "demo") -> str:
    fills = world.truth(label)["fills"]
    name: str = max(fills, key=lambda symbol: len(world.since(30, fills[symbol])))
    return name
