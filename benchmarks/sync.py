"""A first sync from the simulated exchange over HTTP: one account with very many fills on one symbol.

`python -m benchmarks.sync [--fills N]` prints one JSON line per measurement. The simulator runs in a process of its
own; `cpu_microseconds_per_fill` is this process's alone, without the simulator's and PostgreSQL's. "facts" ends when
the last page is stored, "everything" when books, snapshots and metrics follow from it.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.database import prepared

SYMBOL = "BTCUSDT"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=100_000)
    options = parser.parse_args(arguments)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    simulator = context.Process(target=_simulate, args=(theirs, options.fills), daemon=True)
    simulator.start()
    world = ours.recv()
    try:
        with prepared():
            _measure(world, options.fills)
    finally:
        ours.send(None)
        simulator.join()


def _simulate(pipe: Connection, fills: int) -> None:
    from exchanges.simulators.binance import BinanceSimulator
    from exchanges.simulators.binance.limits import Limits

    limits = Limits(api=10**9, sapi_ip=10**9, sapi_uid_second=10**9)
    simulator = BinanceSimulator(profiles=(), limits=limits)
    account = simulator.add_bulk_account(fills=fills, symbol=SYMBOL)
    with simulator:
        pipe.send({"url": simulator.url, "key": account.api_key, "secret": account.api_secret})
        pipe.recv()


class _Stopwatch:
    """Wall and CPU time of this process at the last page of facts, noted as the run tells its progress."""

    def __init__(self) -> None:
        self.start = self.facts = (time.perf_counter(), time.process_time())
        self.pages = 0

    def look(self, run: Any) -> None:
        if run.step.startswith(("Reading", "Looking")):
            self.facts = (time.perf_counter(), time.process_time())
            self.pages += 1


def _measure(world: dict[str, str], fills: int) -> None:
    from django.conf import settings

    from accounts.models import User
    from core import clock
    from core.django import actors
    from credentials import accounts
    from exchanges import registry
    from pipeline.models import Trigger
    from pipeline.sync import sync_account

    settings.EXCHANGE_URLS = f"binance={world['url']}"
    registry.open_market("binance").close()  # loading ccxt is no part of it
    user = User.objects.create_user("bench@example.com", "bench")
    account = accounts.connect(
        user_id=user.id, exchange="binance", api_key=world["key"], secret_key=world["secret"]
    )
    watch = _Stopwatch()
    with actors.acting(actors.Actor(kind=actors.ActorKind.WORKER)):
        run = sync_account(
            user_id=user.id,
            account_id=account.id,
            trigger=Trigger.CONNECT,
            at=clock.now(),
            progress=watch.look,
        )
    end = (time.perf_counter(), time.process_time())
    if run is None or run.counts.get("fills") != fills or run.status != "ok":
        raise SystemExit(f"The sync went wrong: {run and (run.status, run.counts, run.error_detail)}")
    for name, at in (("facts", watch.facts), ("everything", end)):
        _report(name, fills, run.counts["orders"], at[0] - watch.start[0], at[1] - watch.start[1])


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
