"""A first sync from the simulated exchange over HTTP: one account with very many fills on one symbol, then many small.

`python -m benchmarks.sync [--fills N] [--accounts N]` prints one JSON line per measurement. The simulator runs in a
process of its own; `cpu_microseconds_per_fill` is this process's alone, without the simulator's and PostgreSQL's.
"useful" ends when the page shows balances, positions, the newest days and an equity curve; "facts" when the last page
is stored; "everything" when books, snapshots and metrics follow from it. The small accounts, one after another, show
what becomes of a worker's memory.

Measured on two cores that others used as well: 50,000 fills useful after 2.1 s, facts after 10.2 s, everything after
63 s (6.0 s CPU of this process); memory 183 MB after 20 accounts, 181 MB after 200.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.database import prepared

SYMBOL = "BTCUSDT"
SMALL = 500  # fills of a small account


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=50_000)
    parser.add_argument("--accounts", type=int, default=200)
    options = parser.parse_args(arguments)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    simulator = context.Process(target=_simulate, args=(theirs, options.fills, options.accounts), daemon=True)
    simulator.start()
    url, large, small = ours.recv()
    try:
        with prepared():
            _measure(url, large, options.fills)
            _measure_memory(small)
    finally:
        ours.send(None)
        simulator.join()


def _simulate(pipe: Connection, fills: int, accounts: int) -> None:
    from exchanges.simulators.binance import BinanceSimulator
    from exchanges.simulators.binance.limits import Limits

    limits = Limits(api=10**9, sapi_ip=10**9, fapi=10**9, sapi_uid=10**9, sapi_uid_second=10**9)
    simulator = BinanceSimulator(profiles=(), limits=limits)
    large, *small = (
        simulator.add_bulk_account(fills=count, symbol=SYMBOL, label=f"bulk-{number}")
        for number, count in enumerate((fills, *[SMALL] * accounts))
    )
    with simulator:
        keys = [(each.api_key, each.api_secret) for each in (large, *small)]
        pipe.send((simulator.url, keys[0], keys[1:]))
        pipe.recv()


class _Stopwatch:
    """Wall and CPU time of this process when the page became useful and at the last page of facts, noted as the run
    tells its progress."""

    def __init__(self) -> None:
        self.start = self.facts = (time.perf_counter(), time.process_time())
        self.useful: tuple[float, float] | None = None
        self._is_measuring = False

    def look(self, run: Any) -> None:
        at = (time.perf_counter(), time.process_time())
        if run.step.startswith(("Reading", "Looking")):
            self.facts = at
            if self._is_measuring and self.useful is None:
                self.useful = at
        self._is_measuring = self._is_measuring or run.step == "Measuring performance"


def _measure(url: str, keys: tuple[str, str], fills: int) -> None:
    from django.conf import settings

    from exchanges import registry

    settings.EXCHANGE_URLS = f"binance={url}"
    settings.EXCHANGE_BUDGET_PERCENT = 10**9  # the simulator's limits are away, ours as well
    registry.open_market("binance").close()  # loading ccxt is no part of it
    watch = _Stopwatch()
    run = _sync("large", keys, watch)
    end = (time.perf_counter(), time.process_time())
    if run.counts.get("fills") != fills or run.status != "ok":
        raise SystemExit(f"The sync went wrong: {run.status}, {run.counts}, {run.error_detail}")
    for name, at in (("useful", watch.useful), ("facts", watch.facts), ("everything", end)):
        if at is not None:
            _report(name, fills, run.counts["orders"], at[0] - watch.start[0], at[1] - watch.start[1])


def _sync(name: str, keys: tuple[str, str], watch: _Stopwatch) -> Any:
    from accounts.models import User
    from core import clock
    from core.django import actors
    from credentials import accounts
    from pipeline.models import Trigger
    from pipeline.sync import sync_account

    user = User.objects.create_user(f"{name}@example.com", "bench")
    account = accounts.connect(user_id=user.id, exchange="binance", api_key=keys[0], secret_key=keys[1])
    with actors.acting(actors.Actor(kind=actors.ActorKind.WORKER)):
        return sync_account(
            user_id=user.id,
            account_id=account.id,
            trigger=Trigger.CONNECT,
            at=clock.now(),
            progress=watch.look,
        )


def _measure_memory(small: list[tuple[str, str]]) -> None:
    """Resident memory after the first tenth of the accounts, and after all of them."""
    sizes = []
    for number, keys in enumerate(small):
        run = _sync(f"small-{number}", keys, _Stopwatch())
        if run.status != "ok":
            raise SystemExit(f"Account {number} went wrong: {run.status}, {run.error_detail}")
        sizes.append(_resident())
    if sizes:
        tenth = sizes[max(len(sizes) // 10 - 1, 0)]
        figures = {"accounts": len(sizes), "after_a_tenth": tenth, "after_all": sizes[-1]}
        print(json.dumps({"measurement": "sync: a worker's memory, MB", **figures}), flush=True)


def _resident() -> float:
    """MB of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 2**20, 1)


def _report(name: str, fills: int, orders: int, wall: float, cpu: float) -> None:
    figures = {
        "measurement": f"sync: {name}",
        "fills": fills,
        "orders": orders,
        "seconds": round(wall, 2),
        "fills_per_second": round(fills / wall),
        "cpu_seconds": round(cpu, 2),
        "cpu_microseconds_per_fill": round(cpu / fills * 1e6, 1),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
