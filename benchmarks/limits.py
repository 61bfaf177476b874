"""Many accounts behind one address at one exchange that enforces its limits: how soon all is read, and is it refused?

`python -m benchmarks.limits [--exchange E] [--accounts N] [--minutes M]` prints one JSON line for the time until every
account's balances and open orders are known, and one for the M minutes after it, with every user's page open while
history is still being read. Time is the exchange's, which stands still but for what a request takes and what a worker
waits for its turn: minutes pass as fast as they are worked through, and the limits are the real ones. Half of the
accounts have open spot orders, every fourth trades contracts, and every tenth trades all the time. Nobody was at the
exchange before `OPENED`: seventy empty windows of deposits less to walk; and what follows from facts, which asks
nothing of an account, is left out.
`oldest_balances_seconds` is the age of the balances read longest ago, at the end; `worst_balances_seconds` the greatest
at any minute's end from the tenth on; `read_every_seconds` what users are told; `walks_not_ended` is history to come.
"""

import argparse
import json
import logging
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
    from exchanges.simulators.clock import FixedClock
    from exchanges.simulators.exchange import SimulatedExchange
    from exchanges.simulators.profiles import Profile

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPENED = START - timedelta(days=20)
EXCHANGES = ("binance", "bitget")
REQUEST = timedelta(milliseconds=40)
PUT_OFF = timedelta(minutes=2)  # no budget is used up for longer
DISPATCHED_EVERY = timedelta(seconds=5)


