"""Writes what a fold derived: COPY into temporary tables, then set-based upserts by natural key.

Rows whose values did not change are not written, ids stay, and what no longer follows from the facts goes.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from portfolio.accounting.engine import ENGINE_VERSION
from portfolio.accounting.results import AllocationRow, Mark, Position, Sink, Trade, storable
from portfolio.models import Book

_CHUNK: Final = 5_000
_MANY: Final = 1_000

# Amounts travel as whole units and become NUMERIC(38,18) in the database, exactly.
_UNIT: Final = "* 0.000000000000000001"
_MOMENT: Final = "timestamptz 'epoch' + interval '1 millisecond' *"

_TABLES: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS new_position (
  symbol text, fill text, entry_order text, status text, opened bigint, closed bigint, checkpoint jsonb,
  entry_price numeric, open_quantity numeric, open_cost numeric, entry_quantity numeric, entry_cost numeric,
  exit_quantity numeric, moved_quantity numeric, moved_cost numeric, dust numeric, unknown_quantity numeric,
  unknown_proceeds numeric, fees numeric, gross numeric, net numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_trade (
  position_symbol text, position_fill text, symbol text, exit_order text, kind text, first_fill text,
  entered bigint, exited bigint, quantity numeric, cost numeric, proceeds numeric, entry_price numeric,
  exit_price numeric, gross numeric, entry_fees numeric, exit_fees numeric, net numeric, percent numeric,
  unknown_quantity numeric, unknown_proceeds numeric, closes boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_allocation (
  position_symbol text, position_fill text, symbol text, exit_order text, kind text, first_fill text,
  exit_fill text, sequence integer, source text, entry_symbol text, entry_fill text, quantity numeric,
  cost numeric, proceeds numeric, entry_fees numeric, exit_fees numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_day (
  day integer, quantity numeric, cost numeric, unknown numeric, gross numeric, fees numeric,
  moved_quantity numeric, moved_cost numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS known_trade (
  id bigint, symbol text, exit_order text, kind text, position_symbol text, position_fill text, first_fill text
) ON COMMIT DELETE ROWS;
"""

_FILL: Final = (
    "orders_fill {alias} ON {alias}.account_id = %(account)s AND {alias}.market_type = %(market)s"
    " AND {alias}.symbol = {symbol} AND {alias}.exchange_fill_id = {fill}"
)


def _fill(alias: str, symbol: str, fill: str) -> str:
    return _FILL.format(alias=alias, symbol=symbol, fill=fill)


def _upsert(
    table: str,
    columns: dict[str, str],
    source: str,
    key: Sequence[str],
    defaults: dict[str, str] | None = None,
) -> str:
    """INSERT … SELECT … that rewrites only rows that differ. `columns`: column → expression; `defaults` are set
    once and left alone later."""
    changing = [
        name for name in columns if name not in key and name not in ("user_id", "account_id", "last_updated")
    ]
    stamp = ["last_updated"] if "last_updated" in columns else []
    inserted = columns | (defaults or {})
    return (
        f"INSERT INTO {table} ({', '.join(inserted)}) SELECT {', '.join(inserted.values())} FROM {source}"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in [*changing, *stamp])
        + f" WHERE ({', '.join(f'{table}.{name}' for name in changing)})"
        + f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in changing)})"
    )


_OWNER: Final = {"user_id": "%(user)s", "account_id": "%(account)s"}

