"""What an exchange allows, as its adapter declares it: whose allowance a request uses up, and how much of it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from exchanges import reading

Params = Mapping[str, Any]
Headers = Mapping[str, str]
_MOST: Final = 10**9  # no allowance is larger


class Payer(StrEnum):
    """Who has an allowance: all requests from one outgoing address share it, or all of one account."""

    ADDRESS = "address"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`amount` of weight in any `seconds` in a row."""

    name: str
    amount: int
    seconds: int
    payer: Payer


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request takes out of a bucket."""

    bucket: Bucket
    cost: int


Charges = tuple[Charge, ...]


def _untold(charges: Charges, headers: Headers) -> Mapping[Bucket, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Limits:
    """`charges` of a request to one of ccxt's implicit endpoints; `told` reads from an answer's headers how much of
    its buckets is used in the running period, whoever used it."""

    charges: Callable[[str, Params], Charges]
    told: Callable[[Charges, Headers], Mapping[Bucket, int]] = _untold


def refused_payer(charges: Charges) -> Payer:
    """Whom the refusal of a request concerns: one account where the account was charged, for its allowance is the
    smaller one and used up first."""
    is_own = any(charge.bucket.payer is Payer.ACCOUNT for charge in charges)
    return Payer.ACCOUNT if is_own else Payer.ADDRESS


def count(headers: Headers, name: str) -> int | None:
    """A header's whole number; None where it tells none."""
    value = reading.whole(headers.get(name), below=_MOST, default=-1)
    return value if value >= 0 else None


UNKNOWN: Final = Limits(charges=lambda endpoint, params: ())
