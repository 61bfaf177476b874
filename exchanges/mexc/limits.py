"""What MEXC allows: 500 of weight in ten seconds, an address's for what is public and an account's for what is signed;
of contracts so many requests to each endpoint. No answer tells what is used."""

from collections.abc import Callable, Mapping
from typing import Final

from exchanges.limits import Bucket, Charge, Charges, Limits, Params, Payer

ADDRESS: Final = Bucket("address", 500, 10, Payer.ADDRESS)
ACCOUNT: Final = Bucket("account", 500, 10, Payer.ACCOUNT)
_USUAL: Final = 10
_CONTRACTS: Final = (20, 2)  # requests, seconds
_SLOWER: Final[Mapping[str, tuple[int, int]]] = {"contract_public_get_detail": (1, 5)}

Cost = int | Callable[[Params], int]


def _by_symbol(alone: int, all_symbols: int) -> Cost:
    return lambda params: alone if params.get("symbol") else all_symbols


COSTS: Final[Mapping[str, Cost]] = {
    "spot_public_get_ping": 1,
    "spot_public_get_time": 1,
    "spot_public_get_defaultsymbols": 1,
    "spot_public_get_exchangeinfo": 10,
    "spot_public_get_ticker_price": _by_symbol(1, 2),
    "spot_public_get_ticker_24hr": _by_symbol(1, 40),
    "spot_public_get_klines": 1,
    "spot_private_get_account": 10,
    "spot_private_get_uid": 1,
    "spot_private_get_apikeyinfo": 1,
    "spot_private_get_tradefee": 20,
    "spot_private_get_mxdeduct_enable": 1,
    "spot_private_get_mytrades": 10,
    "spot_private_get_allorders": 10,
    "spot_private_get_openorders": 3,
    "spot_private_get_order": 2,
    "spot_private_get_capital_config_getall": 10,
    "spot_private_get_capital_deposit_hisrec": 1,
    "spot_private_get_capital_withdraw_history": 1,
    "spot_private_get_capital_transfer": 1,
    "spot_private_get_capital_convert": 1,
}


def charges(endpoint: str, params: Params) -> Charges:
    is_public = "_public_" in endpoint
    if endpoint.startswith("contract_"):
        amount, seconds = _SLOWER.get(endpoint, _CONTRACTS)
        payer = Payer.ADDRESS if is_public else Payer.ACCOUNT
        return (Charge(Bucket(endpoint, amount, seconds, payer), 1),)
    cost = COSTS.get(endpoint, _USUAL)
    return (Charge(ADDRESS if is_public else ACCOUNT, cost if isinstance(cost, int) else cost(params)),)


LIMITS: Final = Limits(charges)
