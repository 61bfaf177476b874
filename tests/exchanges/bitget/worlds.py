"""A small simulated Bitget with a clock in the test's hand, and its truth in the shape of our rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core import clock
from exchanges import bitget
from exchanges.base import Account, ApiKeys
from exchanges.rows import BadRow, FillRow, OrderRow, Page, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import Limits
from exchanges.simulators.clock import FixedClock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OPEN = ("NEW", "PARTIALLY_FILLED")
ORDER_AMOUNTS = ("price", "stop_price", "quantity", "executed", "executed_quote")
Facts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class World:
    simulator: BitgetSimulator
    clock: FixedClock
    opened: list[Account]

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(
        self, label: str = "demo", *, key: str = "", secret: str = "", passphrase: str = "", now: Any = None
    ) -> Account:
        theirs = self.simulator.accounts[label]
        keys = ApiKeys(
            key or theirs.api_key,
            secret or theirs.api_secret,
            passphrase or self.simulator.passphrase(label),
        )
        self.opened.append(bitget.open_account(keys, self.simulator.url, None, now or self.now))
        return self.opened[-1]

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts

    def busiest(self, label: str = "demo") -> str:
        fills = self.truth(label)["fills"]
        name: str = max(fills, key=lambda symbol: len(fills[symbol]))
        return name


@contextmanager
def made(**options: Any) -> Iterator[World]:
    """A clock that stands still never renews what is allowed in a second: without limits unless asked for."""
    clock_ = FixedClock(START)
    given: dict[str, Any] = {"seed": 7, "profiles": profiles.SMALL, "limits": Limits.none()} | options
    with BitgetSimulator(clock=clock_, **given) as simulator:
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


def fill_facts(rows: list[FillRow]) -> Facts:
    return {
        row.fill_id: {
            "id": int(row.fill_id),
            "order_id": int(row.order_id),
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


def order_facts(rows: list[OrderRow]) -> Facts:
    return {
        row.order_id.removeprefix("plan-"): {
            "id": int(row.order_id.removeprefix("plan-")),
            "client_order_id": row.client_order_id,
            "list_id": int(row.order_list_id or -1),
            "side": row.side.value,
            "type": row.type,
            "status": row.status.value,
            "price": row.price or Decimal(0),
            "stop_price": row.stop_price or Decimal(0),
            "quantity": row.quantity,
            "executed": row.executed_quantity,
            "executed_quote": row.executed_quote_quantity,
            "time": clock.to_ms(row.ordered_at),
            "updated": clock.to_ms(row.updated_at),
        }
        for row in rows
    }


def transfer_facts(rows: list[TransferRow]) -> Facts:
    return {
        row.transfer_id: {
            "id": int(row.transfer_id),
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "tx_id": row.tx_id,
            "status": row.raw["status"],
            "moves_balance": row.status.value == "success",
            "time": clock.to_ms(row.occurred_at),
        }
        for row in rows
    }


def exact(facts: list[dict[str, Any]], *amounts: str) -> Facts:
    """Facts of the truth by id, their amounts as Decimal."""
    return {str(each["id"]): each | {name: Decimal(each[name]) for name in amounts} for each in facts}


def exact_fills(facts: list[dict[str, Any]]) -> Facts:
    return exact(facts, "price", "quantity", "quote_quantity", "fee")


def recent(facts: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """What is less than 90 days (and not quite the hour the walk leaves out) old."""
    floor = clock.to_ms(now) - 90 * 86_400_000 + 3_600_000
    return [each for each in facts if each["time"] >= floor]
