"""Requests by endpoint, and by account or address, in runs of ten seconds; their level is on every answer."""

import threading
from dataclasses import dataclass, field

from exchanges.simulators.clock import SECOND_MS
from exchanges.simulators.gateio import errors

_PERIOD_MS = 10 * SECOND_MS


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests in ten seconds to one endpoint: public ones by address, private ones by account."""

    public: int = 200
    private: int = 200


@dataclass(slots=True)
class RequestLedger:
    limits: Limits = field(default_factory=Limits)
    _lines: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, endpoint: str, who: str, limit: int, *, now_ms: int) -> dict[str, str]:
        """Book a request and tell the level in headers. Raises the 429 of one too many."""
        period = now_ms // _PERIOD_MS
        with self._lock:
            known, used = self._lines.get((endpoint, who), (period, 0))
            used = used + 1 if known == period else 1
            self._lines[endpoint, who] = (period, used)
        if used > limit:
            raise errors.too_many_requests(tell(limit, 0, (period + 1) * _PERIOD_MS))
        return tell(limit, limit - used, now_ms)


def tell(limit: int, remain: int, reset_ms: int) -> dict[str, str]:
    """The headers of a level. `reset_ms` is the present moment as long as something is left."""
    return {
        "X-Gate-RateLimit-Limit": str(limit),
        "X-Gate-RateLimit-Requests-Remain": str(remain),
        "X-Gate-RateLimit-Reset-Timestamp": str(-(-reset_ms // SECOND_MS)),
    }
