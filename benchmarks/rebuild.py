"""A whole rebuild against COPY of the same rows out and in, one new fill on small and large books, and memory.

`python -m benchmarks.rebuild [--fills N] [--rounds N]` prints one JSON line per measurement. "The same rows" are the
fills as the engine reads them, copied out, and every derived row (positions, trades, allocations, fees, days), copied
into bare tables. A first fold writes every row; a rebuild from zero computes every row again and finds it there. Each
round folds an account of its own and copies right before and after, so that both see the same machine; `ratio` is the
median of the rounds. Targets: both ≤ 5 × COPY; a new fill on a book of N ≤ 3 × one on a book of 1,000.

`copy_into_indexed_seconds` is the same COPY into tables with the derived tables' own indexes, checks and foreign keys:
what the database takes to keep these rows at all, whoever computes them; `ratio_indexed` is the fold against that.
"""

import argparse
import json
import statistics
import time
import tracemalloc
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from benchmarks.database import prepared
from benchmarks.engine import SHAPES, make_fills
from core.django.roles import APP_ROLE

_TRACED = 100_000  # fills at most: counting every allocation takes ten times as long
_DERIVED = (
    "portfolio_position",
    "portfolio_trade",
    "portfolio_allocation",
    "portfolio_fee",
    "portfolio_bookday",
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with prepared():
        _measure(options.fills, options.rounds)


def _measure(fills: int, rounds: int) -> None:
    from benchmarks import accounts  # models need the apps that `prepared` sets up

    first, again = [], []
    for number in range(rounds):
        large = accounts.create(make_fills(fills, 1, SHAPES[-1]), label=f"large-{number}")
        folded = _rebuild(large, from_zero=False)
        copied, indexed = _copy(large, indexed=False), _copy(large, indexed=True)
        refolded = _rebuild(large, from_zero=True)
        copied = (copied + _copy(large, indexed=False)) / 2
        first.append((folded / copied, folded, copied, indexed))
        again.append((refolded / copied, refolded, copied, indexed))
    for what, measured in (("first fold of all rows", first), ("rebuild from zero of all rows", again)):
        ratio, seconds, copied, indexed = sorted(measured)[len(measured) // 2]
        _print(
            what,
            fills=fills,
            seconds=seconds,
            copy_seconds=copied,
            copy_into_indexed_seconds=indexed,
            ratios=[round(one, 2) for one, *_ in measured],
            ratio=ratio,
            ratio_indexed=statistics.median(seconds / indexed for _, seconds, _, indexed in measured),
            target="<= 5",
        )
    small = accounts.create(make_fills(1_000, 1, SHAPES[-1]), label="small")
    _rebuild(small, from_zero=False)
    base, grown = _tail(small, 1_000), _tail(large, fills)
    _print("one new fill", book=fills, seconds=grown, seconds_at_1000=base, ratio=grown / base, target="<= 3")
    _memory(min(fills, _TRACED))


def _rebuild(account: Any, *, from_zero: bool) -> float:
    from core import clock
    from portfolio import rebuild

    started = time.perf_counter()
    rebuild.rebuild_account(
        user_id=account.user_id,
        account_id=account.id,
        at=clock.now(),
        from_zero=from_zero,
    )
    return time.perf_counter() - started


def _copy(account: Any, *, indexed: bool) -> float:
    """The fills out, every derived row out (not timed) and in: into bare tables, or into twins of the real ones."""
    from django.db import connection

    from core.django import tenancy

    spent = 0.0
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        columns = (
            "exchange_fill_id, symbol, base_asset, quote_asset, side, price, quantity, quote_quantity, fee_amount,"
            " fee_currency, executed_at, exchange_order_id"
        )
        started = time.perf_counter()
        with cursor.copy(f"COPY (SELECT {columns} FROM orders_fill) TO STDOUT") as copy:
            for _ in copy:
                pass
        spent += time.perf_counter() - started
        for table in _DERIVED:
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                rows = b"".join(bytes(block) for block in copy)
            if indexed:
                _make_twin(cursor, table)
            else:
                cursor.execute(f"CREATE TEMPORARY TABLE copied (LIKE {table}) ON COMMIT DROP")
            started = time.perf_counter()
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write(rows)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what would else wait for the commit
            spent += time.perf_counter() - started
            cursor.execute("DROP TABLE copied")
            cursor.execute("SELECT set_config('role', %s, true)", [APP_ROLE])
    return spent


def _make_twin(cursor: Any, table: str) -> None:
    """An empty table with a table's columns, indexes, checks and foreign keys, made as the tables' owner."""
    cursor.execute("SELECT set_config('role', session_user, true)")
    cursor.execute(f"CREATE TABLE copied (LIKE {table} INCLUDING ALL)")
    cursor.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        [table],
    )
    for (key,) in cursor.fetchall():
        cursor.execute(f"ALTER TABLE copied ADD {key}")


def _tail(account: Any, fills: int) -> float:
    """Median seconds to store and fold one more fill."""
    from benchmarks import accounts

    more = list(make_fills(fills + 20, 1, SHAPES[-1]))[fills:]
    seconds = []
    for fill in more:
        later = fill._replace(executed_ms=fill.executed_ms + int(timedelta(days=1).total_seconds() * 1000))
        accounts.add(account, [later])
        seconds.append(_rebuild(account, from_zero=False))
    return statistics.median(seconds)


def _memory(fills: int) -> None:
    """Peak of Python's memory while a book is rebuilt, for a fifth of the history and for all of it."""
    from benchmarks import accounts

    peaks = []
    for count in (fills // 5, fills):
        account = accounts.create(make_fills(count, 2, SHAPES[-1]), label=f"memory-{count}")
        tracemalloc.start()
        _rebuild(account, from_zero=False)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    _print("peak memory, MB", fifth=peaks[0], whole=peaks[1], ratio=peaks[1] / peaks[0])


def _print(what: str, **figures: object) -> None:
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
    }
    print(json.dumps({"measure": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
