"""What the suite must know of an exchange, and one running simulated world of it. How to plug in: README.md."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from core import clock
from exchanges import registry
from exchanges.base import Account, ApiKeys, MarketData
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, FillRow, OrderRow, Page, TransferKind, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.profiles import Profile

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABELS = ("demo", "holes", "quiet")
OPEN = ("NEW", "PARTIALLY_FILLED")
ORDER_AMOUNTS = ("price", "stop_price", "quantity", "executed", "executed_quote")
MILLISECOND = timedelta(milliseconds=1)

Fact = dict[str, Any]
Facts = dict[str, Fact]


class Refusal(NamedTuple):
    """The kind an error must have, the exchange's own code where one is known, and when to come back."""

    kind: ErrorKind
    code: str = ""
    retry_in: int | None = None


@dataclass(frozen=True, kw_only=True)
class Contracts:
    """An exchange's contracts, told by the shared simulated world of contracts under `futures` in its truth."""

    fills_path: str
    people: tuple[Profile, ...] = profiles.SMALL_CONTRACTS
    labels: tuple[str, ...] = ("leveraged", "hedged")
    busy: str = "ETHUSDT"  # as this exchange writes it: a contract that both trade
    keeps_fills: timedelta | None = None
    tells_pnl: bool = True  # each fill says what it realised

    def fill_truth(self, fact: Fact) -> Fact:
        """Comparable to `contract_facts`."""
        told = {
            name: fact[name]
            for name in ("side", "position_side", "fee_asset", "is_maker", "is_liquidation", "time")
        }
        amounts = {name: Decimal(fact[name]) for name in ("price", "quantity", "fee")}
        pnl = {"realized_pnl": Decimal(fact["realized_pnl"])} if self.tells_pnl else {}
        return told | amounts | pnl | {"order_id": str(fact["order_id"])}


@dataclass(frozen=True, kw_only=True)
class House:
    """One exchange. What cannot be said by a field is a method to override in a subclass."""

    name: str  # as in the registry
    simulator: Callable[..., Any]
    limits: Any  # that never end: the clock of a test stands still
    fills_path: str  # as the exchange is asked for fills
    balances_path: str
    fields: Mapping[str, str]  # "id", "quantity" and "price" as they stand in a fill
    refusals: Mapping[
        str, Refusal
    ]  # one for each of `faults.CASES`, but those of which the exchange knows nothing
    people: tuple[Profile, ...] = profiles.SMALL
    history: tuple[
        Profile, ...
    ] = ()  # the same with more behind them than the exchange tells, for worlds only read
    no_key: str = "A" * 64  # well formed, of nobody
    no_secret: str = "A" * 64
    bulk: int = 2_200  # fills that take several pages
    bulk_from: str = ""  # the position before the first of them
    conditional: tuple[str, str] | None = (
        None  # where the truth has conditional orders, and the prefix of their ids
    )
    walks_ended_conditionals: bool = False
    walks_open_orders: bool = True  # or only those that ended
    keeps_fills: timedelta | None = None  # older ones it forgets
    keeps_orders: timedelta | None = None
    keeps_transfers: timedelta | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)  # the truth's own words to ours
    transfer_key: str = "id"  # by which a transfer of the truth is known
    lists_only_what_is_traded: bool = True  # every listed market has a price
    tells_free: bool = True  # what is free and what is locked is the truth's own, not only their sum
    late_fills_by_recheck_only: bool = False
    empty_page_by_recheck_only: bool = False
    contracts: Contracts | None = None
    gives_by: TransferKind | None = None  # asked for it, the account tells airdrops and interest; None: never
    changes: tuple[
        bool, ...
    ] = ()  # of conversions it tells those that are dust, those that are not, both or none
    opened: tuple[str, ...] = ()  # settings that say when it began: nothing happened long before START

    def wire(self, symbol: str) -> str:
        """The simulated world's symbol (`BTCUSDT`) as this exchange writes it."""
        return symbol

    def plain(self, symbol: str) -> str:
        """The inverse of `wire`."""
        return symbol

    def keys(self, world: "World", label: str) -> ApiKeys:
        theirs = world.simulator.accounts[label]
        return ApiKeys(theirs.api_key, theirs.api_secret)

    def transfer_fact(self, row: TransferRow) -> Fact:
        """Comparable to `transfer_truth`."""
        return {
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "tx_id": row.tx_id,
            "status": row.raw["status"],
            "moves_balance": row.status.value == "success",
            "time": clock.to_ms(row.occurred_at),
        }

    def transfer_truth(self, fact: Fact) -> Fact:
        told = {name: fact[name] for name in ("asset", "network", "tx_id", "status", "moves_balance", "time")}
        return told | {name: Decimal(fact[name]) for name in ("amount", "fee")}

    def conversion_id(self, fact: Fact) -> str:
        """Ours of one in the truth."""
        return str(fact["id"])

    def gift_id(self, fact: Fact) -> str:
        """Ours of coins given in the truth."""
        return str(fact["id"])

    def transfer_id(self, row: TransferRow) -> str:
        return row.transfer_id

    @contextmanager
    def running(self, **options: Any) -> Iterator["World"]:
        """A world of this exchange; `options` go to its simulator."""
        clock_ = FixedClock(START)
        given = {"seed": 7, "profiles": self.people, "limits": self.limits} | options
        with self.simulator(clock=clock_, **given) as simulator:
            world = World(self, simulator, clock_)
            yield world
            for account in world.opened:
                account.close()


