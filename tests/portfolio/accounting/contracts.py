"""Short ways to write a contract's fills and read what its book made of them. Amounts are decimal text."""

from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

from core.money import CONTEXT, quantize
from portfolio.accounting import contract_book
from portfolio.accounting.contracts import (
    BookSide,
    ContractCollector,
    ContractEvent,
    fill_event,
    fold_key,
    funding_event,
)
from portfolio.accounting.results import State
from tests.portfolio.accounting.books import MINUTE, shown, units


def fill(
    number: int, side: str, quantity: str, price: str, *,
    fee: str = "0", fee_price: str = "1", inverse: bool = False, settle_price: str = "1", order: str = "",
    pnl: str | None = "0", liquidation: bool = False,
) -> ContractEvent:  # fmt: skip
    """Fill `number`, by default of an order of its own, executed `number` minutes after the epoch."""
    amount, rate = Decimal(quantity), Decimal(price)
    value = quantize(CONTEXT.divide(amount, rate) if inverse else CONTEXT.multiply(amount, rate))
    return fill_event(
        fill_id=str(number),
        symbol="BTCUSD_PERP" if inverse else "BTCUSDT",
        order_id=order or f"order {number}",
        side=side,
        quantity=units(quantity),
        value=units(value),
        time_ms=number * MINUTE,
        settle_price=units(settle_price),
        fee_amount=units(fee),
        fee_price=units(fee_price),
        realized=None if pnl is None else units(pnl),
        is_liquidation=liquidation,
        fact=number,
    )


def funding(number: int, amount: str, *, price: str = "1") -> ContractEvent:
    """Received (> 0) or paid (< 0), `number` minutes after the epoch."""
    return funding_event(
        payment_id=str(number),
        symbol="BTCUSDT",
        amount=units(amount),
        time_ms=number * MINUTE,
        price=units(price),
        fact=number,
    )


def fold(
    events: Iterable[ContractEvent], *, side: str = "BOTH", inverse: bool = False, method: str = "average"
) -> ContractCollector:
    state = contract_book.new_state(side=BookSide(side), is_inverse=inverse, method=method)
    return resume(state, events)[1]


def resume(state: State, events: Iterable[ContractEvent]) -> tuple[State, ContractCollector]:
    rows = ContractCollector()
    return contract_book.fold(state, sorted(events, key=fold_key), rows.sink), rows


def column(rows: Iterable[Any], name: str) -> list[str | None]:
    return [shown(getattr(row, name)) for row in rows]


def merged(*parts: ContractCollector) -> dict[Hashable, Any]:
    """Rows as a table would hold them after upserting each fold's."""
    table: dict[Hashable, Any] = {}
    for rows in parts:
        table |= {("position", row.key): row for row in rows.positions}
        table |= {("trade", row.key): row for row in rows.trades}
        table |= {("mark", row.day): row for row in rows.marks}
        table |= {("part", row[0], row[1], row[2]): row for row in rows.allocations}
    return table
