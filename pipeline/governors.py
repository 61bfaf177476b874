"""What stands between a client and its exchange: outages, pauses and budgets, the same ones for all workers."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from exchanges import registry
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.limits import Bucket, Charges, Headers, refused_payer
from pipeline import breakers, pace, pauses, priorities, stops
from pipeline.breakers import Breakers
from pipeline.budgets import Budgets, Purse
from pipeline.stops import Stop

_LOOKED_AGAIN: Final = 0.5  # seconds, while another worker probes whether an outage is over
SPENT: Final = "budget"  # the error of a caller that would have to wait too long for its share


class Governor:
    """Implements `exchanges.transport.Governor` for one client."""

    def __init__(
        self,
        *,
        purse: Purse,
        budgets: Budgets,
        outages: Breakers,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._purse = purse
        self._limits = registry.limits(purse.exchange)
        self._budgets = budgets
        self._outages = outages
        self._sleep = sleep
        self._known: Mapping[Bucket, int] = {}

    def before(self, endpoint: str, params: Mapping[str, Any]) -> None:
        """Waits for a moment if that is enough. Raises ExchangeError when the request must not go out now."""
        charges = self._limits.charges(endpoint, params)
        patience = priorities.PATIENCE[priorities.current()]
        while True:
            wait, refusal = self._obstacle(charges)
            if refusal is None:
                return
            if wait > patience:
                raise refusal
            patience -= wait
            self._sleep(wait)

    def after(
        self, endpoint: str, params: Mapping[str, Any], headers: Headers, failure: ExchangeError | None
    ) -> None:
        """Believe what the exchange tells of its limits; what it refuses and how it fails is everybody's news."""
        charges = self._limits.charges(endpoint, params)
        for bucket, level in self._limits.told(charges, headers).items():
            if level > self._known.get(bucket, 0):
                self._budgets.raise_level(self._purse, bucket, level)
        if failure is None:
            return
        if failure.kind in pauses.KINDS:
            pauses.note(
                exchange=self._purse.exchange,
                account=self._purse.account,
                payer=refused_payer(charges),
                error=failure,
                now=self._outages.now(),
            )
        self._outages.note_failure(exchange=self._purse.exchange, who=self._purse.account, kind=failure.kind)

    def _obstacle(self, charges: Charges) -> tuple[float, ExchangeError | None]:
        """What keeps a request back, and for how many seconds; its budgets are charged when nothing does."""
        stop = find_stop(self._purse, self._outages)
        if stop is not None:
            seconds = (stop.until - self._outages.now()).total_seconds()
            return max(seconds, _LOOKED_AGAIN), stop.error()
        taken = self._budgets.take(self._purse, charges, priorities.current())
        if not taken.wait:
            self._known = {
                charge.bucket: taken.levels.get(charge.bucket, 0) + charge.cost for charge in charges
            }
            pace.count(charges)
            return 0, None
        return taken.wait, spent(retry_at=self._outages.now() + timedelta(seconds=taken.wait))


def spent(*, retry_at: datetime) -> ExchangeError:
    """The refusal that is our own."""
    detail = "This server's share of what the exchange allows is used up for the moment."
    return ExchangeError(ErrorKind.RATE, detail, code=SPENT, retry_at=retry_at)


def require(purse: Purse, outages: Breakers) -> None:
    """Raises ExchangeError while nothing may be asked for."""
    stop = find_stop(purse, outages)
    if stop is not None:
        raise stop.error()


def find_stop(purse: Purse, outages: Breakers) -> Stop | None:
    """Why nothing of this exchange or account may be asked for now; looks first whether that is over."""
    stop = _first(purse, outages.now())
    if stop is None or stop.code == stops.PAUSED or stop.until > outages.now():
        return stop
    if stop.code == stops.NETWORK:
        outages.look_at_network()
    else:
        outages.look_at(purse.exchange)
    return _first(purse, outages.now())


def _first(purse: Purse, now: datetime) -> Stop | None:
    keys = [pauses.address_key(purse.exchange)]
    if purse.account:
        keys.append(pauses.account_key(purse.exchange, purse.account))
    if not stops.is_passing():
        keys += [breakers.exchange_key(purse.exchange), breakers.network_key()]
    holding = [stop for stop in stops.find(keys, now=now) if stop is not None]
    return max(holding, key=lambda stop: stop.until, default=None)
