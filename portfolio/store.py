"""Writes what a fold derived: COPY into temporary tables, then set-based statements that bring the real ones in line.

Rows whose values did not change are not written, ids stay, and what no longer follows from the facts goes. A book that
has no rows yet is only written, not compared.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from portfolio.accounting.engine import ENGINE_VERSION
from portfolio.accounting.exits import ExitType, exit_type
from portfolio.accounting.results import (
    AllocationRow,
    Mark,
    Position,
    PositionKey,
    Sink,
    Trade,
    TradeKey,
    storable,
)
from portfolio.models import Book

_CHUNK: Final = 5_000
_MANY: Final = 1_000

_MOMENT: Final = "timestamptz 'epoch' + interval '1 millisecond' *"

# `number` counts the positions and trades of one fold, so that their parts can name them. `id` is what a row will be
# stored under: a new one, until `_KNOWN` finds that the row exists.
_TABLES: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS new_position (
  number integer, opening_fill bigint, symbol text, entry_order text, status text, opened bigint, closed bigint,
  checkpoint jsonb, entry_price numeric, open_quantity numeric, open_cost numeric, entry_quantity numeric,
  entry_cost numeric, exit_quantity numeric, moved_quantity numeric, moved_cost numeric, dust numeric,
  unknown_quantity numeric, unknown_proceeds numeric, fees numeric, gross numeric, net numeric,
  id bigint DEFAULT nextval('portfolio_position_id_seq'::text), known boolean DEFAULT false
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_trade (
  number integer, position integer, first_fill bigint, symbol text, exit_order text, kind text, exit_type text,
  closes boolean, entered bigint, exited bigint, quantity numeric, cost numeric, proceeds numeric,
  entry_price numeric, exit_price numeric, gross numeric, entry_fees numeric, exit_fees numeric, net numeric,
  percent numeric, unknown_quantity numeric, unknown_proceeds numeric,
  id bigint DEFAULT nextval('portfolio_trade_id_seq'::text), known boolean DEFAULT false
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_allocation (
  trade integer, exit_fill bigint, sequence integer, source text, entry_fill bigint, quantity numeric, cost numeric,
  proceeds numeric, entry_fees numeric, exit_fees numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_day (
  day integer, quantity numeric, cost numeric, unknown numeric, gross numeric, fees numeric,
  moved_quantity numeric, moved_cost numeric
) ON COMMIT DELETE ROWS;
"""
_COPIED: Final = {
    "new_position": "number, opening_fill, symbol, entry_order, status, opened, closed, checkpoint, entry_price,"
    " open_quantity, open_cost, entry_quantity, entry_cost, exit_quantity, moved_quantity, moved_cost, dust,"
    " unknown_quantity, unknown_proceeds, fees, gross, net",
    "new_trade": "number, position, first_fill, symbol, exit_order, kind, exit_type, closes, entered, exited,"
    " quantity, cost, proceeds, entry_price, exit_price, gross, entry_fees, exit_fees, net, percent,"
    " unknown_quantity, unknown_proceeds",
    "new_allocation": "trade, exit_fill, sequence, source, entry_fill, quantity, cost, proceeds, entry_fees, exit_fees",
    "new_day": "day, quantity, cost, unknown, gross, fees, moved_quantity, moved_cost",
}

