"""Short refusals are waited out where they happen; long ones end the run and are remembered."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final, cast

from exchanges.base import Account, Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from pipeline.governors import SPENT

# Seconds. Allowances are new after a second (Bitget), after ten (Gate.io, MEXC), or after a minute, which is too long.
LONGEST: Final = 12.0
_SHORTEST: Final = 0.1
_TRIES: Final = 5


class PatientClient:
    """An account's client that repeats a call the exchange asked to repeat within a moment."""

    def __init__(
        self,
        client: Account | Derivatives,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._now = now
        self._sleep = sleep

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        return self._patient(attribute) if callable(attribute) else attribute

    @property
    def derivatives(self) -> Derivatives | None:
        """As patient as the client itself."""
        contracts: Derivatives | None = getattr(self._client, "derivatives", None)
        if contracts is None:
            return None
        return cast(Derivatives, PatientClient(contracts, now=self._now, sleep=self._sleep))

    def _patient(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def repeated(*args: Any, **kwargs: Any) -> Any:
            for _ in range(_TRIES):
                try:
                    return call(*args, **kwargs)
                except ExchangeError as error:
                    wait = self._wait(error)
                    if wait is None:
                        raise
                self._sleep(wait)
            return call(*args, **kwargs)

        return repeated

    def _wait(self, error: ExchangeError) -> float | None:
        """Seconds to wait before the call may be repeated; None when that is not a matter of moments."""
        if error.kind is not ErrorKind.RATE or error.retry_at is None or error.code == SPENT:
            return None  # for its share of a budget the call has waited already
        seconds = (error.retry_at - self._now()).total_seconds()
        return max(seconds, _SHORTEST) if seconds <= LONGEST else None
