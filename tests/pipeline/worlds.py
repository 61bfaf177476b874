"""One simulated trader over HTTP and our account of them, with the clock in the test's hand."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache

from accounts.models import User
from core import clock as time
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from credentials.models import ExchangeAccount
from credentials.vault import Purpose
from exchanges.simulators import profiles
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from pipeline import runs
from pipeline.models import Stream, SyncCursor, SyncRun, Trigger
from pipeline.session import Progress
from pipeline.sync import sync_account

# Three people with ten days behind them: one goes on trading, one has holes, one did little.
PROFILES = (
    replace(profiles.DEMO.shortened(10), symbols=("BTCUSDT", "ETHUSDT", "ETHBTC", "BTCUSDC")),
    profiles.HOLES.shortened(20),
    profiles.QUIET.shortened(20),
)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# The simulated clock stands still, so a minute's weight never runs out by itself.
NO_LIMITS = Limits(api=10**9, sapi_ip=10**9, sapi_uid=10**9, sapi_uid_second=10**9, fapi=10**9)


@dataclass
class World:
    """One simulated trader and our account of them."""

    simulator: SimulatedExchange
    clock: FixedClock
    label: str
    user: User
    account: ExchangeAccount
    skew: timedelta = timedelta()  # how far our clock is ahead of the exchange's

    def now(self) -> datetime:
        return time.from_ms(self.clock.now_ms()) + self.skew

    def fault(self, action: str, **properties: Any) -> None:
        self.simulator.faults.add(action, **properties)

    def ask(self, trigger: Trigger = Trigger.COMMAND) -> SyncRun:
        [run] = runs.request(
            user_id=self.user.id, account_ids=[self.account.id], trigger=trigger, at=self.now()
        )
        return run

    def work(self, progress: Progress | None = None, purpose: Purpose = Purpose.SYNC) -> SyncRun | None:
        """What a worker's task does, in whatever thread."""
        with actors.acting(Actor(kind=ActorKind.WORKER)):
            return sync_account(
                user_id=self.user.id,
                account_id=self.account.id,
                trigger=Trigger.SCHEDULE,
                at=self.now(),
                progress=progress,
                clock=self.now,
                purpose=purpose,
            )

    def wait(self, **parts: float) -> None:
        """Time passes, also for what the cache remembers."""
        self.clock.advance(**parts)  # type: ignore[arg-type]
        cache.clear()

    def sync(self, trigger: Trigger = Trigger.COMMAND) -> SyncRun:
        """Everything followed, now; the run as it is stored."""
        self.ask(trigger)
        run = self.work()
        assert run is not None
        with self.door():
            return SyncRun.objects.get(id=run.id)

    def door(self) -> AbstractContextManager[None]:
        return tenancy.acting_as(self.user.id)

    def truth(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][self.label]
        return facts

    def cursor(self, stream: Stream, scope: str = "") -> SyncCursor:
        with self.door():
            return SyncCursor.objects.get(account=self.account, stream=stream, scope=scope)

    def latest_run(self) -> SyncRun:
        with self.door():
            return SyncRun.objects.filter(account=self.account).latest("id")