_POSITIONS: Final = _upsert(
    "portfolio_position",
    {
        **_OWNER,
        "book_id": "%(book)s",
        "opening_fill_id": "f.id",
        "exchange": "%(exchange)s",
        "symbol": "n.symbol",
        "side": "'LONG'",
        "status": "n.status",
        "entry_order_id": "n.entry_order",
        "entry_price": f"n.entry_price {_UNIT}",
        "quantity": f"n.open_quantity {_UNIT}",
        "total_cost": f"n.open_cost {_UNIT}",
        "entered_quantity": f"n.entry_quantity {_UNIT}",
        "entered_cost": f"n.entry_cost {_UNIT}",
        "exited_quantity": f"n.exit_quantity {_UNIT}",
        "moved_quantity": f"n.moved_quantity {_UNIT}",
        "moved_cost": f"n.moved_cost {_UNIT}",
        "dust_quantity": f"n.dust {_UNIT}",
        "unknown_quantity": f"n.unknown_quantity {_UNIT}",
        "unknown_proceeds": f"n.unknown_proceeds {_UNIT}",
        "fees_paid": f"n.fees {_UNIT}",
        "gross_pnl": f"n.gross {_UNIT}",
        "net_pnl": f"n.net {_UNIT}",
        "leverage": "1",
        "margin_mode": "''",
        "opened_at": f"{_MOMENT} n.opened",
        "closed_at": f"{_MOMENT} n.closed",
        "checkpoint": "n.checkpoint",
        "engine_version": "%(version)s",
        "last_updated": "now()",
    },
    f"new_position n JOIN {_fill('f', 'n.symbol', 'n.fill')} ORDER BY n.opened",
    ["book_id", "opening_fill_id"],
)
_TRADES: Final = _upsert(
    "portfolio_trade",
    {
        **_OWNER,
        "position_id": "p.id",
        "kind": "n.kind",
        "exchange": "%(exchange)s",
        "symbol": "n.symbol",
        "side": "'LONG'",
        "entry_order_id": "p.entry_order_id",
        "entry_price": f"n.entry_price {_UNIT}",
        "entry_time": f"{_MOMENT} n.entered",
        "entry_quantity": f"n.quantity {_UNIT}",
        "entry_fees": f"n.entry_fees {_UNIT}",
        "exit_order_id": "n.exit_order",
        "first_exit_fill_id": "x.id",
        "exit_price": f"n.exit_price {_UNIT}",
        "exit_time": f"{_MOMENT} n.exited",
        "exit_quantity": f"n.quantity {_UNIT}",
        "exit_fees": f"n.exit_fees {_UNIT}",
        "cost": f"n.cost {_UNIT}",
        "proceeds": f"n.proceeds {_UNIT}",
        "gross_pnl": f"n.gross {_UNIT}",
        "net_pnl": f"n.net {_UNIT}",
        "pnl_percentage": f"n.percent {_UNIT}",
        "roi_percentage": f"n.percent {_UNIT}",  # spot trades are unleveraged: margin used is the cost
        "hold_duration": "interval '1 millisecond' * (n.exited - n.entered)",
        "unknown_quantity": f"n.unknown_quantity {_UNIT}",
        "unknown_proceeds": f"n.unknown_proceeds {_UNIT}",
        "leverage": "1",
        "margin_mode": "''",
        "closes_position": "n.closes",
        "engine_version": "%(version)s",
    },
    f"new_trade n JOIN {_fill('o', 'n.position_symbol', 'n.position_fill')}"
    " JOIN portfolio_position p ON p.book_id = %(book)s AND p.opening_fill_id = o.id"
    f" JOIN {_fill('x', 'n.symbol', 'n.first_fill')}",
    ["position_id", "symbol", "exit_order_id", "kind", "first_exit_fill_id"],
    # Read off the orders by `portfolio.annotations`; a fold does not disturb them.
    defaults={"exit_type": "'MANUAL'", "exit_reason": "''", "strategy": "''"},
)

_KNOWN_TRADES: Final = f"""
INSERT INTO known_trade
SELECT t.id, n.symbol, n.exit_order, n.kind, n.position_symbol, n.position_fill, n.first_fill
FROM new_trade n
JOIN {_fill("o", "n.position_symbol", "n.position_fill")}
JOIN portfolio_position p ON p.book_id = %(book)s AND p.opening_fill_id = o.id
JOIN {_fill("x", "n.symbol", "n.first_fill")}
JOIN portfolio_trade t ON t.position_id = p.id AND t.symbol = n.symbol AND t.exit_order_id = n.exit_order
 AND t.kind = n.kind AND t.first_exit_fill_id = x.id
"""
_ALLOCATIONS: Final = _upsert(
    "portfolio_allocation",
    {
        **_OWNER,
        "trade_id": "t.id",
        "sequence": "n.sequence",
        "source": "n.source",
        "entry_fill_id": "e.id",
        "exit_fill_id": "x.id",
        "quantity": f"n.quantity {_UNIT}",
        "cost": f"n.cost {_UNIT}",
        "proceeds": f"n.proceeds {_UNIT}",
        "entry_fee": f"n.entry_fees {_UNIT}",
        "exit_fee": f"n.exit_fees {_UNIT}",
    },
    "new_allocation n JOIN known_trade t USING (symbol, exit_order, kind, position_symbol, position_fill, first_fill)"
    f" JOIN {_fill('x', 'n.symbol', 'n.exit_fill')} LEFT JOIN {_fill('e', 'n.entry_symbol', 'n.entry_fill')}",
    ["trade_id", "exit_fill_id", "sequence"],
)
_DAYS: Final = _upsert(
    "portfolio_bookday",
    {
        **_OWNER,
        "book_id": "%(book)s",
        "day": "date '1970-01-01' + n.day",
        "quantity": f"n.quantity {_UNIT}",
        "cost": f"n.cost {_UNIT}",
        "unknown_quantity": f"n.unknown {_UNIT}",
        "gross_pnl": f"n.gross {_UNIT}",
        "fees": f"n.fees {_UNIT}",
        "moved_quantity": f"n.moved_quantity {_UNIT}",
        "moved_cost": f"n.moved_cost {_UNIT}",
    },
    "new_day n",
    ["book_id", "day"],
)

