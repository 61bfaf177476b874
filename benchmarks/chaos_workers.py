"""Worker processes for `benchmarks.chaos`, killed at random, and the time they and the exchanges share.

Time is the machine's, but what everybody waits for comes at once: when all workers sleep, the clock jumps to the first
that wakes. So limits, leases and waits are the real ones, and hours pass in minutes.
"""

import logging
import multiprocessing
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from ctypes import c_int64
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from typing import Any, Final

from core import clock

CONTEXT: Final = multiprocessing.get_context("forkserver")
# Started with the first worker, when the environment names the servers.
CONTEXT.set_forkserver_preload(
    ["ccxt", "celery", "django.db.models", "psycopg"]
)  # nothing that keeps the clock
IDLE: Final = 30_000  # milliseconds between two dispatches
OPENED: Final = timedelta(days=200)  # years of empty windows tell nothing
SWEEP_MS: Final = 30_000  # one slice of the slow search per exchange in this time
_NEVER: Final = 2**62
_LOOK: Final = 0.002  # seconds


class SharedClock:
    """The time of all processes. Slot 0: how far it is ahead of the machine's; slot 1: where it stands still, if not 0;
    the others: until when each worker sleeps, 0 while it works. No lock: the killed would keep it."""

    def __init__(self, workers: int) -> None:
        self.begun = clock.from_ms(self._machine_ms())
        self._slots = RawArray(c_int64, [0, 0, *[_NEVER] * workers])

    def now_ms(self) -> int:
        return self._slots[1] or self._machine_ms() + self._slots[0]

    def now(self) -> datetime:
        return clock.from_ms(self.now_ms())

    def advance(self, *, ms: int = 0, seconds: float = 0) -> None:
        step = ms + round(seconds * 1000)
        self._slots[1 if self._slots[1] else 0] += step

    def stand_still(self, still: bool) -> None:
        """Let time stand, or go on from where it stood."""
        if still:
            self._slots[1] = self.now_ms()
        elif self._slots[1]:
            self._slots[0] = self._slots[1] - self._machine_ms()
            self._slots[1] = 0

    def sleep(self, worker: int, seconds: float) -> None:
        """Of a worker, until time has come that far."""
        until = self.now_ms() + max(round(seconds * 1000), 1)
        self._slots[worker + 2] = until
        while self.now_ms() < until:
            time.sleep(_LOOK)
        self._slots[worker + 2] = 0

    def begin(self, worker: int) -> None:
        self._slots[worker + 2] = 0

    def is_starting(self, worker: int) -> bool:
        return bool(self._slots[worker + 2] == _NEVER)

    def forget(self, worker: int) -> None:
        """It was killed; nobody waits for the next one to start."""
        self._slots[worker + 2] = _NEVER

    def jump(self) -> None:
        """When nobody works, on to the first who wakes."""
        first = min(self._slots[2:])
        if 0 < first < _NEVER and first > self.now_ms():
            self._slots[0] += first - self.now_ms()

    @staticmethod
    def _machine_ms() -> int:
        return time.time_ns() // 1_000_000


class Killer:
    """Keeps workers running, and kills one of them every few seconds as the machine would: with SIGKILL."""

    def __init__(
        self, shared: SharedClock, *, workers: int, accounts: int, urls: str, every: float, seed: int
    ) -> None:
        self.kills = 0
        self._shared = shared
        self._urls = urls
        self._dispatched = -(
            -accounts // workers
        )  # at once: all workers get some, and every account its turn
        self._every = every
        self._rng = random.Random(seed)
        self._workers = [self._start(number) for number in range(workers)]
        self._next_at = time.monotonic() + every

    def look(self) -> None:
        self._shared.jump()
        for number, worker in enumerate(self._workers):
            if not worker.is_alive():
                raise SystemExit(f"Worker {number} ended by itself: {worker.exitcode}")
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + self._rng.uniform(0.5, 1.5) * self._every
        number = self._rng.randrange(len(self._workers))
        if self._shared.is_starting(number):
            return
        self._kill(number)
        self.kills += 1
        self._workers[number] = self._start(number)

    def stop(self) -> None:
        for number in range(len(self._workers)):
            self._kill(number)

    def _kill(self, number: int) -> None:
        self._workers[number].kill()
        self._workers[number].join()
        self._shared.forget(number)

    def _start(self, number: int) -> BaseProcess:
        asked = (self._shared, number, self._urls, self._dispatched)
        worker = CONTEXT.Process(target=work, args=asked, daemon=True)
        worker.start()
        return worker


def work(shared: SharedClock, number: int, urls: str, dispatched: int) -> None:
    """What Celery's beat and a worker do, until killed. A hint a killed worker took is lost, as from a broker.
    `dispatched`: accounts at once, at most."""
    prepare(shared, urls, sleep=partial(shared.sleep, number))
    from pipeline import broker, tasks

    hints: deque[tuple[str, Sequence[Any]]] = deque()

    def hint(task: str, arguments: Sequence[Any], **_: Any) -> bool:
        hints.append((task, arguments))
        return True

    for module, name, value in (
        (broker, "hint", hint),
        (broker, "hint_soon", hint),
        (tasks, "DISPATCHED", dispatched),
    ):
        setattr(module, name, value)
    shared.begin(number)
    while True:
        tasks.watch_exchanges()
        tasks.dispatch_due()
        while hints:
            task, arguments = hints.popleft()
            broker.app.tasks[task](*arguments)
        tasks.rebuild_stale()
        shared.sleep(number, IDLE / 1000)


def prepare(shared: SharedClock, urls: str, *, sleep: Any) -> None:
    """Let this process live in the shared time. Before anything else is imported, which may keep the clock."""
    clock.now = shared.now
    import django

    django.setup()
    from django.conf import settings

    logging.disable(logging.CRITICAL)
    settings.EXCHANGE_URLS = urls
    opened = clock.day_start(clock.utc_day(shared.begun)) - OPENED
    for module, name, value in replacements(shared, opened=opened, sleep=sleep):
        setattr(module, name, value)


def replacements(time: Any, *, opened: datetime, sleep: Any) -> Iterator[tuple[Any, str, Any]]:
    """What makes budgets count by, and waits pass in, the time of a clock with `now_ms`: (module, name, value). No
    exchange was there before `opened`."""
    from django.core.cache import cache

    from exchanges.binance import walks as binance
    from exchanges.gateio import walks as gateio
    from pipeline import budgets, clients, governors, market, patience, pauses

    def take_sweep(exchange: str) -> bool:
        return bool(cache.add(f"chaos:sweep:{exchange}:{time.now_ms() // SWEEP_MS}", 1))

    yield binance, "OPENED", opened
    yield gateio, "OPENED", opened
    yield gateio, "CONTRACTS_OPENED", opened
    yield market, "BUDGETS", budgets.Budgets(time.now_ms)
    yield market, "Governor", partial(governors.Governor, sleep=sleep)
    yield pauses, "take_sweep", take_sweep
    yield clients, "PatientClient", partial(patience.PatientClient, sleep=sleep)