@dataclass(frozen=True)
class World:
    """A simulated exchange with the clock in the test's hand, and its truth in the shape of our rows."""

    house: House
    simulator: Any
    clock: FixedClock
    opened: list[Account] = field(default_factory=list)

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(
        self,
        label: str = "demo",
        *,
        key: str = "",
        secret: str = "",
        passphrase: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> Account:
        keys = self.house.keys(self, label)
        keys = ApiKeys(key or keys.key, secret or keys.secret, passphrase or keys.passphrase)
        urls = {self.house.name: self.simulator.url}
        self.opened.append(registry.open_account(self.house.name, keys, urls=urls, now=now or self.now))
        return self.opened[-1]

    def market(self) -> MarketData:
        return registry.open_market(self.house.name, urls={self.house.name: self.simulator.url}, now=self.now)

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts

    def kept(self, facts: Sequence[Fact], keeps: timedelta | None) -> list[Fact]:
        """The facts that the exchange still tells."""
        least = clock.to_ms(self.now() - keeps) if keeps else 0
        return [each for each in facts if each["time"] >= least]

    def symbols(self, label: str = "demo") -> list[str]:
        """Those with fills or orders."""
        truth = self.truth(label)
        return sorted(truth["fills"].keys() | truth["orders"].keys())

    def fills(self, symbol: str, label: str = "demo") -> Facts:
        facts = self.truth(label)["fills"].get(symbol, [])
        return {str(each["id"]): true_fill(each) for each in self.kept(facts, self.house.keeps_fills)}

    def busiest(self, label: str = "demo") -> str:
        names: list[str] = list(self.truth(label)["fills"])
        return max(names, key=lambda symbol: len(self.fills(symbol, label)))

    def orders(self, symbol: str, label: str = "demo", *, walked: bool = False) -> Facts:
        """Orders in the book, as far as a walk tells them, or all."""
        facts = self.truth(label)["orders"].get(symbol, [])
        if walked:
            facts = self.kept(facts, self.house.keeps_orders)
        told = {str(each["id"]): self._true_order(each) for each in facts}
        if walked and not self.house.walks_open_orders:
            return {key: each for key, each in told.items() if each["status"] not in OPEN}
        return told

    def conditional_orders(self, symbol: str, label: str = "demo") -> Facts:
        if self.house.conditional is None:
            return {}
        kind, prefix = self.house.conditional
        facts = self.truth(label)[kind].get(symbol, [])
        return {f"{prefix}{each['id']}": self._true_order(each) for each in facts}

    def _true_order(self, fact: Fact) -> Fact:
        names = ("client_order_id", "list_id", "side", "type", "time", "updated")
        status = self.house.statuses.get(fact["status"], fact["status"])
        amounts = {name: Decimal(fact[name]) for name in ORDER_AMOUNTS}
        return {name: fact[name] for name in names} | amounts | {"status": status}

    def transfers(self, name: str, label: str = "demo") -> Facts:
        """`name`: deposits or withdrawals."""
        facts = self.kept(self.truth(label)[name], self.house.keeps_transfers)
        return {str(each[self.house.transfer_key]): self.house.transfer_truth(each) for each in facts}


def true_fill(fact: Fact) -> Fact:
    amounts = {name: Decimal(fact[name]) for name in ("price", "quantity", "quote_quantity", "fee")}
    names = ("side", "fee_asset", "is_maker", "time")
    return {name: fact[name] for name in names} | amounts | {"order_id": str(fact["order_id"])}


def fill_facts(rows: Sequence[FillRow]) -> Facts:
    return {
        row.fill_id: {
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


def order_facts(rows: Sequence[OrderRow]) -> Facts:
    return {
        row.order_id: {
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


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], list[BadRow], str]:
    """To the end: the rows, the unreadable ones, and where the next walk goes on."""
    rows: list[Any] = []
    bad: list[BadRow] = []
    while True:
        page = ask(position)
        rows += page.rows
        bad += page.bad
        position = page.next_position
        if not page.has_more:
            return rows, bad, position


def between(account: Account, symbol: str, since: datetime, until: datetime) -> Facts:
    return fill_facts([row for page in account.fills_between(symbol, since, until) for row in page.rows])


def refused(ask: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        ask()
    return raised.value


TRANSFERS = [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
