"""Storing facts and reading them back, against COPY of the same rows.

`python -m benchmarks.ingest [--fills N] [--rounds N]` prints one JSON line per measurement; the best of all rounds
counts, competitors taking turns. The rival of storing is COPY of text made beforehand into a table of the same
shape, indexes and constraints included, that looks for no conflicts (targets: new rows ≥ 0.3 × COPY and ≥ 5 ×
`bulk_create(update_conflicts=True)`, unchanged rows faster than new ones). The rival of reading a book is COPY of
the same columns out, bytes only (target ≥ 0.25 ×). Fills of a page come with the whole payload of the exchange.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence

from benchmarks.database import prepared


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with prepared():
        _measure(options.fills, options.rounds)


def _measure(count: int, rounds: int) -> None:
    from benchmarks import ingest_rivals as rivals

    fills = list(rivals.make_fills(count))
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    for number in range(rounds):
        account = rivals.account_of(f"ingest-{number}")
        for name, work in rivals.competitors(account, fills).items():
            started = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - started)
    _report(count, rivals.FEW, best)


def _report(count: int, few: int, best: dict[str, float]) -> None:
    def line(name: str, rows: int, rival: str, target: str) -> None:
        figures = {
            "measurement": name,
            "rows": rows,
            "rows_per_second": round(rows / best[name]),
            "milliseconds": round(best[name] * 1000, 2),
            "rival": rival,
            "ratio": round(best[rival] / best[name], 3),
            "target": target,
        }
        print(json.dumps(figures), flush=True)

    line("new fills", count, "COPY in", ">= 0.3")
    line("new fills", count, "bulk_create", ">= 5")
    line("unchanged fills", count, "new fills", "> 1")
    line("new orders", count, "COPY in", "")
    line("unchanged orders", count, "new orders", "> 1")
    line(f"{few} new fills", few, "new fills", "")
    line(f"{few} unchanged fills", few, "new fills", "")
    line("book read", count, "COPY out", ">= 0.25")


if __name__ == "__main__":
    main()
