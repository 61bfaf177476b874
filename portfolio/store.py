"""Writes what a fold derived: COPY into temporary tables, then set-based statements that bring the real ones in line.

The statements stand in `layouts`. A book that has no rows yet is only written, not compared.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from portfolio import layouts, moved_lots, pools, receipts
from portfolio.accounting.engine import ENGINE_VERSION
from portfolio.accounting.exits import ExitType, exit_type
from portfolio.accounting.results import (
    AllocationRow,
    Mark,
    MovedRow,
    Position,
    PositionKey,
    Sink,
    Trade,
    TradeKey,
    storable,
)
from portfolio.layouts import Layout
from portfolio.models import Book

_CHUNK: Final = 5_000
_FEW: Final = 500  # as many new rows are looked up in what is stored; with more, it is read through once

_as_json: Final = json.JSONEncoder(separators=(",", ":")).encode

# Whether a trade closes its position, by the exit type it has until an order's role says otherwise.
EXIT_TYPES: Final[dict[bool, ExitType]] = {
    closes: exit_type(role=None, closes_position=closes) for closes in (True, False)
}


class Rows:
    """Lines for the temporary tables, in chunks; `commit` merges them into what is stored."""

    layout: Layout
    version: ClassVar[int]

    def __init__(self, book: Book) -> None:
        self._book = book
        self._accounts = pools.accounts_of(book)
        self._lines: dict[str, list[str]] = {name: [] for name in self.layout.copied}
        self._copied = 0
        # Those that rows were seen of, but not yet the position or trade itself: it comes after its parts.
        self._positions: dict[PositionKey, int] = {}
        self._trades: dict[TradeKey, int] = {}
        self._numbered = 0
        with connection.cursor() as cursor:
            cursor.execute(layouts.TABLES)
            for name in self.layout.copied:
                cursor.execute(f"DELETE FROM {name}")

    def commit(self, *, restart: datetime | None) -> None:
        """Write the collected results. `restart`: everything from that moment on is replaced; None: appended."""
        for name in self._lines:
            self._flush(name)
        scope: dict[str, Any] = {
            "user": self._book.user_id,
            "account": self._book.account_id,
            "accounts": [account.id for account in self._accounts],
            "exchanges": [account.exchange for account in self._accounts],
            "book": self._book.id,
            "market": self._book.market_type,
            "settle": self._book.settle_asset,
            "inverse": self._book.is_inverse,
            "version": self.version,
            "restart": restart,
        }
        with connection.cursor() as cursor:
            # Rows written a moment ago have no statistics: the planner would take them for a handful.
            cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off")
            few = self._copied <= _FEW
            cursor.execute("SELECT EXISTS (SELECT FROM portfolio_position WHERE book_id = %(book)s)", scope)
            (has_rows,) = cursor.fetchone()
            if has_rows:
                _run(cursor, layouts.known(few=few), scope)
                if restart is not None:
                    _run(cursor, layouts.forget(few=few), scope)
                _run(cursor, self.layout.change[few], scope)
            _run(cursor, self.layout.add, scope)
            is_refold = has_rows and restart is not None
            cursor.execute(layouts.allocate_missing(few=few) if is_refold else layouts.ALLOCATE, scope)
            cursor.execute(self.layout.days, scope)

    # Amounts are whole units of 10**-18; written so, the database reads them as exact decimals.

    def _allocation(self, row: AllocationRow) -> None:
        key, _, sequence, kind, _, _, quantity, cost, proceeds, entry_fees, exit_fees, _, entry, exit_ = row
        trade = self._trades.get(key)
        if trade is None:
            trade = self._trades[key] = self._number()
        entry_fill, source = r"\N" if entry is None else entry, str(kind)
        if entry is not None and entry < 0:
            source = self.sources.get(-entry, source)
        self._add(
            "new_allocation",
            f"{trade}\t{exit_}\t{sequence}\t{source}\t{entry_fill}\t{quantity}e-18\t{cost}e-18\t{proceeds}e-18\t"
            f"{entry_fees}e-18\t{exit_fees}e-18\n",
        )

    @cached_property
    def sources(self) -> dict[int, str]:
        """Of the transfers that brought coins into the book at a cost; read when the first is met."""
        return receipts.sources(self._book)

    def _number(self) -> int:
        self._numbered += 1
        return self._numbered

    def _add(self, name: str, line: str) -> None:
        lines = self._lines[name]
        lines.append(line)
        if len(lines) >= _CHUNK:
            self._flush(name)

    def _flush(self, name: str) -> None:
        lines = self._lines[name]
        if not lines:
            return
        self._copied += len(lines)
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {name} ({self.layout.copied[name]}) FROM STDIN") as copy,
        ):
            copy.write("".join(lines))
        lines.clear()


class Pending(Rows):
    """Collects the results of one fold of a spot book."""

    version = ENGINE_VERSION

    def __init__(self, book: Book) -> None:
        self.layout = layouts.POOL if book.pool else layouts.SPOT
        super().__init__(book)
        self._places = {account.id.hex: place for place, account in enumerate(self._accounts, 1)}
        self._moved: list[MovedRow] = []
        self.moved: set[int] = set()
        """Withdrawals of which a part is another than before, once all is written."""
        self.sink = storable(
            Sink(self._position, self._trade, self._allocation, self._mark, self._moved.append)
        )

    def commit(self, *, restart: datetime | None) -> None:
        super().commit(restart=restart)
        carries_on = any(row.entry_fact is not None and row.entry_fact < 0 for row in self._moved)
        sources = self.sources if carries_on else {}
        self.moved = moved_lots.replace(self._book, self._moved, restart=restart, sources=sources)

    def _named(self, symbol: str) -> tuple[str, str]:
        """A symbol as it is stored, and the place of its account as a last column, where the book is a pool's."""
        if not self._book.pool:
            return escaped(symbol), ""
        account, name = pools.parted(symbol)
        return escaped(name), f"\t{self._places[account]}"

    def _position(self, row: Position) -> None:
        number = self._positions.pop(row.key, 0) or self._number()
        closed = r"\N" if row.closed_ms is None else row.closed_ms
        checkpoint = escaped(_as_json(row.checkpoint.state()))
        symbol, place = self._named(row.key.symbol)
        self._add(
            "new_position",
            f"{number}\t{row.opening_fact}\t{symbol}\t{escaped(row.entry_order_id)}\t{row.status}\t"
            f"{row.opened_ms}\t{closed}\t{checkpoint}\t{or_null(row.entry_price)}\t{row.open_quantity}e-18\t"
            f"{row.open_cost}e-18\t{row.entry_quantity}e-18\t{row.entry_cost}e-18\t{row.exit_quantity}e-18\t"
            f"{row.moved_quantity}e-18\t{row.moved_cost}e-18\t{row.dust_out_quantity}e-18\t"
            f"{row.unknown_quantity}e-18\t{row.unknown_proceeds}e-18\t{row.entry_fees + row.exit_fees}e-18\t"
            f"{row.realised_gross}e-18\t{row.realised_net}e-18{place}\n",
        )

    def _trade(self, row: Trade) -> None:
        (
            key, entered, exited, quantity, cost, proceeds, entry_price, exit_price, gross, entry_fees, exit_fees, net,
            percent, unknown_quantity, unknown_proceeds, closes, first_fact,
        ) = row  # fmt: skip
        number = self._trades.pop(key, 0) or self._number()
        position = self._positions.get(key.position)
        if position is None:
            position = self._positions[key.position] = self._number()
        symbol, place = self._named(key.symbol)
        self._add(
            "new_trade",
            f"{number}\t{position}\t{first_fact}\t{symbol}\t{escaped(key.order_id)}\t{key.kind}\t"
            f"{EXIT_TYPES[closes]}\t{closes}\t{entered}\t{exited}\t{quantity}e-18\t{cost}e-18\t{proceeds}e-18\t"
            f"{or_null(entry_price)}\t{or_null(exit_price)}\t{gross}e-18\t{entry_fees}e-18\t{exit_fees}e-18\t"
            f"{net}e-18\t{or_null(percent)}\t{unknown_quantity}e-18\t{unknown_proceeds}e-18{place}\n",
        )

    def _mark(self, row: Mark) -> None:
        self._add(
            "new_day",
            f"{row.day}\t{row.open_quantity + row.dust_quantity}e-18\t{row.open_cost + row.dust_cost}e-18\t"
            f"{row.unknown_quantity}e-18\t{row.realised_gross}e-18\t{row.fees}e-18\t{row.moved_quantity}e-18\t"
            f"{row.moved_cost}e-18\n",
        )


def _run(cursor: CursorWrapper, statements: Sequence[str], scope: dict[str, Any]) -> None:
    for statement in statements:
        cursor.execute(statement, scope)


def or_null(amount: int | None) -> str:
    return r"\N" if amount is None else f"{amount}e-18"


def escaped(text: str) -> str:
    """Text in COPY's format. Ids and symbols come from outside."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return text
