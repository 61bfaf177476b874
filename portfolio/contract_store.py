"""Writes what a fold of a contract book derived."""

import json

from portfolio import layouts
from portfolio.accounting.contract_book import CONTRACT_VERSION
from portfolio.accounting.contracts import (
    ContractMark,
    ContractPosition,
    ContractSink,
    ContractTrade,
    storable,
)
from portfolio.accounting.exits import exit_type
from portfolio.models import Book
from portfolio.store import Rows, escaped, or_null


class PendingContracts(Rows):
    """Collects the results of one fold of a contract book. Nothing of a contract is dust or moved."""

    layout = layouts.CONTRACTS
    version = CONTRACT_VERSION

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self.sink = storable(ContractSink(self._position, self._trade, self._allocation, self._mark))

    def _position(self, row: ContractPosition) -> None:
        number = self._positions.pop(row.key, 0) or self._number()
        closed = r"\N" if row.closed_ms is None else row.closed_ms
        checkpoint = r"\N"
        if row.checkpoint is not None:
            checkpoint = escaped(json.dumps(row.checkpoint, separators=(",", ":")))
        self._add(
            "new_position",
            f"{number}\t{row.opening_fact}\t{escaped(row.key.symbol)}\t{escaped(row.entry_order_id)}\t{row.status}\t"
            f"{row.opened_ms}\t{closed}\t{checkpoint}\t{or_null(row.entry_price)}\t{row.open_quantity}e-18\t"
            f"{row.open_value}e-18\t{row.entry_quantity}e-18\t{row.entry_value}e-18\t{row.exit_quantity}e-18\t"
            f"0\t0\t0\t{row.unknown_quantity}e-18\t{row.unknown_proceeds}e-18\t{row.entry_fees + row.exit_fees}e-18\t"
            f"{row.gross}e-18\t{row.net}e-18\t{row.side}\t{row.funding}e-18\t{row.settled_gross}e-18\t"
            f"{or_null(row.exchange_pnl)}\n",
        )

    def _trade(self, row: ContractTrade) -> None:
        key = row.key
        number = self._trades.pop(key, 0) or self._number()
        position = self._positions.get(key.position)
        if position is None:
            position = self._positions[key.position] = self._number()
        kind = exit_type(role=None, closes_position=row.closes_position, is_liquidation=row.is_liquidation)
        self._add(
            "new_trade",
            f"{number}\t{position}\t{row.first_fact}\t{escaped(key.symbol)}\t{escaped(key.order_id)}\t{key.kind}\t"
            f"{kind}\t{row.closes_position}\t{row.entry_ms}\t{row.exit_ms}\t{row.quantity}e-18\t{row.cost}e-18\t"
            f"{row.proceeds}e-18\t{or_null(row.entry_price)}\t{row.exit_price or 0}e-18\t{row.gross}e-18\t"
            f"{row.entry_fees}e-18\t{row.exit_fees}e-18\t{row.net}e-18\t{or_null(row.pnl_percent)}\t"
            f"{row.unknown_quantity}e-18\t{row.unknown_proceeds}e-18\t{row.side}\t{row.funding}e-18\t"
            f"{row.settled_gross}e-18\t{or_null(row.exchange_pnl)}\n",
        )

    def _mark(self, row: ContractMark) -> None:
        self._add(
            "new_day",
            f"{row.day}\t{row.quantity}e-18\t{row.value}e-18\t0\t{row.gross}e-18\t{row.fees}e-18\t0\t0\t"
            f"{row.funding}e-18\t{row.unsettled}e-18\t{row.untold}e-18\n",
        )
