"""Request weights: a ledger of one minute for every pool and client address, 429 above the limit, 418 for
going on."""

import threading
from dataclasses import dataclass, field
from enum import Enum

from exchanges.simulators.binance import errors
from exchanges.simulators.clock import DAY_MS, MINUTE_MS, SECOND_MS

_FIRST_BAN_MS = 2 * MINUTE_MS
_LONGEST_BAN_MS = 3 * DAY_MS


class Pool(Enum):
    """Whose ledger a request is charged to, and the headers that tell its level."""

    API = "api"  # per address
    SAPI_IP = "sapi-ip"  # per address, for /sapi
    SAPI_UID_SECOND = "sapi-uid-second"  # per account and second, for the heaviest of /sapi

    @property
    def headers(self) -> tuple[str, ...]:
        return {
            Pool.API: ("x-mbx-used-weight", "x-mbx-used-weight-1m"),
            Pool.SAPI_IP: ("x-sapi-used-ip-weight-1m",),
            Pool.SAPI_UID_SECOND: ("x-sapi-used-uid-weight-1s",),
        }[self]

    @property
    def period_ms(self) -> int:
        """How long a ledger runs before it begins anew."""
        return SECOND_MS if self is Pool.SAPI_UID_SECOND else MINUTE_MS


@dataclass(slots=True, kw_only=True)
class Limits:
    """Weight by pool and its period; `ban_after` refused requests in a row turn 429 into 418."""

    api: int = 6_000
    sapi_ip: int = 12_000
    sapi_uid_second: int = 180_000
    ban_after: int = 20

    def of(self, pool: Pool) -> int:
        return {
            Pool.API: self.api,
            Pool.SAPI_IP: self.sapi_ip,
            Pool.SAPI_UID_SECOND: self.sapi_uid_second,
        }[pool]


@dataclass(slots=True)
class _Line:
    period: int = 0
    used: int = 0
    refused: int = 0
    bans: int = 0
    banned_until: int = 0


@dataclass(slots=True)
class WeightLedger:
    limits: Limits = field(default_factory=Limits)
    _lines: dict[tuple[Pool, str], _Line] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, pool: Pool, who: str, weight: int, *, now_ms: int) -> dict[str, str]:
        """Book a request and tell the level in headers. Raises the 429 or 418 that a request over the
        limit gets."""
        with self._lock:
            line = self._lines.setdefault((pool, who), _Line())
            if now_ms < line.banned_until:
                raise errors.banned(line.banned_until, -((now_ms - line.banned_until) // 1000))
            if line.period != now_ms // pool.period_ms:
                line.period, line.used, line.refused = now_ms // pool.period_ms, 0, 0
            line.used += weight
            if line.used > self.limits.of(pool):
                raise self._refuse(line, pool, now_ms)
            return dict.fromkeys(pool.headers, str(line.used))

    def _refuse(self, line: _Line, pool: Pool, now_ms: int) -> errors.ApiError:
        line.refused += 1
        if line.refused > self.limits.ban_after:
            ban = min(_FIRST_BAN_MS * 2**line.bans, _LONGEST_BAN_MS)
            line.bans += 1
            line.banned_until = now_ms + ban
            return errors.banned(line.banned_until, ban // 1000)
        rest_ms = (line.period + 1) * pool.period_ms - now_ms
        refusal = errors.too_many_requests(self.limits.of(pool), -(-rest_ms // 1000))
        refusal.headers |= dict.fromkeys(pool.headers, str(line.used))
        return refusal
