"""An account of each exchange, faults by chance and workers killed by chance: what is stored is what happened.

CGT_ACCOUNTS and CGT_FILLS make it larger; `python -m benchmarks.chaos` does the same with processes.
"""

import os
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from benchmarks import chaos_exchanges, chaos_truth, chaos_workers
from benchmarks.chaos_exchanges import Exchanges
from credentials import accounts
from exchanges.simulators.clock import FixedClock
from pipeline import cursors
from tests.factories import UserFactory
from tests.pipeline.test_recovery import Killed, killed_after
from tests.pipeline.worlds import START, World

ACCOUNTS = int(os.environ.get("CGT_ACCOUNTS", "4"))
FILLS = int(os.environ.get("CGT_FILLS", "60"))
ODDS = 4  # few requests, so faults come thicker
SEED = 5


@pytest.fixture
def exchanges(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Exchanges, FixedClock]]:
    """With their own limits, which budgets keep in the exchanges' time: it passes while somebody waits."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EXCHANGE_BUDGET_PERCENT = 90
    clock = FixedClock(START)

    def wait(seconds: float) -> None:
        clock.advance(seconds=seconds)

    opened = START - timedelta(days=chaos_exchanges.DAYS + 1)
    for module, name, value in chaos_workers.replacements(clock, opened=opened, sleep=wait):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr("time.sleep", wait)
    made = Exchanges(clock, accounts=ACCOUNTS, fills=FILLS, seed=SEED, odds=ODDS)
    with made.open():
        settings.EXCHANGE_URLS = made.urls()
        yield made, clock


@pytest.fixture
def worlds(db: None, exchanges: tuple[Exchanges, FixedClock]) -> list[World]:
    made, clock = exchanges
    return [
        World(made.simulators[key.exchange], clock, key.label, user, account)
        for key in made.people()
        for user in [UserFactory.create()]
        for account in [
            accounts.connect(
                user_id=user.id,
                exchange=key.exchange,
                api_key=key.api_key,
                secret_key=key.secret,
                passphrase=key.passphrase,
                label=key.label,
            )
        ]
    ]


def read_with_kills(world: World, rng: random.Random) -> int:
    """Go at what is due, time and again, and be killed at a random page; answers how often that happened."""
    kills = 0
    for _ in range(4):
        world.ask()
        try:
            world.work(progress=killed_after(rng.randrange(1, 20)))
        except Killed:
            kills += 1
        world.wait(seconds=cursors.LEASE.total_seconds() + 1)
    return kills


def test_after_faults_and_kills_the_database_equals_the_truth(
    exchanges: tuple[Exchanges, FixedClock], worlds: list[World]
) -> None:
    (made, clock), rng = exchanges, random.Random(SEED)
    kills = sum(read_with_kills(world, rng) for world in worlds)
    made.end_faults()
    clock.advance(minutes=11)  # nothing that is put off for a fault waits longer
    wrong = {f"{world.account.exchange} {world.label}": chaos_truth.settle(clock, world) for world in worlds}
    counts = [chaos_truth.count(world) for world in worlds]
    assert {name: each for name, each in wrong.items() if each} == {}
    assert [fills >= FILLS for fills, _ in counts] == [True] * ACCOUNTS
    assert sum(twice for _, twice in counts) == 0
    assert kills >= ACCOUNTS
    assert sum(made.struck().values()) > 10 * ACCOUNTS
    assert made.refused == {}
