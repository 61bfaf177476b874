"""Many accounts at four exchanges that go wrong by chance, read by workers that are killed by chance.

`python -m benchmarks.chaos [--accounts 40] [--fills 2000] [--seed N]` prints one JSON line for the time of chaos and
one for what is stored once the faults are over and everybody was read once more: `differences` between the database
and the exchanges' truth, rows that are there `twice`, and `refusals`, which are requests beyond a limit. All three are
to be 0; else the differences follow and the exit code is 1. The exchanges run in a process of their own, with their
real limits and the faults of `chaos_exchanges.Script`; workers in processes of their own, killed with SIGKILL.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

import psycopg

from benchmarks import chaos_workers
from benchmarks.chaos_exchanges import Exchanges, Key
from benchmarks.chaos_workers import Killer, SharedClock
from benchmarks.database import prepared
from core import clock

if TYPE_CHECKING:
    from tests.pipeline.worlds import World

WORKERS: Final = 3
LOOKED: Final = 3.0  # seconds between two looks whether all is read
WAITED: Final = timedelta(minutes=15)  # nothing that is put off for a fault waits longer
SHOWN: Final = 20  # differences


class Remote:
    """An exchange in another process, as far as the comparison needs one."""

    def __init__(self, url: str) -> None:
        self._url = url

    def truth(self) -> Any:
        with urllib.request.urlopen(f"{self._url}/__truth") as answer:
            return json.load(answer)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=40)
    parser.add_argument("--fills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    parser.add_argument("--kills", type=int, default=20, help="at least so many")
    parser.add_argument("--minutes", type=float, default=18.0, help="of chaos, at most")
    options = parser.parse_args(arguments)
    shared = SharedClock(WORKERS)
    clock.now = shared.now
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    asked = (theirs, shared, options.accounts, options.fills, options.seed)
    exchanges = context.Process(target=_simulate, args=asked, daemon=True)
    exchanges.start()
    urls, keys = ours.recv()
    with prepared("chaos"):
        _hurry()
        chaos_workers.prepare(shared, urls, sleep=lambda seconds: shared.advance(seconds=seconds))
        worlds = _connect(shared, urls, keys)
        _spread_chaos(options, shared, urls, worlds, lambda: _ask(ours, "told"))
        _ask(ours, "end")
        is_right = _compare(shared, worlds, lambda: _ask(ours, "told"))
    ours.send("stop")
    exchanges.join()
    return 0 if is_right and exchanges.exitcode == 0 else 1


def _hurry() -> None:
    """The machine is not switched off during the measurement: no commit waits for the disk."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")


def _simulate(pipe: Connection, shared: SharedClock, accounts: int, fills: int, seed: int) -> None:
    """Serve until told to stop. Mistakes of the simulators themselves end this with a traceback."""
    exchanges = Exchanges(shared, accounts=accounts, fills=fills, seed=seed)
    with exchanges.open():
        pipe.send((exchanges.urls(), exchanges.people()))
        while (asked := pipe.recv()) != "stop":
            if asked == "end":
                exchanges.end_faults()
            pipe.send((dict(exchanges.refused), dict(exchanges.struck())))


def _ask(pipe: Connection, what: str) -> tuple[dict[str, int], dict[str, int]]:
    """Refusals and faults so far."""
    pipe.send(what)
    told: tuple[dict[str, int], dict[str, int]] = pipe.recv()
    return told


def _connect(shared: SharedClock, urls: str, keys: Sequence[Key]) -> list["World"]:
    """A user for every account."""
    from django.core.cache import cache

    from accounts.models import User
    from credentials import accounts
    from tests.pipeline.worlds import World

    cache.clear()  # with what an earlier run knew of the exchanges
    by_exchange = dict(pair.split("=") for pair in urls.split())
    worlds = []
    for key in keys:
        user = User.objects.create_user(f"{key.exchange}-{key.label}@example.com", None)
        account = accounts.connect(
            user_id=user.id,
            exchange=key.exchange,
            api_key=key.api_key,
            secret_key=key.secret,
            passphrase=key.passphrase,
            label=key.label,
        )
        remote: Any = Remote(by_exchange[key.exchange])
        now: Any = shared
        worlds.append(World(remote, now, key.label, user, account))
    return worlds


def _spread_chaos(
    options: argparse.Namespace,
    shared: SharedClock,
    urls: str,
    worlds: Sequence["World"],
    told: Callable[[], Any],
) -> None:
    begun, started = time.monotonic(), shared.now()
    killer = Killer(
        shared, workers=WORKERS, accounts=len(worlds), urls=urls, every=options.every, seed=options.seed
    )
    looked_at, is_read = begun, False
    while (not is_read or killer.kills < options.kills) and time.monotonic() - begun < options.minutes * 60:
        killer.look()
        time.sleep(0.003)
        if time.monotonic() - looked_at > LOOKED:
            is_read, looked_at = not any(map(_waiting, worlds)), time.monotonic()
    killer.stop()
    refused, struck = told()
    figures = {
        "measurement": "chaos: faults and kills",
        "accounts": len(worlds),
        "kills": killer.kills,
        "faults": sum(struck.values()),
        "by_kind": struck,
        "waiting": sum(map(_waiting, worlds)),
        "hours_of_the_exchanges": round((shared.now() - started).total_seconds() / 3600, 1),
        "seconds": round(time.monotonic() - begun),
        "refusals": sum(refused.values()),
    }
    print(json.dumps(figures), flush=True)


def _waiting(world: "World") -> int:
    """Cursors never read to their end that are due soon, and those that are due; 1 for an account nobody looked at."""
    from django.db.models import Q

    from pipeline.models import SyncCursor

    with world.door():
        cursors = SyncCursor.objects.filter(account=world.account)
        waits = Q(due_at__lte=world.now()) | Q(last_ok_at=None, due_at__lte=world.now() + WAITED)
        return cursors.filter(waits).count() or int(not cursors.exists())


def _compare(shared: SharedClock, worlds: Sequence["World"], told: Callable[[], Any]) -> bool:
    """Read everybody once more and hold what is stored against the truth; answers whether all is right."""
    from benchmarks.chaos_truth import SETTLING, count, settle

    begun = time.monotonic()
    shared.stand_still(True)
    shared.advance(seconds=SETTLING.total_seconds())
    found = [(world, settle(shared, world)) for world in worlds]
    counts = [count(world) for world in worlds]
    refused, _ = told()
    figures = {
        "measurement": "chaos: what is stored",
        "accounts": len(worlds),
        "fills": sum(fills for fills, _ in counts),
        "least_fills": min(fills for fills, _ in counts),
        "differences": sum(len(each) for _, each in found),
        "twice": sum(twice for _, twice in counts),
        "refusals": sum(refused.values()),
        "seconds": round(time.monotonic() - begun),
    }
    print(json.dumps(figures), flush=True)
    for world, different in found:
        for each in different[:SHOWN]:
            print(world.account.exchange, world.label, each, file=sys.stderr)
    if refused:
        print(refused, file=sys.stderr)
    return not (figures["differences"] or figures["twice"] or figures["refusals"])


if __name__ == "__main__":
    sys.exit(main())
