"""Outages: an exchange that fails for several accounts, and a network that reaches nothing.

Three levels. A credential that is refused twice in a row is disabled (`credentials.accounts`). An exchange that failed
five times within a minute over three credentials is not asked for half a minute, then one small public request tells
whether it is back; if not, the wait doubles up to ten minutes. When several exchanges cannot be reached, and a probe of
each fails, everything pauses until all of them answered three times in a row, five seconds passed and prices are fresh.
What an exchange refuses (too fast, wrong clock, bad key) is no outage.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from core import clock
from exchanges import registry
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import outages, shared, stops
from pipeline.stops import Stop

logger = logging.getLogger(__name__)

KINDS: Final = (ErrorKind.DOWN, ErrorKind.NETWORK)
FAILURES: Final = 5
CREDENTIALS: Final = 3
WITHIN: Final = timedelta(minutes=1)
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=10)
UNREACHED_EXCHANGES: Final = 2
UNREACHED_WITHIN: Final = timedelta(seconds=30)
GOOD_PROBES: Final = 3
PROBED_AGAIN: Final = timedelta(seconds=5)
SETTLING: Final = timedelta(seconds=5)  # prices calm down
# State that nobody looks after any more lapses: without a beat nobody would ever end an outage.
FORGOTTEN: Final = timedelta(minutes=15)
_PROBE_LOCK: Final = timedelta(seconds=30)  # outlives a probe

Clock = Callable[[], datetime]
Probe = Callable[[str], object]  # raises ExchangeError


def exchange_key(exchange: str) -> str:
    return shared.key(exchange, stops.BREAKER)


def network_key() -> str:
    return shared.key(stops.NETWORK)


def stopped(*, now: datetime) -> frozenset[str]:
    """Exchanges that are not asked for anything now."""
    names = list(registry.supported())
    network, *each = stops.find([network_key(), *map(exchange_key, names)], now=now)
    if network is not None:
        return frozenset(names)
    return frozenset(name for name, stop in zip(names, each, strict=True) if stop is not None)


@dataclass(frozen=True, slots=True)
class Breakers:
    """The state machine. `probe` asks an exchange for one small public thing; `refresh_prices` reads its prices."""

    now: Clock
    probe: Probe
    refresh_prices: Probe

    def note_failure(self, *, exchange: str, who: str, kind: ErrorKind) -> None:
        """Count a failure of the exchange or of the way to it. `who`: the account, "" for public data."""
        if kind not in KINDS:
            return
        failing = self._count(exchange, who)
        if len(failing) >= FAILURES and len(set(failing)) >= CREDENTIALS:
            self._open(
                exchange, f"{len(failing)} requests of {len(set(failing))} accounts failed in a minute."
            )
        if kind is ErrorKind.NETWORK:
            unreached = self._unreached(exchange)
            if len(unreached) >= UNREACHED_EXCHANGES:
                self._suspect_network(unreached)

    def watch(self) -> None:
        """Look whether outages are over, where it is time to; cheap while there is none."""
        names = list(registry.supported())
        now = self.now()
        network, *each = stops.find([network_key(), *map(exchange_key, names)], now=now)
        down = [name for name, stop in zip(names, each, strict=True) if stop is not None]
        outages.end_others([*down, *([outages.EVERYTHING] if network else [])], at=now)
        if network is not None:
            self.look_at_network()
        for name in down:
            self.look_at(name)

    def look_at(self, exchange: str) -> None:
        """Half-open: when the wait is over, one probe decides."""
        [stop] = stops.find([exchange_key(exchange)], now=self.now())
        if stop is None or stop.until > self.now() or not self._lock(exchange):
            return
        try:
            if self._answers(exchange):
                stops.drop(exchange_key(exchange))
                shared.state().ask(lambda redis: redis.delete(shared.key(exchange, "failures")))
                outages.end(exchange, at=self.now())
                logger.warning("%s answers again.", exchange)
                return
            wait = min(stop.wait * 2, LONGEST_WAIT.total_seconds())
            until = self.now() + timedelta(seconds=wait)
            self._put(exchange_key(exchange), replace(stop, until=until, wait=wait))
        finally:
            self._unlock(exchange)

    def look_at_network(self) -> None:
        """The way out of a pause: good probes of all, settling, fresh prices. One bad one begins it anew."""
        [stop] = stops.find([network_key()], now=self.now())
        if stop is None or stop.until > self.now() or not self._lock(stops.NETWORK):
            return
        try:
            if stop.good < GOOD_PROBES:
                self._probe_again(stop)
            elif self._prices_come(stop.exchanges):
                stops.drop(network_key())
                outages.end(outages.EVERYTHING, at=self.now())
                logger.warning("The network is back: everything goes on.")
            else:
                self._put(network_key(), replace(stop, good=0, until=self.now() + PROBED_AGAIN))
        finally:
            self._unlock(stops.NETWORK)

    def _probe_again(self, stop: Stop) -> None:
        good = stop.good + 1 if all(self._answers(name) for name in stop.exchanges) else 0
        wait = SETTLING if good == GOOD_PROBES else PROBED_AGAIN
        self._put(network_key(), replace(stop, good=good, until=self.now() + wait))

    def _prices_come(self, exchanges: Iterable[str]) -> bool:
        try:
            with stops.passing():
                for exchange in exchanges:
                    self.refresh_prices(exchange)
        except ExchangeError as error:
            logger.warning("Prices do not come yet: %s", error)
            return False
        return True

    def _answers(self, exchange: str) -> bool:
        """Whether the exchange is there; one that refuses the probe is."""
        try:
            self.probe(exchange)
        except ExchangeError as error:
            return error.kind not in KINDS
        return True

    def _count(self, exchange: str, who: str) -> list[str]:
        """Who had failures within the last minute, as often as they had; nobody while Redis is away."""
        key = shared.key(exchange, "failures")
        members = _remember(key, f"{who}:{uuid4().hex}", now=self.now(), within=WITHIN)
        return [member.rpartition(":")[0] for member in members]

    def _open(self, exchange: str, reason: str) -> None:
        now = self.now()
        title = registry.supported()[exchange].title
        stop = Stop(
            stops.BREAKER,
            ErrorKind.DOWN,
            f"{title} does not answer well: {reason}",
            since=now,
            until=now + FIRST_WAIT,
            wait=FIRST_WAIT.total_seconds(),
        )
        if stops.put_first(exchange_key(exchange), stop, lasts=FIRST_WAIT + FORGOTTEN):
            outages.begin(exchange, reason=stop.detail, at=now)
            logger.error("%s", stop.detail)

    def _unreached(self, exchange: str) -> list[str]:
        """Exchanges that nothing came from within half a minute."""
        names = _remember(shared.key("unreached"), exchange, now=self.now(), within=UNREACHED_WITHIN)
        return sorted(set(names) & set(registry.supported()))

    def _suspect_network(self, exchanges: list[str]) -> None:
        """Pause everything when none of these can be reached by a probe either."""
        now = self.now()
        if stops.find([network_key()], now=now) != [None] or not self._lock(stops.NETWORK):
            return
        try:
            if any(self._is_reached(name) for name in exchanges):
                return
            titles = " and ".join(registry.supported()[name].title for name in exchanges)
            stop = Stop(
                stops.NETWORK,
                ErrorKind.NETWORK,
                f"The network is gone: {titles} cannot be reached.",
                since=now,
                until=self.now() + PROBED_AGAIN,
                exchanges=tuple(exchanges),
            )
            if stops.put_first(network_key(), stop, lasts=FORGOTTEN):
                outages.begin(outages.EVERYTHING, reason=stop.detail, at=now)
                logger.error("%s Everything pauses.", stop.detail)
        finally:
            self._unlock(stops.NETWORK)

    def _is_reached(self, exchange: str) -> bool:
        try:
            self.probe(exchange)
        except ExchangeError as error:
            return error.kind is not ErrorKind.NETWORK
        return True

    def _put(self, key: str, stop: Stop) -> None:
        stops.put(key, stop, lasts=stop.until - self.now() + FORGOTTEN)

    def _lock(self, name: str) -> bool:
        """Of all workers one probes at a time."""
        key = shared.key(name, "probing")
        return bool(shared.state().ask(lambda redis: redis.set(key, 1, px=_PROBE_LOCK, nx=True)))

    def _unlock(self, name: str) -> None:
        shared.state().ask(lambda redis: redis.delete(shared.key(name, "probing")))


def _remember(key: str, member: str, *, now: datetime, within: timedelta) -> list[str]:
    """Add to what happened lately; answers all of it."""

    def call(redis: Any) -> Any:
        steps = redis.pipeline().zadd(key, {member: clock.to_ms(now)})
        steps.zremrangebyscore(key, "-inf", f"({clock.to_ms(now - within)}")
        return steps.pexpire(key, within).zrange(key, 0, -1).execute()

    answer = shared.state().ask(call)
    return answer[-1] if answer else []
