"""Requests in a second, by endpoint and by account or address. Nothing tells how many are left."""

import threading
from dataclasses import dataclass, field

from exchanges.simulators.bitget import errors
from exchanges.simulators.clock import SECOND_MS

# Where the documents allow less than the usual.
_SLOW = {
    "/api/v2/spot/account/info": 1,
    "/api/v2/account/all-account-balance": 1,
    "/api/v2/mix/position/all-position": 5,
    "/api/v3/account/info": 5,
}


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests in a second to one endpoint: public ones by address, private ones by account."""

    public: int = 20
    private: int = 10
    by_endpoint: dict[str, int] = field(default_factory=lambda: dict(_SLOW))

    @classmethod
    def none(cls) -> "Limits":
        """For a clock that stands still."""
        return cls(public=10**9, private=10**9, by_endpoint={})


@dataclass(slots=True)
class RequestLedger:
    limits: Limits = field(default_factory=Limits)
    _lines: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, path: str, who: str, limit: int, *, now_ms: int) -> None:
        """Book a request. Raises the 429 of one too many."""
        period = now_ms // SECOND_MS
        with self._lock:
            known, used = self._lines.get((path, who), (period, 0))
            used = used + 1 if known == period else 1
            self._lines[path, who] = (period, used)
        if used > self.limits.by_endpoint.get(path, limit):
            raise errors.too_many_requests()
