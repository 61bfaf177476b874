"""Two allowances of weight per ten seconds: an address's for what is public, an account's for what is signed."""

from dataclasses import dataclass
from enum import Enum

from exchanges.simulators import weights
from exchanges.simulators.clock import SECOND_MS
from exchanges.simulators.mexc import errors
from exchanges.simulators.weights import WeightLedger


class Pool(Enum):
    IP = "ip"
    UID = "uid"

    @property
    def headers(self) -> tuple[str, ...]:
        """No answer tells how much is used."""
        return ()

    @property
    def period_ms(self) -> int:
        return 10 * SECOND_MS


@dataclass(slots=True, kw_only=True)
class Limits:
    """Weight per pool and ten seconds; `ban_after` refused requests in a row turn 429 into 418."""

    ip: int = 500
    uid: int = 500
    ban_after: int = 20
    contracts: int = 20  # requests in two seconds to each endpoint of contracts
    contract_details: int = 1  # in five seconds

    def of(self, pool: weights.Pool) -> int:
        return self.uid if pool is Pool.UID else self.ip


def ledger(limits: Limits) -> WeightLedger:
    return WeightLedger(
        limit=limits.of,
        ban_after=limits.ban_after,
        too_many=errors.too_many_requests,
        banned=errors.banned,
    )
