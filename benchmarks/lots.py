"""Which lots a sale consumes, by FIFO, LIFO and HIFO: our engine against rp2, on the same fills.

`python -m benchmarks.lots [--fills N] [--rival-fills N] [--seed N]` prints one JSON line per history and method, in CPU
time: rp2's `compute_tax` over its transactions, ready made, and our fold over its events, everything on and its rows
dropped. rp2 does `--rival-fills` (what it takes a fill grows with the history, so more would only favour us), we the
same for comparison (`ratio_same`) and all of `--fills` (`ratio`). `differences` counts sales whose gain differs by more
than rp2's rounding; fees are left out, as rp2 counts them otherwise. Target: ratio >= 50.

rp2 is not among our requirements: install `rp2` into any environment and run this module with it; it needs nothing of
ours but the repository.
"""

import argparse
import contextlib
import gc
import importlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from benchmarks.engine import SHAPES, book_events, dropping_sink, make_fills
from core import money
from portfolio.accounting import engine, events
from portfolio.accounting.results import Allocation, AllocationRow

METHODS: Final = ("fifo", "lifo", "hifo")
CLOSE: Final = Decimal("1e-9")
_CONFIGURATION: Final = """
[general]
assets = BTC
exchanges = Here
holders = Me
[in_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_in = 6
[out_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_out_no_fee = 6
crypto_fee = 7
[intra_header]
timestamp = 0
asset = 1
from_exchange = 2
from_holder = 3
to_exchange = 4
to_holder = 5
spot_price = 6
crypto_sent = 7
crypto_received = 8
"""


class Rival:
    """rp2 with fills of ours as its transactions. Raises ModuleNotFoundError."""

    def __init__(self, fills: Sequence[events.Fill]) -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
        ):  # it keeps logs where it is imported
            rp2 = self._import()
        logging.disable(logging.CRITICAL)
        self._rp2 = rp2
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(_CONFIGURATION)
            file.flush()
            country = rp2["plugin.country.us"].US()
            self._configuration = rp2["configuration"].Configuration(file.name, country)
        self._data = self._transactions(fills)

    @staticmethod
    def _import() -> dict[str, Any]:
        return {name: importlib.import_module(f"rp2.{name}") for name in (
            "configuration", "in_transaction", "input_data", "out_transaction", "rp2_decimal",
            "tax_engine", "transaction_set", "accounting_engine", "plugin.country.us",
        )}  # fmt: skip

    def run(self, method: str) -> Any:
        avl_tree: Any = importlib.import_module("prezzemolo.avl_tree")
        plugin: Any = importlib.import_module(f"rp2.plugin.accounting_method.{method}")
        methods = avl_tree.AVLTree()
        methods.insert_node(1970, plugin.AccountingMethod())
        chosen = self._rp2["accounting_engine"].AccountingEngine(methods)
        return self._rp2["tax_engine"].compute_tax(self._configuration, chosen, self._data)

    def gains(self, method: str) -> dict[str, Decimal]:
        """By the id of the fill that sold."""
        found: dict[str, Decimal] = {}
        for row in self.run(method).gain_loss_set:
            sold = row.taxable_event.unique_id
            found[sold] = found.get(sold, Decimal(0)) + Decimal(str(row.fiat_gain))
        return found

    def _transactions(self, fills: Sequence[events.Fill]) -> Any:
        make_set = self._rp2["transaction_set"].TransactionSet
        bought, sold, moved = (make_set(self._configuration, kind, "BTC") for kind in ("in", "out", "intra"))
        for row, fill in enumerate(fills, 1):
            (bought if fill.side == "BUY" else sold).add_entry(self._transaction(fill, row))
        return self._rp2["input_data"].InputData("BTC", bought, sold, moved)

    def _transaction(self, fill: events.Fill, row: int) -> Any:
        decimal = self._rp2["rp2_decimal"].RP2Decimal
        price, quantity = (decimal(str(money.from_units(units))) for units in (fill.price, fill.quantity))
        at = datetime.fromtimestamp(fill.executed_ms / 1000, UTC).isoformat()
        where = (self._configuration, at, "BTC", "Here", "Me", fill.side, price, quantity)
        named = {"row": row, "unique_id": fill.fill_id}
        if fill.side == "BUY":
            return self._rp2["in_transaction"].InTransaction(*where, **named)
        return self._rp2["out_transaction"].OutTransaction(*where, decimal("0"), **named)


def our_gains(method: str, booked: Iterable[events.Event]) -> dict[str, Decimal]:
    found: dict[str, int] = {}

    def allocation(fields: AllocationRow) -> None:
        row = Allocation._make(fields)
        found[row.exit_fill_id] = found.get(row.exit_fill_id, 0) + row.gross

    drop = dropping_sink()
    sink = drop._replace(allocation=allocation)
    engine.fold(engine.new_state(method=method), booked, sink)
    return {fill_id: money.from_units(gross) for fill_id, gross in found.items()}


def measure(shape: Any, count: int, rival_count: int, seed: int) -> Iterator[dict[str, object]]:
    fills = list(make_fills(count, seed, shape))
    some = fills[:rival_count]
    booked, few = list(book_events(fills)), list(book_events(some))
    rival = Rival(some)
    gc.collect()
    gc.freeze()  # the inputs are no part of what is measured
    for method in METHODS:

        def fold(rows: Sequence[events.Event], method: str = method) -> None:
            engine.fold(engine.new_state(method=method), rows, dropping_sink())

        whole, part = _seconds(lambda: fold(booked)), _seconds(lambda: fold(few), rounds=3)
        theirs = _seconds(lambda method=method: rival.run(method))  # type: ignore[misc]
        ours, expected = our_gains(method, few), rival.gains(method)
        wrong = sum(abs(ours.get(sold, Decimal(0)) - gain) > CLOSE for sold, gain in expected.items())
        yield {
            "bench": "lots",
            "history": shape.name,
            "method": method,
            "fills": count,
            "rival_fills": len(some),
            "sales": len(expected),
            "differences": wrong + len(ours.keys() - expected.keys()),
            "ours_per_second": round(count / whole),
            "rp2_per_second": round(len(some) / theirs),
            "ratio": round(count / whole * theirs / len(some), 1),
            "ratio_same": round(theirs / part, 1),
            "target": ">= 50",
        }
    gc.unfreeze()


def _seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """CPU time of the best round."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def main(arguments: Sequence[str] | None = None) -> int:
    """Status 1 if any sale differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--rival-fills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(arguments)
    money.use_exact_context()
    differences = 0
    try:
        for shape in SHAPES:
            for row in measure(shape, asked.fills, asked.rival_fills, asked.seed):
                print(json.dumps(row), flush=True)
                differences += int(str(row["differences"]))
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed: see the beginning of this module.")
    return int(differences > 0)


if __name__ == "__main__":
    raise SystemExit(main())