@dataclass
class Crowd:
    """Accounts of one simulated exchange, worked through by one worker as the dispatcher says."""

    simulator: "SimulatedExchange"
    clock: "FixedClock"
    accounts: list["ExchangeAccount"]
    refused: int = 0
    weights: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By pool and minute; "requests" counts them, whatever they weigh."""
    runs: int = 0
    is_thin: bool = False
    """Read only; derive nothing."""

    def now(self) -> datetime:
        from core import clock

        return clock.from_ms(self.clock.now_ms())

    @contextmanager
    def working(self) -> Iterator[None]:
        """Budgets, waits and requests go by the exchange's clock; what the exchange books and refuses is counted."""
        from exchanges.binance import walks
        from exchanges.simulators.app import SimulatorApp
        from exchanges.simulators.weights import WeightLedger
        from pipeline import budgets, governors, market, shared, sync

        charge, answer = WeightLedger.charge, SimulatorApp.__call__

        def charged(ledger: Any, pool: Any, who: str, weight: int, *, now_ms: int) -> dict[str, str]:
            self.weights[pool.value, now_ms // 60_000] += weight
            return charge(ledger, pool, who, weight, now_ms=now_ms)

        def answered(app: Any, request: Any) -> Any:
            self.weights["requests", self.clock.now_ms() // 60_000] += 1
            response = answer(app, request)
            self.refused += response.status in (418, 429)
            self.clock.advance(ms=REQUEST // timedelta(milliseconds=1))
            return response

        def sleep(seconds: float) -> None:
            self.clock.advance(seconds=seconds)

        with ExitStack() as stack:
            for target, name, value in (
                (WeightLedger, "charge", charged),
                (SimulatorApp, "__call__", answered),
                (walks, "OPENED", OPENED),
                (shared, "PREFIX", f"crowd:{uuid4().hex}"),
                (market, "BUDGETS", budgets.Budgets(self.clock.now_ms)),
                (market, "Governor", partial(governors.Governor, sleep=sleep)),
                *([(sync, "_derive", lambda session: None)] if self.is_thin else []),
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

    def unknown(self) -> int:
        """Accounts whose balances or open orders nobody read yet."""
        return self._count(["balances", "open_orders", "contract_open"], per_account=True)

    def unread(self) -> int:
        """Cursors that were not read to their end yet: history that is still coming."""
        return self._count([], per_account=False)

    def _count(self, streams: list[str], *, per_account: bool) -> int:
        from core.django import tenancy
        from pipeline.models import SyncCursor

        count = 0
        for account in self.accounts:
            with tenancy.acting_as(account.user_id):
                rows = SyncCursor.objects.filter(account=account)
                waiting = rows.filter(last_ok_at=None).exclude(stream__endswith="recheck")
                waiting = waiting.filter(stream__in=streams) if streams else waiting
                found = waiting.count() or int(not rows.exists())
                count += min(found, 1) if per_account else found
        return count

    def oldest(self, stream: str) -> timedelta:
        """How long ago the account read last was read."""
        from core.django import tenancy
        from pipeline.models import SyncCursor

        ages = []
        for account in self.accounts:
            with tenancy.acting_as(account.user_id):
                read_at = SyncCursor.objects.get(account=account, stream=stream).last_ok_at
            ages.append(self.now() - max(read_at or START, START))
        return max(ages)

    def busiest(self, pool: str) -> int:
        """The most weight of a pool in one minute."""
        return max((weight for (name, _), weight in self.weights.items() if name == pool), default=0)

    def look(self) -> None:
        """Every user has a page open."""
        from accounts.models import User

        User.objects.filter(id__in=[account.user_id for account in self.accounts]).update(seen_at=self.now())


@contextmanager
def crowd(
    count: int, *, exchange: str = "binance", is_mixed: bool = False, limits: Any = None
) -> Iterator[Crowd]:
    """So many users with an account of three days each, ready to be read. `is_mixed`: some trade contracts, and some
    go on trading. `limits`: the exchange's, if not its own."""
    from django.conf import settings

    from accounts.models import User
    from credentials import accounts
    from exchanges.simulators.binance import BinanceSimulator
    from exchanges.simulators.bitget import BitgetSimulator
    from exchanges.simulators.clock import FixedClock

    clock = FixedClock(START)
    people = [_person(number, is_mixed=is_mixed) for number in range(count)]
    simulated = {"binance": BinanceSimulator, "bitget": BitgetSimulator}[exchange]
    with simulated(seed=11, clock=clock, profiles=people, limits=limits) as simulator:
        settings.EXCHANGE_URLS = f"{exchange}={simulator.url}"
        connected = []
        for number, theirs in enumerate(simulator.accounts.values()):
            user = User.objects.create_user(f"crowd{number}@example.com", None)
            connected.append(
                accounts.connect(
                    user_id=user.id,
                    exchange=exchange,
                    api_key=theirs.api_key,
                    secret_key=theirs.api_secret,
                    label=theirs.label,
                    **(
                        {"passphrase": simulator.passphrase(theirs.label)}
                        if isinstance(simulator, BitgetSimulator)
                        else {}
                    ),
                )
            )
        made = Crowd(simulator, clock, connected, is_thin=is_mixed)
        with made.working():
            yield made


def _person(number: int, *, is_mixed: bool) -> "Profile":
    from exchanges.simulators.profiles import Profile

    return Profile(
        label=f"p{number}",
        days=3,
        symbols=("BTCUSDT",),
        ideas_per_100_days=150,
        saves=False,
        contracts="one_way" if is_mixed and number % 4 == 0 else "",
        is_live=is_mixed and number % 10 == 1,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--exchange", choices=EXCHANGES, default="binance")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=20)
    options = parser.parse_args(arguments)
    from django.db import connection

    with prepared(), crowd(options.accounts, exchange=options.exchange, is_mixed=True) as people:
        logging.getLogger("credentials").setLevel(logging.WARNING)  # a line for each key opened
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        begun, cpu = time.perf_counter(), time.process_time()
        while people.unknown():
            people.work(until=people.now() + timedelta(minutes=1))
        minutes = (people.now() - START).total_seconds() / 60
        _report("everybody is known", people, begun, cpu, minutes=minutes, worst=people.oldest("balances"))
        people.weights.clear()
        begun, cpu, people.runs, worst = time.perf_counter(), time.process_time(), 0, timedelta()
        for minute in range(options.minutes):
            people.look()
            people.work(until=people.now() + timedelta(minutes=1))
            if minute >= 10:  # the rhythm is found by then
                worst = max(worst, people.oldest("balances"))
        _report("everybody looks on", people, begun, cpu, minutes=options.minutes, worst=worst)


def _report(name: str, people: Crowd, begun: float, cpu: float, *, minutes: float, worst: timedelta) -> None:
    from pipeline import pace

    state = pace.find(people.accounts[0].exchange)
    costs = pace.costs(exchange=people.accounts[0].exchange, at=people.now())
    figures = {
        "measurement": f"limits: {name}",
        "exchange": people.accounts[0].exchange,
        "accounts": len(people.accounts),
        "minutes": round(minutes, 1),
        "runs": people.runs,
        "refused": people.refused,
        "busiest_minute": {
            pool: people.busiest(pool) for pool in sorted({pool for pool, _ in people.weights})
        },
        "cost_of_a_visit": {bucket.name: round(cost, 1) for bucket, cost in costs.items()},
        "read_every_seconds": round(state.pace.prompt.total_seconds()),
        "behind_seconds": round(state.load.behind.total_seconds()),
        "oldest_balances_seconds": round(people.oldest("balances").total_seconds()),
        "worst_balances_seconds": round(worst.total_seconds()),
        "walks_not_ended": people.unread(),
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