_OWNER: Final = {"user_id": "%(user)s::uuid", "account_id": "%(account)s::uuid"}


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    """`columns`: column → expression over `source`."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"


def _update(table: str, columns: dict[str, str], source: str, stamp: str = "") -> str:
    """Rewrite the known rows of `source` (as n) that differ."""
    return (
        f"UPDATE {table} t SET {', '.join(f'{name} = {value}' for name, value in columns.items())}{stamp}"
        f" FROM {source} WHERE n.known AND t.id = n.id"
        f" AND ({', '.join(f't.{name}' for name in columns)}) IS DISTINCT FROM ({', '.join(columns.values())})"
    )


_POSITION_VALUES: Final = {
    "exchange": "%(exchange)s",
    "symbol": "n.symbol",
    "side": "'LONG'",
    "status": "n.status",
    "entry_order_id": "n.entry_order",
    "entry_price": "n.entry_price",
    "quantity": "n.open_quantity",
    "total_cost": "n.open_cost",
    "entered_quantity": "n.entry_quantity",
    "entered_cost": "n.entry_cost",
    "exited_quantity": "n.exit_quantity",
    "moved_quantity": "n.moved_quantity",
    "moved_cost": "n.moved_cost",
    "dust_quantity": "n.dust",
    "unknown_quantity": "n.unknown_quantity",
    "unknown_proceeds": "n.unknown_proceeds",
    "fees_paid": "n.fees",
    "gross_pnl": "n.gross",
    "net_pnl": "n.net",
    "leverage": "1",
    "margin_mode": "''",
    "opened_at": f"{_MOMENT} n.opened",
    "closed_at": f"{_MOMENT} n.closed",
    "checkpoint": "n.checkpoint",
    "engine_version": "%(version)s",
}
_TRADE_VALUES: Final = {
    "exchange": "%(exchange)s",
    "symbol": "n.symbol",
    "side": "'LONG'",
    "entry_order_id": "p.entry_order",
    "entry_price": "n.entry_price",
    "entry_time": f"{_MOMENT} n.entered",
    "entry_quantity": "n.quantity",
    "entry_fees": "n.entry_fees",
    "exit_order_id": "n.exit_order",
    "exit_price": "n.exit_price",
    "exit_time": f"{_MOMENT} n.exited",
    "exit_quantity": "n.quantity",
    "exit_fees": "n.exit_fees",
    "cost": "n.cost",
    "proceeds": "n.proceeds",
    "gross_pnl": "n.gross",
    "net_pnl": "n.net",
    "pnl_percentage": "n.percent",
    "roi_percentage": "n.percent",  # spot trades are unleveraged: margin used is the cost
    "hold_duration": "interval '1 millisecond' * (n.exited - n.entered)",
    "unknown_quantity": "n.unknown_quantity",
    "unknown_proceeds": "n.unknown_proceeds",
    "leverage": "1",
    "margin_mode": "''",
    "closes_position": "n.closes",
    "engine_version": "%(version)s",
}
_ALLOCATION_VALUES: Final = {
    "source": "n.source",
    "entry_fill_id": "n.entry_fill",
    "quantity": "n.quantity",
    "cost": "n.cost",
    "proceeds": "n.proceeds",
    "entry_fee": "n.entry_fees",
    "exit_fee": "n.exit_fees",
}
_DAY_VALUES: Final = {
    "quantity": "n.quantity",
    "cost": "n.cost",
    "unknown_quantity": "n.unknown",
    "gross_pnl": "n.gross",
    "fees": "n.fees",
    "moved_quantity": "n.moved_quantity",
    "moved_cost": "n.moved_cost",
}

_KNOWN: Final = (
    "UPDATE new_position n SET id = p.id, known = true FROM portfolio_position p"
    " WHERE p.book_id = %(book)s AND p.opening_fill_id = n.opening_fill",
    "UPDATE new_trade n SET id = t.id, known = true FROM new_position p, portfolio_trade t"
    " WHERE p.number = n.position AND p.known AND t.account_id = %(account)s AND t.position_id = p.id"
    " AND t.first_exit_fill_id = n.first_fill AND t.kind = n.kind",
)
_OF_TRADES: Final = "new_trade n JOIN new_position p ON p.number = n.position"
# Positions are brought in line before new ones are added: a book has at most one open.
_CHANGE: Final = (
    _update("portfolio_position", _POSITION_VALUES, "new_position n", ", last_updated = now()"),
    _update("portfolio_trade", _TRADE_VALUES, _OF_TRADES),
)
_ADD: Final = (
    _insert(
        "portfolio_position",
        {
            "id": "n.id",
            **_OWNER,
            "book_id": "%(book)s",
            "opening_fill_id": "n.opening_fill",
            **_POSITION_VALUES,
            "last_updated": "now()",
        },
        "new_position n WHERE NOT n.known",
    ),
    _insert(
        "portfolio_trade",
        {
            "id": "n.id",
            **_OWNER,
            "position_id": "p.id",
            "first_exit_fill_id": "n.first_fill",
            "kind": "n.kind",
            **_TRADE_VALUES,
            # Read off the orders by `portfolio.annotations`; a fold does not disturb them later.
            "exit_type": "n.exit_type",
            "exit_reason": "''",
            "strategy": "''",
        },
        f"{_OF_TRADES} WHERE NOT n.known",
    ),
)
_OF_ALLOCATIONS: Final = "new_allocation n JOIN new_trade t ON t.number = n.trade"
_ALLOCATE: Final = _insert(
    "portfolio_allocation",
    {
        **_OWNER,
        "trade_id": "t.id",
        "exit_fill_id": "n.exit_fill",
        "sequence": "n.sequence",
        **_ALLOCATION_VALUES,
    },
    _OF_ALLOCATIONS,
)
_SAME_ALLOCATION: Final = "a.trade_id = t.id AND a.exit_fill_id = n.exit_fill AND a.sequence = n.sequence"
_DAYS: Final = (
    _insert(
        "portfolio_bookday",
        {**_OWNER, "book_id": "%(book)s", "day": "date '1970-01-01' + n.day", **_DAY_VALUES},
        "new_day n",
    )
    + f" ON CONFLICT (book_id, day) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _DAY_VALUES)}"
    + f" WHERE ({', '.join(f'portfolio_bookday.{name}' for name in _DAY_VALUES)})"
    + f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in _DAY_VALUES)})"
)

# A re-fold replaces everything from its restart on. What is no longer so goes before anything is changed or added.
_TRADES_IN_SCOPE: Final = (
    "SELECT t.id FROM portfolio_trade t JOIN portfolio_position p ON p.id = t.position_id"
    " WHERE t.account_id = %(account)s AND p.book_id = %(book)s AND p.opened_at >= %(restart)s"
)
_FORGET: Final = (
    # The array makes it a look-up in the index, however many allocations other accounts have.
    f"DELETE FROM portfolio_allocation a WHERE a.trade_id = ANY (ARRAY({_TRADES_IN_SCOPE}))"
    f" AND NOT EXISTS (SELECT FROM {_OF_ALLOCATIONS} WHERE {_SAME_ALLOCATION}"
    f" AND ({', '.join(f'a.{name}' for name in _ALLOCATION_VALUES)})"
    f" IS NOT DISTINCT FROM ({', '.join(_ALLOCATION_VALUES.values())}))",
    f"DELETE FROM portfolio_trade WHERE id IN ({_TRADES_IN_SCOPE}"
    " AND NOT EXISTS (SELECT FROM new_trade n WHERE n.id = t.id))",
    "DELETE FROM portfolio_position p WHERE book_id = %(book)s AND opened_at >= %(restart)s"
    " AND NOT EXISTS (SELECT FROM new_position n WHERE n.id = p.id)",
    "DELETE FROM portfolio_bookday d WHERE book_id = %(book)s AND day >= (%(restart)s AT TIME ZONE 'UTC')::date"
    " AND NOT EXISTS (SELECT FROM new_day n WHERE d.day = date '1970-01-01' + n.day)",
)
_ALLOCATE_MISSING: Final = (
    f"{_ALLOCATE} LEFT JOIN portfolio_allocation a ON {_SAME_ALLOCATION}"
    f" AND a.trade_id = ANY (ARRAY({_TRADES_IN_SCOPE})) WHERE a.id IS NULL"
)
# Whether a trade closes its position, by the exit type it has until an order's role says otherwise.
_EXIT_TYPES: Final[dict[bool, ExitType]] = {
    closes: exit_type(role=None, closes_position=closes) for closes in (True, False)
}


class Pending:
    """Collects results of one fold, in chunks, into temporary tables; `commit` merges them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lines: dict[str, list[str]] = {name: [] for name in _COPIED}
        self._copied = 0
        # Those that rows were seen of, but not yet the position or trade itself: it comes after its parts.
        self._positions: dict[PositionKey, int] = {}
        self._trades: dict[TradeKey, int] = {}
        self._numbered = 0
        self.sink = storable(Sink(self._position, self._trade, self._allocation, self._mark))
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)
            for name in _COPIED:
                cursor.execute(f"DELETE FROM {name}")

    def commit(self, *, restart: datetime | None) -> None:
        """Write the collected results. `restart`: everything from that moment on is replaced; None: appended."""
        for name in self._lines:
            self._flush(name)
        scope: dict[str, Any] = {
            "user": self._book.user_id,
            "account": self._book.account_id,
            "exchange": self._book.account.exchange,
            "book": self._book.id,
            "version": ENGINE_VERSION,
            "restart": restart,
        }
        with connection.cursor() as cursor:
            if self._copied > _MANY:
                # Rows written a moment ago have no statistics: the planner would take them for a handful.
                cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute("SELECT EXISTS (SELECT FROM portfolio_position WHERE book_id = %(book)s)", scope)
            (has_rows,) = cursor.fetchone()
            if has_rows:
                _run(cursor, _KNOWN, scope)
                if restart is not None:
                    _run(cursor, _FORGET, scope)
                _run(cursor, _CHANGE, scope)
            _run(cursor, _ADD, scope)
            cursor.execute(_ALLOCATE_MISSING if has_rows and restart is not None else _ALLOCATE, scope)
            cursor.execute(_DAYS, scope)

    # Amounts are whole units of 10**-18; written so, the database reads them as exact decimals.

    def _position(self, row: Position) -> None:
        number = self._positions.pop(row.key, 0) or self._number()
        closed = r"\N" if row.closed_ms is None else row.closed_ms
        checkpoint = _escaped(json.dumps(row.checkpoint.state(), separators=(",", ":")))
        self._add(
            "new_position",
            f"{number}\t{row.opening_fact}\t{_escaped(row.key.symbol)}\t{_escaped(row.entry_order_id)}\t{row.status}\t"
            f"{row.opened_ms}\t{closed}\t{checkpoint}\t{_or_null(row.entry_price)}\t{row.open_quantity}e-18\t"
            f"{row.open_cost}e-18\t{row.entry_quantity}e-18\t{row.entry_cost}e-18\t{row.exit_quantity}e-18\t"
            f"{row.moved_quantity}e-18\t{row.moved_cost}e-18\t{row.dust_out_quantity}e-18\t"
            f"{row.unknown_quantity}e-18\t{row.unknown_proceeds}e-18\t{row.entry_fees + row.exit_fees}e-18\t"
            f"{row.realised_gross}e-18\t{row.realised_net}e-18\n",
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
        self._add(
            "new_trade",
            f"{number}\t{position}\t{first_fact}\t{_escaped(key.symbol)}\t{_escaped(key.order_id)}\t{key.kind}\t"
            f"{_EXIT_TYPES[closes]}\t{closes}\t{entered}\t{exited}\t{quantity}e-18\t{cost}e-18\t{proceeds}e-18\t"
            f"{_or_null(entry_price)}\t{_or_null(exit_price)}\t{gross}e-18\t{entry_fees}e-18\t{exit_fees}e-18\t"
            f"{net}e-18\t{_or_null(percent)}\t{unknown_quantity}e-18\t{unknown_proceeds}e-18\n",
        )

    def _allocation(self, row: AllocationRow) -> None:
        key, _, sequence, kind, _, _, quantity, cost, proceeds, entry_fees, exit_fees, _, entry, exit_ = row
        trade = self._trades.get(key)
        if trade is None:
            trade = self._trades[key] = self._number()
        entry_fill = r"\N" if entry is None else entry
        self._add(
            "new_allocation",
            f"{trade}\t{exit_}\t{sequence}\t{kind}\t{entry_fill}\t{quantity}e-18\t{cost}e-18\t{proceeds}e-18\t"
            f"{entry_fees}e-18\t{exit_fees}e-18\n",
        )

    def _mark(self, row: Mark) -> None:
        self._add(
            "new_day",
            f"{row.day}\t{row.open_quantity + row.dust_quantity}e-18\t{row.open_cost + row.dust_cost}e-18\t"
            f"{row.unknown_quantity}e-18\t{row.realised_gross}e-18\t{row.fees}e-18\t{row.moved_quantity}e-18\t"
            f"{row.moved_cost}e-18\n",
        )

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
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({_COPIED[name]}) FROM STDIN") as copy:
            copy.write("".join(lines))
        lines.clear()


def _run(cursor: CursorWrapper, statements: Sequence[str], scope: dict[str, Any]) -> None:
    for statement in statements:
        cursor.execute(statement, scope)


def _or_null(amount: int | None) -> str:
    return r"\N" if amount is None else f"{amount}e-18"


def _escaped(text: str) -> str:
    """Text in COPY's format. Ids and symbols come from outside."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return text
