"""What Binance allows: weight by minute and address, with pools of their own for /sapi and for contracts.

Weights are the documents' of November 2026 (spot: REST API; wallet: SAPI; USD-M futures: FAPI).
"""

from collections.abc import Callable, Mapping
from typing import Final

from exchanges.limits import Bucket, Charge, Charges, Headers, Limits, Params, Payer, count

SPOT: Final = Bucket("spot", 6_000, 60, Payer.ADDRESS)
WALLET: Final = Bucket("wallet", 12_000, 60, Payer.ADDRESS)
WALLET_ACCOUNT: Final = Bucket("wallet-account", 180_000, 60, Payer.ACCOUNT)
WITHDRAWALS: Final = Bucket("withdrawals", 180_000, 1, Payer.ACCOUNT)  # ten a second of their own
FUTURES: Final = Bucket("futures", 2_400, 60, Payer.ADDRESS)

_POOLS: Final = (("sapi", WALLET), ("fapi", FUTURES))  # by how an endpoint begins; all else is SPOT
_HEADERS: Final[Mapping[Bucket, str]] = {
    SPOT: "X-MBX-USED-WEIGHT-1M",
    WALLET: "X-SAPI-USED-IP-WEIGHT-1M",
    WALLET_ACCOUNT: "X-SAPI-USED-UID-WEIGHT-1M",
    FUTURES: "X-MBX-USED-WEIGHT-1M",
}
_USUAL: Final[Mapping[Bucket, int]] = {SPOT: 20, WALLET: 1, FUTURES: 5}  # of what is not listed
_PAGES: Final = ((99, 1), (499, 2), (1_000, 5))  # contracts' candles: (rows asked at most, weight)

Cost = int | Callable[[Params], int]


def _by_symbol(alone: int, all_symbols: int) -> Cost:
    return lambda params: alone if params.get("symbol") else all_symbols


def _candles(params: Params) -> int:
    asked = int(params.get("limit", 500))
    return next((weight for most, weight in _PAGES if asked <= most), 10)


COSTS: Final[Mapping[str, Cost]] = {
    "public_get_ping": 1,
    "public_get_time": 1,
    "public_get_exchangeinfo": 20,
    "public_get_ticker_price": _by_symbol(2, 4),
    "public_get_ticker_24hr": _by_symbol(2, 80),
    "public_get_klines": 2,
    "private_get_account": 20,
    "private_get_mytrades": lambda params: 5 if "orderId" in params else 20,
    "private_get_allorders": 20,
    "private_get_openorders": _by_symbol(6, 80),
    "private_get_order": 4,
    "private_get_orderlist": 4,
    "private_get_allorderlist": 20,
    "private_get_openorderlist": 6,
    "sapi_get_account_apirestrictions": 1,
    "sapi_get_capital_config_getall": 10,
    "sapi_get_capital_deposit_hisrec": 1,
    "sapi_get_asset_transfer": 1,
    "sapi_get_asset_assetdividend": 10,
    "sapi_get_asset_dribblet": 1,
    "sapi_get_asset_tradefee": 1,
    "sapi_get_accountsnapshot": 2_400,
    "sapi_post_asset_get_funding_asset": 1,
    "sapiv3_post_asset_getuserasset": 5,
    "fapipublic_get_ping": 1,
    "fapipublic_get_time": 1,
    "fapipublic_get_exchangeinfo": 1,
    "fapipublic_get_fundinginfo": 1,
    "fapipublic_get_fundingrate": 1,
    "fapipublic_get_premiumindex": _by_symbol(1, 10),
    "fapipublicv2_get_ticker_price": _by_symbol(1, 2),
    "fapipublic_get_ticker_price": _by_symbol(1, 2),
    "fapipublic_get_ticker_24hr": _by_symbol(1, 40),
    "fapipublic_get_klines": _candles,
    "fapiprivate_get_allorders": 5,
    "fapiprivate_get_openorders": _by_symbol(1, 40),
    "fapiprivate_get_order": 1,
    "fapiprivate_get_algoorder": 1,
    "fapiprivate_get_openalgoorders": _by_symbol(1, 40),
    "fapiprivate_get_allalgoorders": 5,
    "fapiprivate_get_usertrades": 5,
    "fapiprivate_get_income": 30,
    "fapiprivate_get_positionside_dual": 30,
    "fapiprivate_get_forceorders": _by_symbol(20, 50),
    "fapiprivate_get_commissionrate": 20,
    "fapiprivate_get_feeburn": 30,
    "fapiprivate_get_multiassetsmargin": 30,
    "fapiprivate_get_leveragebracket": 1,
    "fapiprivate_get_symbolconfig": 5,
    "fapiprivate_get_accountconfig": 5,
    "fapiprivatev2_get_positionrisk": 5,
    "fapiprivatev2_get_account": 5,
    "fapiprivatev2_get_balance": 5,
    "fapiprivatev3_get_positionrisk": 5,
    "fapiprivatev3_get_account": 5,
    "fapiprivatev3_get_balance": 5,
}
# These are an account's, whatever address they come from.
ACCOUNT_COSTS: Final[Mapping[str, Charge]] = {
    "sapi_get_capital_withdraw_history": Charge(WITHDRAWALS, 18_000),
    "sapi_get_convert_tradeflow": Charge(WALLET_ACCOUNT, 3_000),
    "sapi_get_rebate_taxquery": Charge(WALLET_ACCOUNT, 12_000),
    "sapi_get_fiat_orders": Charge(WALLET_ACCOUNT, 90_000),
    "sapi_get_fiat_payments": Charge(WALLET_ACCOUNT, 1),
}


def charges(endpoint: str, params: Params) -> Charges:
    own = ACCOUNT_COSTS.get(endpoint)
    if own is not None:
        return (own,)
    pool = next((pool for prefix, pool in _POOLS if endpoint.startswith(prefix)), SPOT)
    cost = COSTS.get(endpoint, _USUAL[pool])
    return (Charge(pool, cost if isinstance(cost, int) else cost(params)),)


def told(charged: Charges, headers: Headers) -> Mapping[Bucket, int]:
    levels = {charge.bucket: count(headers, _HEADERS.get(charge.bucket, "")) for charge in charged}
    return {bucket: level for bucket, level in levels.items() if level is not None}


LIMITS: Final = Limits(charges, told)