# A re-fold replaces everything from its restart on: first what cannot stay, after the upserts the leftover trades.
_IN_SCOPE: Final = "book_id = %(book)s AND opened_at >= %(restart)s"
_FORGET: Final = (
    "DELETE FROM portfolio_allocation WHERE trade_id IN (SELECT t.id FROM portfolio_trade t"
    f" JOIN portfolio_position p ON p.id = t.position_id WHERE {_IN_SCOPE})",
    f"CREATE TEMPORARY TABLE gone ON COMMIT DROP AS SELECT id FROM portfolio_position p WHERE {_IN_SCOPE}"
    f" AND NOT EXISTS (SELECT FROM new_position n JOIN {_fill('f', 'n.symbol', 'n.fill')}"
    " WHERE f.id = p.opening_fill_id)",
    "DELETE FROM portfolio_trade WHERE position_id IN (SELECT id FROM gone)",
    "DELETE FROM portfolio_position WHERE id IN (SELECT id FROM gone)",
    "DROP TABLE gone",
    "DELETE FROM portfolio_bookday d WHERE book_id = %(book)s AND day >= (%(restart)s AT TIME ZONE 'UTC')::date"
    " AND NOT EXISTS (SELECT FROM new_day n WHERE d.day = date '1970-01-01' + n.day)",
)
_FORGET_TRADES: Final = (
    "DELETE FROM portfolio_trade t USING portfolio_position p WHERE p.id = t.position_id AND p."
    + _IN_SCOPE.replace("AND opened_at", "AND p.opened_at")
    + " AND NOT EXISTS (SELECT FROM known_trade k WHERE k.id = t.id)"
)


class Pending:
    """Collects results of one fold, in chunks, into temporary tables; `commit` merges them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._rows: dict[str, list[tuple[Any, ...]]] = {
            name: [] for name in ("new_position", "new_trade", "new_allocation", "new_day")
        }
        self._copied = 0
        self.sink = storable(Sink(self._position, self._trade, self._allocation, self._mark))
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)
            for name in (*self._rows, "known_trade"):
                cursor.execute(f"DELETE FROM {name}")

    def commit(self, *, restart: datetime | None) -> None:
        """Write the collected results. `restart`: everything from that moment on is replaced; None: appended."""
        for name in self._rows:
            self._flush(name)
        scope: dict[str, Any] = {
            "user": self._book.user_id,
            "account": self._book.account_id,
            "market": self._book.market_type,
            "exchange": self._book.account.exchange,
            "book": self._book.id,
            "version": ENGINE_VERSION,
            "restart": restart,
        }
        with connection.cursor() as cursor:
            if self._copied > _MANY:
                _plan_for_many(cursor, self._rows)
            if restart is not None:
                _run(cursor, _FORGET, scope)
            _run(cursor, (_POSITIONS, _TRADES, _KNOWN_TRADES), scope)
            if restart is not None:
                cursor.execute(_FORGET_TRADES, scope)
            _run(cursor, (_ALLOCATIONS, _DAYS), scope)

    def _position(self, row: Position) -> None:
        status = str(row.status)
        fees = row.entry_fees + row.exit_fees
        self._add(
            "new_position",
            (
                row.key.symbol, row.key.fill_id, row.entry_order_id, status, row.opened_ms, row.closed_ms,
                _json(row.checkpoint.state()), row.entry_price, row.open_quantity, row.open_cost,
                row.entry_quantity, row.entry_cost, row.exit_quantity, row.moved_quantity, row.moved_cost,
                row.dust_out_quantity, row.unknown_quantity, row.unknown_proceeds, fees, row.realised_gross,
                row.realised_net,
            ),
        )  # fmt: skip

    def _trade(self, row: Trade) -> None:
        self._add("new_trade", (*_trade_key(row.key), *row[1:]))

    def _allocation(self, row: AllocationRow) -> None:
        self._add("new_allocation", (*_trade_key(row[0]), *row[1:-1]))

    def _mark(self, row: Mark) -> None:
        self._add(
            "new_day",
            (
                row.day, row.open_quantity + row.dust_quantity, row.open_cost + row.dust_cost,
                row.unknown_quantity, row.realised_gross, row.fees, row.moved_quantity, row.moved_cost,
            ),
        )  # fmt: skip

    def _add(self, name: str, row: tuple[Any, ...]) -> None:
        rows = self._rows[name]
        rows.append(row)
        if len(rows) >= _CHUNK:
            self._flush(name)

    def _flush(self, name: str) -> None:
        rows = self._rows[name]
        if not rows:
            return
        self._copied += len(rows)
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            copy.write("".join(map(_line, rows)))
        rows.clear()


def _plan_for_many(cursor: CursorWrapper, tables: Iterable[str]) -> None:
    """Rows written a moment ago have no statistics: the planner would take them for a handful and loop over them."""
    for name in tables:
        cursor.execute(f"ANALYZE {name}")
    cursor.execute("SET LOCAL enable_nestloop = off")


def _run(cursor: CursorWrapper, statements: Sequence[str], scope: dict[str, Any]) -> None:
    for statement in statements:
        cursor.execute(statement, scope)


def _trade_key(key: Any) -> tuple[str, ...]:
    return (*key[0], *key[1:])


def _line(row: tuple[Any, ...]) -> str:
    """A row in COPY's text format. Ids and symbols come from outside, so they are escaped."""
    return "\t".join([_text(value) for value in row]) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    if type(value) is int:
        return str(value)
    text = str(value)
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return text


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
