"""Many accounts behind one address at one exchange that enforces its limits: how soon all is read, and is it refused?

`python -m benchmarks.limits [--accounts N] [--minutes M]` prints one JSON line for the first reading of everybody's
history and one for the time after it, with every user's page open. Time is the exchange's, which stands still but for
what a request takes and what a worker waits for its turn: minutes pass as fast as they are worked through, and the
limits are the real ones.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

from benchmarks.database import prepared

if TYPE_CHECKING:
    from credentials.models import ExchangeAccount
    from exchanges.simulators.binance import BinanceSimulator
    from exchanges.simulators.binance.limits import Limits
    from exchanges.simulators.clock import FixedClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUEST = timedelta(milliseconds=40)
PUT_OFF = timedelta(minutes=2)  # no budget is used up for longer
DISPATCHED_EVERY = timedelta(seconds=5)


@dataclass
class Crowd:
    """Accounts of one simulated Binance, worked through by one worker as the dispatcher says."""

    simulator: "BinanceSimulator"
    clock: "FixedClock"
    accounts: list["ExchangeAccount"]
    refused: int = 0
    weights: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By pool and minute."""
    runs: int = 0

    def now(self) -> datetime:
        from core import clock

        return clock.from_ms(self.clock.now_ms())

    @contextmanager
    def working(self) -> Iterator[None]:
        """Budgets, waits and requests go by the exchange's clock; what the exchange books is counted."""
        from exchanges.simulators.weights import WeightLedger
        from pipeline import budgets, governors, market, shared

        charge, refuse = WeightLedger.charge, WeightLedger._refuse

        def charged(ledger: Any, pool: Any, who: str, weight: int, *, now_ms: int) -> dict[str, str]:
            self.weights[pool.value, now_ms // 60_000] += weight
            self.clock.advance(ms=REQUEST // timedelta(milliseconds=1))
            return charge(ledger, pool, who, weight, now_ms=now_ms)

        def refused(*arguments: Any) -> Any:
            self.refused += 1
            return refuse(*arguments)

        def sleep(seconds: float) -> None:
            self.clock.advance(seconds=seconds)

        with ExitStack() as stack:
            for target, name, value in (
                (WeightLedger, "charge", charged),
                (WeightLedger, "_refuse", refused),
                (shared, "PREFIX", f"crowd:{uuid4().hex}"),
                (market, "BUDGETS", budgets.Budgets(self.clock.now_ms)),
                (market, "Governor", partial(governors.Governor, sleep=sleep)),
            ):
                stack.enter_context(mock.patch.object(target, name, value))
            yield

    def work(self, *, until: datetime) -> None:
        """What is due, round after round, until that moment."""
        from core.django import actors
        from pipeline import dispatch
        from pipeline.models import Trigger
        from pipeline.sync import sync_account

        with actors.acting(actors.Actor(kind=actors.ActorKind.WORKER)):
            while self.now() < until:
                for account_id in dispatch.claim_due_accounts(500, at=self.now()):
                    for owned in dispatch.owners([account_id]):
                        sync_account(
                            user_id=owned.user_id,
                            account_id=account_id,
                            trigger=Trigger.SCHEDULE,
                            at=self.now(),
                            clock=self.now,
                        )
                    self.runs += 1
                self.clock.advance(seconds=DISPATCHED_EVERY.total_seconds())

    def due(self) -> int:
        """Cursors that wait to be read, over all accounts, also those that wait for the budget; one for an account
        nobody looked at yet."""
        from django.db.models import Q

        from core.django import tenancy
        from pipeline.models import SyncCursor

        count = 0
        for account in self.accounts:
            with tenancy.acting_as(account.user_id):
                cursors = SyncCursor.objects.filter(account=account)
                waiting = Q(due_at__lte=self.now()) | Q(last_ok_at=None, due_at__lte=self.now() + PUT_OFF)
                count += cursors.filter(waiting).count() or not cursors.exists()
        return count

    def oldest(self, stream: str) -> timedelta:
        """How long ago the account read last was read."""
        from core.django import tenancy
        from pipeline.models import SyncCursor

        ages = []
        for account in self.accounts:
            with tenancy.acting_as(account.user_id):
                read_at = SyncCursor.objects.get(account=account, stream=stream).last_ok_at
            ages.append(self.now() - (read_at or START))
        return max(ages)

    def busiest(self, pool: str) -> int:
        """The most weight of a pool in one minute."""
        return max((weight for (name, _), weight in self.weights.items() if name == pool), default=0)

    def look(self) -> None:
        """Every user has a page open."""
        from accounts.models import User

        User.objects.filter(id__in=[account.user_id for account in self.accounts]).update(seen_at=self.now())


@contextmanager
def crowd(count: int, *, limits: "Limits | None" = None) -> Iterator[Crowd]:
    """So many users with an account of three days each, ready to be read. `limits`: the exchange's, if not its own."""
    from django.conf import settings

    from accounts.models import User
    from credentials import accounts
    from exchanges.simulators import profiles
    from exchanges.simulators.binance import BinanceSimulator
    from exchanges.simulators.clock import FixedClock

    clock = FixedClock(START)
    people = [
        profiles.Profile(
            label=f"p{number}", days=3, symbols=("BTCUSDT",), ideas_per_100_days=150, saves=False
        )
        for number in range(count)
    ]
    with BinanceSimulator(seed=11, clock=clock, profiles=people, limits=limits) as simulator:
        settings.EXCHANGE_URLS = f"binance={simulator.url}"
        connected = []
        for number, theirs in enumerate(simulator.accounts.values()):
            user = User.objects.create_user(f"crowd{number}@example.com", None)
            connected.append(
                accounts.connect(
                    user_id=user.id,
                    exchange="binance",
                    api_key=theirs.api_key,
                    secret_key=theirs.api_secret,
                    label=theirs.label,
                )
            )
        made = Crowd(simulator, clock, connected)
        with made.working():
            yield made


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args(arguments)
    with prepared(), crowd(options.accounts) as people:
        begun, cpu = time.perf_counter(), time.process_time()
        while people.due():
            people.work(until=people.now() + timedelta(minutes=1))
        _report("first reading", people, begun, cpu, minutes=(people.now() - START).total_seconds() / 60)
        people.weights.clear()
        begun, cpu, people.runs = time.perf_counter(), time.process_time(), 0
        for _ in range(options.minutes // 5):
            people.look()
            people.work(until=people.now() + timedelta(minutes=5))
        _report("everybody looks on", people, begun, cpu, minutes=options.minutes)


def _report(name: str, people: Crowd, begun: float, cpu: float, *, minutes: float) -> None:
    figures = {
        "measurement": f"limits: {name}",
        "accounts": len(people.accounts),
        "minutes": round(minutes, 1),
        "runs": people.runs,
        "refused": people.refused,
        "busiest_spot_minute": people.busiest("api"),
        "busiest_futures_minute": people.busiest("fapi"),
        "oldest_balances_seconds": round(people.oldest("balances").total_seconds()),
        "due_now": people.due(),
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
