"""The statements that bring stored books in line with what a fold derived, one `Layout` for each kind of book.

Results stand in temporary tables first. Rows whose values did not change are not written, ids stay, and what no longer
follows from the facts goes. Contracts use the tables of spot books and fill a few columns more.

Each statement has two forms, by `few`. Of few rows, those of the large tables are named in an array, which the planner
looks up in an index; of many, all is hashed, as an array that ends up as a filter is walked for every row. Nested loops
are off for both: then no table is read more than once, whatever the planner knows of tables just written.
"""

from dataclasses import dataclass, replace
from typing import Final

_MOMENT: Final = "timestamptz 'epoch' + interval '1 millisecond' *"

# `number` counts the positions and trades of one fold, so that their parts can name them. `id` is what a row will be
# stored under: a new one, until `KNOWN` finds that the row exists. Entries are named by their fill; those that came
# without one by their transfer, below zero. `account` is the place of its account among those of the book.
TABLES: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS new_position (
  number integer, opening_fill bigint, symbol text, entry_order text, status text, opened bigint, closed bigint,
  checkpoint jsonb, entry_price numeric, open_quantity numeric, open_cost numeric, entry_quantity numeric,
  entry_cost numeric, exit_quantity numeric, moved_quantity numeric, moved_cost numeric, dust numeric,
  unknown_quantity numeric, unknown_proceeds numeric, fees numeric, gross numeric, net numeric,
  side text, funding numeric, settled numeric, told numeric, account smallint DEFAULT 1,
  id bigint DEFAULT nextval('portfolio_position_id_seq'::text), known boolean DEFAULT false
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_trade (
  number integer, position integer, first_fill bigint, symbol text, exit_order text, kind text, exit_type text,
  closes boolean, entered bigint, exited bigint, quantity numeric, cost numeric, proceeds numeric,
  entry_price numeric, exit_price numeric, gross numeric, entry_fees numeric, exit_fees numeric, net numeric,
  percent numeric, unknown_quantity numeric, unknown_proceeds numeric,
  side text, funding numeric, settled numeric, told numeric, account smallint DEFAULT 1,
  id bigint DEFAULT nextval('portfolio_trade_id_seq'::text), known boolean DEFAULT false
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_allocation (
  trade integer, exit_fill bigint, sequence integer, source text, entry_fill bigint, quantity numeric, cost numeric,
  proceeds numeric, entry_fees numeric, exit_fees numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_day (
  day integer, quantity numeric, cost numeric, unknown numeric, gross numeric, fees numeric,
  moved_quantity numeric, moved_cost numeric, funding numeric, unsettled numeric, untold numeric
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


def _owner(new: str) -> dict[str, str]:
    """Of rows that hang on the account of their fill."""
    return {**_OWNER, "account_id": f"(%(accounts)s::uuid[])[{new}.account]"}


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    """`columns`: column → expression over `source`."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"


def _among(column: str, ids: str, *, few: bool) -> str:
    return f"{column} = ANY(ARRAY({ids}))" if few else f"{column} IN ({ids})"


def _narrowed(column: str, ids: str, *, few: bool) -> str:
    """What a join says already, for the index."""
    return f" AND {_among(column, ids, few=True)}" if few else ""


def _update(table: str, columns: dict[str, str], source: str, new: str, stamp: str = "", *, few: bool) -> str:
    """Rewrite the known rows of `source` (`new`, as n, and what it is joined to) that differ."""
    narrowed = _narrowed("t.id", f"SELECT id FROM {new} WHERE known", few=few)
    return (
        f"UPDATE {table} t SET {', '.join(f'{name} = {value}' for name, value in columns.items())}{stamp}"
        f" FROM {source} WHERE n.known AND t.id = n.id{narrowed}"
        f" AND ({', '.join(f't.{name}' for name in columns)}) IS DISTINCT FROM ({', '.join(columns.values())})"
    )


_POSITION_VALUES: Final = {
    "exchange": "(%(exchanges)s::text[])[n.account]",
    "symbol": "n.symbol",
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
    "opened_at": f"{_MOMENT} n.opened",
    "closed_at": f"{_MOMENT} n.closed",
    "checkpoint": "n.checkpoint",
    "engine_version": "%(version)s",
}
_TRADE_VALUES: Final = {
    "exchange": "(%(exchanges)s::text[])[n.account]",
    "symbol": "n.symbol",
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
    "hold_duration": "interval '1 millisecond' * (n.exited - n.entered)",
    "unknown_quantity": "n.unknown_quantity",
    "unknown_proceeds": "n.unknown_proceeds",
    "closes_position": "n.closes",
    "engine_version": "%(version)s",
}
_ALLOCATION_VALUES: Final = {
    "source": "n.source",
    "entry_fill_id": "CASE WHEN n.entry_fill > 0 THEN n.entry_fill END",
    "entry_transfer_id": "CASE WHEN n.entry_fill < 0 THEN -n.entry_fill END",
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

# Unleveraged: the margin used is the cost.
_SPOT: Final = {"side": "'LONG'", "leverage": "1", "margin_mode": "''"}
_CONTRACT: Final = {
    "side": "n.side",
    "market_type": "%(market)s",
    "settle_asset": "%(settle)s",
    "is_inverse": "%(inverse)s",
    "funding": "n.funding",
    "settled_pnl": "n.settled",
    "exchange_pnl": "n.told",
}


def roi(*, net: str, leverage: str, cost: str) -> str:
    """Net result on the margin used, in percent to four decimals, half-even.

    Margin used is what the entry of the part that was closed took: its entry value by the leverage.
    """
    scaled = f"(1000000 * {net} * {leverage} / nullif({cost}, 0))"
    return (
        f"(CASE WHEN abs({scaled} - trunc({scaled})) = 0.5 THEN 2 * round({scaled} / 2) ELSE round({scaled}) END"
        " * 0.0001)"
    )


def known(*, few: bool) -> tuple[str, ...]:
    """Find the rows that exist."""
    fills = _narrowed("p.opening_fill_id", "SELECT opening_fill FROM new_position", few=few)
    positions = _narrowed("t.position_id", "SELECT id FROM new_position WHERE known", few=few)
    return (
        "UPDATE new_position n SET id = p.id, known = true FROM portfolio_position p"
        f" WHERE p.book_id = %(book)s AND p.opening_fill_id = n.opening_fill{fills}",
        "UPDATE new_position n SET id = p.id, known = true FROM portfolio_position p WHERE p.book_id = %(book)s"
        " AND p.opening_transfer_id IS NOT NULL AND n.opening_fill < 0 AND p.opening_transfer_id = -n.opening_fill",
        "UPDATE new_trade n SET id = t.id, known = true FROM new_position p, portfolio_trade t"
        " WHERE p.number = n.position AND p.known AND t.account_id = ANY(%(accounts)s::uuid[]) AND t.position_id = p.id"
        f" AND t.first_exit_fill_id = n.first_fill AND t.kind = n.kind{positions}",
    )


_OF_TRADES: Final = "new_trade n JOIN new_position p ON p.number = n.position"
_OF_ALLOCATIONS: Final = "new_allocation n JOIN new_trade t ON t.number = n.trade"
ALLOCATE: Final = _insert(
    "portfolio_allocation",
    {
        **_owner("t"),
        "trade_id": "t.id",
        "exit_fill_id": "n.exit_fill",
        "sequence": "n.sequence",
        **_ALLOCATION_VALUES,
    },
    _OF_ALLOCATIONS,
)
_SAME_ALLOCATION: Final = "a.trade_id = t.id AND a.exit_fill_id = n.exit_fill AND a.sequence = n.sequence"


@dataclass(frozen=True, slots=True)
class Layout:
    """`copied`: columns of each temporary table that a fold fills; `change` (by `few`) and `add`: statements, in their
    order."""

    copied: dict[str, str]
    change: dict[bool, tuple[str, ...]]
    add: tuple[str, ...]
    days: str


def _layout(
    *,
    position: dict[str, str],
    trade: dict[str, str],
    changed_trade: dict[str, str],
    day: dict[str, str],
    copied: dict[str, str],
) -> Layout:
    """Column → expression: of both when added; of trades also when changed. What is left out of a change stays."""
    return Layout(
        copied=copied,
        # Positions are brought in line before new ones are added: a book has at most one open.
        change={
            few: (
                _update(
                    *("portfolio_position", _POSITION_VALUES | position, "new_position n", "new_position"),
                    *(", last_updated = now()",),
                    few=few,
                ),
                _update("portfolio_trade", _TRADE_VALUES | changed_trade, _OF_TRADES, "new_trade", few=few),
            )
            for few in (True, False)
        },
        add=(_add_positions(position), _add_trades(trade)),
        days=_write_days(_DAY_VALUES | day),
    )


def _add_positions(values: dict[str, str]) -> str:
    return _insert(
        "portfolio_position",
        {
            "id": "n.id",
            **_owner("n"),
            "book_id": "%(book)s",
            "opening_fill_id": "CASE WHEN n.opening_fill > 0 THEN n.opening_fill END",
            "opening_transfer_id": "CASE WHEN n.opening_fill < 0 THEN -n.opening_fill END",
            "margin_mode": "''",
            **_POSITION_VALUES,
            **values,
            "last_updated": "now()",
        },
        "new_position n WHERE NOT n.known",
    )


def _add_trades(values: dict[str, str]) -> str:
    return _insert(
        "portfolio_trade",
        {
            "id": "n.id",
            **_owner("n"),
            "position_id": "p.id",
            "first_exit_fill_id": "n.first_fill",
            "kind": "n.kind",
            "margin_mode": "''",
            **_TRADE_VALUES,
            **values,
            # Read off the orders by `portfolio.annotations`; a fold does not disturb them later.
            "exit_type": "n.exit_type",
            "exit_reason": "''",
            "strategy": "''",
        },
        f"{_OF_TRADES} WHERE NOT n.known",
    )


def _write_days(values: dict[str, str]) -> str:
    return (
        _insert(
            "portfolio_bookday",
            {**_OWNER, "book_id": "%(book)s", "day": "date '1970-01-01' + n.day", **values},
            "new_day n",
        )
        + f" ON CONFLICT (book_id, day) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}"
        + f" WHERE ({', '.join(f'portfolio_bookday.{name}' for name in values)})"
        + f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in values)})"
    )


SPOT: Final = _layout(
    position=_SPOT,
    trade={**_SPOT, "roi_percentage": "n.percent"},
    changed_trade={**_SPOT, "roi_percentage": "n.percent"},
    day={},
    copied=_COPIED,
)
# A pool's positions and trades say whose they are.
POOL: Final = replace(
    SPOT, copied=_COPIED | {name: f"{_COPIED[name]}, account" for name in ("new_position", "new_trade")}
)
_MORE: Final = "side, funding, settled, told"
CONTRACTS: Final = _layout(
    position=_CONTRACT,
    trade=_CONTRACT,
    changed_trade={
        **_CONTRACT,
        "roi_percentage": roi(net="n.net", leverage="t.leverage", cost="n.cost"),
    },
    day={"funding": "n.funding", "unsettled": "n.unsettled", "untold": "n.untold"},
    copied={
        **_COPIED,
        "new_position": f"{_COPIED['new_position']}, {_MORE}",
        "new_trade": f"{_COPIED['new_trade']}, {_MORE}",
        "new_day": f"{_COPIED['new_day']}, funding, unsettled, untold",
    },
)


def _trades_in_scope(*, few: bool) -> str:
    positions = "SELECT id FROM portfolio_position WHERE book_id = %(book)s AND opened_at >= %(restart)s"
    in_scope = _among("t.position_id", positions, few=few)
    return f"SELECT t.id FROM portfolio_trade t WHERE t.account_id = ANY(%(accounts)s::uuid[]) AND {in_scope}"


def forget(*, few: bool) -> tuple[str, ...]:
    """A re-fold replaces everything from its restart on. What is no longer so goes before anything is changed."""
    trades = _trades_in_scope(few=few)
    gone = f"{trades} AND NOT EXISTS (SELECT FROM new_trade n WHERE n.id = t.id)"
    return (
        f"DELETE FROM portfolio_allocation a WHERE {_among('a.trade_id', trades, few=few)}"
        f" AND NOT EXISTS (SELECT FROM {_OF_ALLOCATIONS} WHERE {_SAME_ALLOCATION}"
        f" AND ({', '.join(f'a.{name}' for name in _ALLOCATION_VALUES)})"
        f" IS NOT DISTINCT FROM ({', '.join(_ALLOCATION_VALUES.values())}))",
        f"DELETE FROM portfolio_trade WHERE {_among('id', gone, few=few)}",
        "DELETE FROM portfolio_position p WHERE book_id = %(book)s AND opened_at >= %(restart)s"
        " AND NOT EXISTS (SELECT FROM new_position n WHERE n.id = p.id)",
        "DELETE FROM portfolio_bookday d WHERE book_id = %(book)s AND day >= (%(restart)s AT TIME ZONE 'UTC')::date"
        " AND NOT EXISTS (SELECT FROM new_day n WHERE d.day = date '1970-01-01' + n.day)",
    )


def allocate_missing(*, few: bool) -> str:
    """Add the allocations of a re-fold that are not there as they should be."""
    stored = _among("trade_id", _trades_in_scope(few=few), few=few)
    return (
        f"{ALLOCATE} LEFT JOIN (SELECT * FROM portfolio_allocation WHERE {stored}) a ON {_SAME_ALLOCATION}"
        " WHERE a.id IS NULL"
    )
