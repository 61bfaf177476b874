"""Signed endpoints of /wallet and /account: transfers, fees, whose key it is and what it may do."""

from collections.abc import Callable
from typing import Any, Final

from exchanges.simulators import amounts
from exchanges.simulators.facts import Transfer
from exchanges.simulators.gateio import errors, wire
from exchanges.simulators.gateio.context import Answer, Context, SignedEndpoint
from exchanges.simulators.gateio.parameters import Parameters

_MOST_DEPOSITS: Final = 500
_MOST_WITHDRAWALS: Final = 1000
_SHOWN: Final = 12  # characters of a key in the list of keys
_RIGHTS: Final = ("account", "futures", "spot", "wallet")


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.deposits, wire.deposit, most=_MOST_DEPOSITS)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal, most=_MOST_WITHDRAWALS)


def fee(context: Context, parameters: Parameters) -> Answer:
    account = context.account
    parameters.pair()
    maker, taker = _rate(account.house.maker_fee), _rate(account.house.taker_fee)
    return wire.encode(
        {
            "user_id": account.uid,
            "taker_fee": taker,
            "maker_fee": maker,
            "gt_discount": account.pays_in_coin,
            "gt_taker_fee": _rate(account.house.taker_fee * account.house.coin_percent // 100),
            "gt_maker_fee": _rate(account.house.maker_fee * account.house.coin_percent // 100),
            "loan_fee": "0.18",
            "point_type": "1",
            "futures_taker_fee": "0.0005",
            "futures_maker_fee": "0.0002",
            "delivery_taker_fee": "0.0005",
            "delivery_maker_fee": "0.0002",
            "debit_fee": 1 if account.pays_in_coin else 3,
        }
    )


def detail(context: Context, parameters: Parameters) -> Answer:
    return wire.encode(
        {
            "user_id": context.account.uid,
            "ip_whitelist": [],
            "currency_pairs": [],
            "key": {"mode": 1},
            "tier": 0,
            "tier_expire_time": "0001-01-01T00:00:00Z",
            "copy_trading_role": 0,
        }
    )


def main_keys(context: Context, parameters: Parameters) -> Answer:
    """The account's keys, masked: the one that asks and one that somebody else was given."""
    return [wire.encode(row) for row in _keys(context)]


def withdraw(context: Context, parameters: Parameters) -> Answer:
    """Nothing is ever withdrawn here."""
    raise errors.no_permission("withdraw")


def _keys(context: Context) -> list[dict[str, Any]]:
    account, created_at = context.account, context.world.market.first_day_ms // 1000
    allowed = (name for name in _RIGHTS if name != "futures" or context.sees_contracts)
    rights: list[dict[str, Any]] = [{"name": name, "read_only": True} for name in allowed]
    if account.can_withdraw:
        rights.append({"name": "withdraw", "read_only": False})
    own = (account.api_key, "read", rights)
    other = (account.api_secret[::-1], "trade", [{"name": "spot", "read_only": False}])
    return [
        {
            "state": 1,
            "mode": 1,
            "name": name,
            "currency_pairs": [],
            "user_id": account.uid,
            "ip_whitelist": [],
            "perms": perms,
            "key": key[:_SHOWN] + "*****",
            "created_at": created_at,
            "update_at": created_at,
            "last_access": created_at,
        }
        for key, name, perms in (other, own)
    ]


def _page(
    context: Context,
    parameters: Parameters,
    rows: list[Transfer],
    encode: Callable[[Transfer], bytes],
    *,
    most: int,
) -> Answer:
    """Newest first; without times those of the last seven days."""
    span, chosen = parameters.span(context.now_ms), parameters.offset(most=most)
    currency = parameters.text("currency")
    found = [row for row in rows if row.applied_at in span and currency in ("", row.asset)]
    found.sort(key=lambda row: (row.applied_at, row.transfer_id), reverse=True)
    return [encode(row) for row in found[chosen]]


def _rate(per_100_000: int) -> str:
    return wire.short(per_100_000 * amounts.ONE // 100_000)


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v4/wallet/deposits"): deposits,
    ("GET", "/api/v4/wallet/withdrawals"): withdrawals,
    ("GET", "/api/v4/wallet/fee"): fee,
    ("GET", "/api/v4/account/detail"): detail,
    ("GET", "/api/v4/account/main_keys"): main_keys,
    ("POST", "/api/v4/withdrawals"): withdraw,
    ("DELETE", "/api/v4/withdrawals/{withdrawal_id}"): withdraw,
}
