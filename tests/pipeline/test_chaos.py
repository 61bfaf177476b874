"""An account of each exchange, faults by chance and workers killed by chance: what is stored is what happened.

CGT_ACCOUNTS and CGT_FILLS make it larger; `python -m benchmarks.chaos` does the same with processes.
"""

import os
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from benchmarks import chaos_truth
from benchmarks.chaos_exchanges import Exchanges
from credentials import accounts
from credentials.models import ExchangeAccount
from exchanges.simulators.bitget.limits import Limits as Bitget
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio.limits import Limits as Gateio
from exchanges.simulators.mexc.limits import Limits as Mexc
from pipeline import cursors
from pipeline.models import RunStatus
from tests.factories import UserFactory
from tests.pipeline.test_recovery import Killed, killed_after
from tests.pipeline.worlds import NO_LIMITS, START, World

ACCOUNTS = int(os.environ.get("CGT_ACCOUNTS", "4"))
FILLS = int(os.environ.get("CGT_FILLS", "60"))
ODDS = 4  # few requests, so faults come thicker
SEED = 5
# The simulated clock stands still, so no allowance is new again by itself.
LIMITS = {
    "binance": NO_LIMITS,
    "bitget": Bitget.none(),
    "gateio": Gateio(public=10**9, private=10**9),
    "mexc": Mexc(ip=10**9, uid=10**9, contracts=10**9, contract_details=10**9),
}


@pytest.fixture
def exchanges(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Exchanges, FixedClock]]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for opened in ("binance.walks.OPENED", "gateio.walks.OPENED", "gateio.walks.CONTRACTS_OPENED"):
        monkeypatch.setattr(f"exchanges.{opened}", START - timedelta(days=60))
    clock = FixedClock(START)
    # Short waits that an exchange asks for are waited out in its own time.
    monkeypatch.setattr("time.sleep", lambda seconds: clock.advance(seconds=min(seconds, 0.3)))
    made = Exchanges(clock, accounts=ACCOUNTS, fills=FILLS, seed=SEED, odds=ODDS, **LIMITS)
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
    for _ in range(6):
        world.ask()
        try:
            world.work(progress=killed_after(rng.randrange(1, 20)))
        except Killed:
            kills += 1
        world.wait(seconds=cursors.LEASE.total_seconds() + 1)
    return kills


def read_to_the_end(world: World) -> None:
    for _ in range(4):
        world.wait(minutes=11)
        if world.sync().status == RunStatus.OK:
            return


def found_wrong(world: World) -> list[chaos_truth.Difference]:
    with world.door():
        unified = ExchangeAccount.objects.get(id=world.account.id).account_type == "unified"
    return list(chaos_truth.differences(world, unified=unified))


def test_after_faults_and_kills_the_database_equals_the_truth(
    exchanges: tuple[Exchanges, FixedClock], worlds: list[World]
) -> None:
    made, rng = exchanges[0], random.Random(SEED)
    kills = sum(read_with_kills(world, rng) for world in worlds)
    made.end_faults()
    wrong: dict[str, list[chaos_truth.Difference]] = {}
    for world in worlds:
        read_to_the_end(world)
        wrong[f"{world.account.exchange} {world.label}"] = found_wrong(world)
    counts = [chaos_truth.count(world) for world in worlds]
    assert {name: each for name, each in wrong.items() if each} == {}
    assert [fills >= FILLS for fills, _ in counts] == [True] * ACCOUNTS
    assert sum(twice for _, twice in counts) == 0
    assert kills >= ACCOUNTS
    assert sum(made.struck().values()) > 10 * ACCOUNTS
    assert made.refused == {}
