"""Request weights: a ledger of one period for every pool and whoever pays, 429 above the limit, 418 for going
on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from exchanges.simulators.binance_like import ApiError
from exchanges.simulators.clock import DAY_MS, MINUTE_MS

_FIRST_BAN_MS = 2 * MINUTE_MS
_LONGEST_BAN_MS = 3 * DAY_MS


class Pool(Protocol):
    """Whose ledger a request is charged to, and the headers that tell its level."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def period_ms(self) -> int:
        """How long a ledger runs before it begins anew."""
        ...


@dataclass(slots=True)
class _Line:
    period: int = 0
    used: int = 0
    refused: int = 0
    bans: int = 0
    banned_until: int = 0


@dataclass(slots=True, kw_only=True)
class WeightLedger:
    """`ban_after` refused requests in a period turn 429 into 418. The two errors are the exchange's own words:
    `too_many` for (limit, seconds to wait), `banned` for (until in ms, seconds to wait)."""

    limit: Callable[[Pool], int]
    ban_after: int
    too_many: Callable[[int, int], ApiError]
    banned: Callable[[int, int], ApiError]
    _lines: dict[tuple[Pool, str], _Line] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, pool: Pool, who: str, weight: int, *, now_ms: int) -> dict[str, str]:
        """Book a request and tell the level in headers. Raises the 429 or 418 that a request over the
        limit gets."""
        with self._lock:
            line = self._lines.setdefault((pool, who), _Line())
            if now_ms < line.banned_until:
                raise self.banned(line.banned_until, -((now_ms - line.banned_until) // 1000))
            if line.period != now_ms // pool.period_ms:
                line.period, line.used, line.refused = now_ms // pool.period_ms, 0, 0
            line.used += weight
            if line.used > self.limit(pool):
                raise self._refuse(line, pool, now_ms)
            return dict.fromkeys(pool.headers, str(line.used))

    def _refuse(self, line: _Line, pool: Pool, now_ms: int) -> ApiError:
        line.refused += 1
        if line.refused > self.ban_after:
            ban = min(_FIRST_BAN_MS * 2**line.bans, _LONGEST_BAN_MS)
            line.bans += 1
            line.banned_until = now_ms + ban
            return self.banned(line.banned_until, ban // 1000)
        rest_ms = (line.period + 1) * pool.period_ms - now_ms
        refusal = self.too_many(self.limit(pool), -(-rest_ms // 1000))
        refusal.headers |= dict.fromkeys(pool.headers, str(line.used))
        return refusal
