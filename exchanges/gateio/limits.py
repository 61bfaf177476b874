"""What Gate.io allows: so many requests in ten seconds to each endpoint, public ones by address, signed by account.

Every answer tells what is left.
"""

from collections.abc import Mapping
from typing import Final

from exchanges.limits import Bucket, Charge, Charges, Headers, Limits, Params, Payer, count

SECONDS: Final = 10
_USUAL: Final = 200
# By how an endpoint begins, the most special first.
_AMOUNTS: Final = (
    ("private_wallet_get_sub_account", 80),
    ("private_wallet_get_total_balance", 80),
    ("private_wallet_", 150),
    ("private_account_", 150),
    ("private_withdrawals_", 3),
)


def charges(endpoint: str, params: Params) -> Charges:
    amount = next((amount for prefix, amount in _AMOUNTS if endpoint.startswith(prefix)), _USUAL)
    payer = Payer.ADDRESS if endpoint.startswith("public_") else Payer.ACCOUNT
    return (Charge(Bucket(endpoint, amount, SECONDS, payer), 1),)


def told(charged: Charges, headers: Headers) -> Mapping[Bucket, int]:
    """From what is left; where Gate.io allows less than we believe, that little is left."""
    left = count(headers, "X-Gate-RateLimit-Requests-Remain")
    if left is None:
        return {}
    allowed = count(headers, "X-Gate-RateLimit-Limit") or 0
    return {charge.bucket: max(allowed, charge.bucket.amount) - left for charge in charged}


LIMITS: Final = Limits(charges, told)
