"""What Bitget allows: so many requests a second to each endpoint, signed ones by account, public ones by address, and
6,000 a minute of an address in all. Its answers tell of no level."""

from collections.abc import Mapping
from typing import Final

from exchanges.limits import Bucket, Charge, Charges, Limits, Params, Payer

ADDRESS: Final = Bucket("address", 6_000, 60, Payer.ADDRESS)
_USUAL: Final = 10  # a second; some endpoints are said to allow 20, and not by every document
_PUBLIC: Final = 20
# Requests a second where it is not the usual number, by endpoint without how it is reached.
_RATES: Final[Mapping[str, int]] = {
    "v2_spot_account_info": 1,
    "v2_mix_position_all_position": 5,
    "v2_account_all_account_balance": 1,
    "v2_spot_public_coins": 3,
    "v2_spot_market_fills_history": 10,
    "v3_account_info": 5,
    "v3_account_switch_status": 5,
}


def charges(endpoint: str, params: Params) -> Charges:
    """`endpoint` reads private_spot_get_v2_spot_trade_fills."""
    is_public = endpoint.startswith("public_")
    _, _, path = endpoint.partition("_get_")
    rate = _RATES.get(path, _PUBLIC if is_public else _USUAL)
    payer = Payer.ADDRESS if is_public else Payer.ACCOUNT
    return Charge(ADDRESS, 1), Charge(Bucket(endpoint, rate, 1, payer), 1)


LIMITS: Final = Limits(charges)
