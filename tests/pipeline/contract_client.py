"""An account with contracts, at the border of the adapters: what it answers is in the test's hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.base import Derivatives, NoConversions
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    FillRow,
    FundingRow,
    OrderRow,
    Page,
    PositionRow,
    TransferKind,
    TransferRow,
)


def page(rows: Sequence[Any], **given: Any) -> Page[Any]:
    values = {"bad": (), "next_position": "end", "has_more": False, "raw_count": len(rows)}
    return Page(tuple(rows), **{**values, **given})


@dataclass
class FakeContracts:
    """Scopes are symbols. `asked` keeps every call as text."""

    asked: list[str]
    by_symbol: dict[str, list[FillRow]] = field(default_factory=dict)
    open: list[OrderRow] = field(default_factory=list)
    closed: dict[str, OrderRow] = field(default_factory=dict)
    held: list[PositionRow] = field(default_factory=list)
    payments: list[FundingRow] = field(default_factory=list)

    def positions(self) -> Page[PositionRow]:
        self.asked.append("positions")
        return page(self.held)

    def open_orders(self) -> Page[OrderRow]:
        self.asked.append("contract_open")
        return page(self.open)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        self.asked.append(f"order {symbol} {order_id}")
        if order_id not in self.closed:
            raise ExchangeError(ErrorKind.USER, "No such order.")
        return self.closed[order_id]

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        return list(known)

    def ledger_scopes(self) -> list[str]:
        return ["USDT"]

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        self.asked.append(f"fills {scope}")
        return page(self.by_symbol.get(scope, []))

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        self.asked.append(f"between {scope} {since:%m-%d}")
        yield page([row for row in self.by_symbol.get(scope, []) if since <= row.executed_at < until])

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        self.asked.append(f"orders {scope}")
        return page([])

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        self.asked.append(f"funding {scope}")
        return page(self.payments)


@dataclass
class FakeClient(NoConversions):
    """Implements `exchanges.base.Account`; without spot trades."""

    contracts: FakeContracts | None
    asked: list[str]
    balance: dict[tuple[str, str], str] = field(default_factory=dict)
    moved: dict[TransferKind, list[TransferRow]] = field(default_factory=dict)
    transfer_kinds: tuple[TransferKind, ...] = tuple(kind for kind in TransferKind if not kind.is_acquisition)
    windows: dict[str, Page[TransferRow] | ExchangeError] = field(default_factory=dict)
    """Pages of deposits by position, where the test wants more than one."""
    clock_offset: timedelta = timedelta()
    used_weight: int | None = None

    @property
    def derivatives(self) -> Derivatives | None:
        return self.contracts

    def info(self) -> AccountInfo:
        return AccountInfo("1", True, False, False, True, None, None, ("reading",))

    def balances(self) -> Page[BalanceRow]:
        self.asked.append("balances")
        rows = [
            BalanceRow(asset, Decimal(amount), Decimal(0), wallet=wallet)
            for (wallet, asset), amount in self.balance.items()
        ]
        return page(rows)

    def open_orders(self) -> Page[OrderRow]:
        self.asked.append("open_orders")
        return page([])

    def order(self, symbol: str, order_id: str) -> OrderRow:
        raise ExchangeError(ErrorKind.USER, "No such order.")

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        return page([])

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        yield page([])

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        return page([])

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        self.asked.append(f"{kind.value} {position}".strip())
        if kind is TransferKind.DEPOSIT and self.windows:
            answer = self.windows[position]
            if isinstance(answer, ExchangeError):
                raise answer
            return answer
        return page(self.moved.get(kind, []))

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        return []

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        return []

    def close(self) -> None: ...
