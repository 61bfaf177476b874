"""Whose weight a request is, and how much of it there is."""

from dataclasses import dataclass
from enum import Enum

from exchanges.simulators import weights
from exchanges.simulators.binance import errors
from exchanges.simulators.clock import MINUTE_MS, SECOND_MS
from exchanges.simulators.weights import WeightLedger


class Pool(Enum):
    """Whose ledger a request is charged to, and the headers that tell its level."""

    API = "api"  # per address
    SAPI_IP = "sapi-ip"  # per address, for /sapi
    FAPI = "fapi"  # per address, for /fapi
    SAPI_UID = "sapi-uid"  # per account, for /sapi
    SAPI_UID_SECOND = "sapi-uid-second"  # per account and second, for the heaviest of /sapi

    @property
    def headers(self) -> tuple[str, ...]:
        return {
            Pool.API: ("x-mbx-used-weight", "x-mbx-used-weight-1m"),
            Pool.FAPI: ("x-mbx-used-weight-1m",),
            Pool.SAPI_IP: ("x-sapi-used-ip-weight-1m",),
            Pool.SAPI_UID: ("x-sapi-used-uid-weight-1m",),
            Pool.SAPI_UID_SECOND: ("x-sapi-used-uid-weight-1s",),
        }[self]

    @property
    def is_of_account(self) -> bool:
        return self in (Pool.SAPI_UID, Pool.SAPI_UID_SECOND)

    @property
    def period_ms(self) -> int:
        """How long a ledger runs before it begins anew."""
        return SECOND_MS if self is Pool.SAPI_UID_SECOND else MINUTE_MS


@dataclass(slots=True, kw_only=True)
class Limits:
    """Weight by pool and its period; `ban_after` refused requests in a row turn 429 into 418."""

    api: int = 6_000
    sapi_ip: int = 12_000
    fapi: int = 2_400
    sapi_uid: int = 180_000
    sapi_uid_second: int = 180_000
    ban_after: int = 20

    def of(self, pool: weights.Pool) -> int:
        if pool is Pool.SAPI_UID_SECOND:
            return self.sapi_uid_second
        if pool is Pool.SAPI_UID:
            return self.sapi_uid
        if pool is Pool.FAPI:
            return self.fapi
        return self.sapi_ip if pool is Pool.SAPI_IP else self.api


def ledger(limits: Limits) -> WeightLedger:
    return WeightLedger(
        limit=limits.of,
        ban_after=limits.ban_after,
        too_many=errors.too_many_requests,
        banned=errors.banned,
    )
