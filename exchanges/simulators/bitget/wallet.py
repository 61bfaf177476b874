"""Signed endpoints about whose key it is, the funding wallet, and what came, went and was moved."""

from collections.abc import Callable
from typing import Any, Final

from exchanges.simulators import amounts
from exchanges.simulators.bitget import ledger, names, wire
from exchanges.simulators.bitget.context import Answer, Context, Rows, SignedEndpoint
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.facts import Transfer

_DAYS: Final = 90
_MOST: Final = 500
_RIGHTS: Final = ("coor", "cpor", "stor", "wtor")


def info(context: Context, parameters: Parameters) -> Answer:
    account = context.account
    rights = [*_RIGHTS, "wwow"] if account.can_withdraw else list(_RIGHTS)
    return wire.encode(
        {
            "userId": str(account.uid),
            "inviterId": "",
            "ips": "",
            "authorities": rights,
            "parentId": 0,
            "traderType": "not_trader",
            "channelCode": "",
            "channel": "",
            "regisTime": str(context.world.market.first_day_ms),
        }
    )


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.deposits, wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal)


def funding_assets(context: Context, parameters: Parameters) -> Answer:
    """Nobody here pays or trades with persons."""
    return Rows([])


def transfer_records(context: Context, parameters: Parameters) -> Answer:
    """Between wallets, by coin, newest first."""
    coin, origin = parameters.required("coin").upper(), parameters.text("fromType")
    span = parameters.span(context.now_ms, days=_DAYS)
    limit, below = parameters.limit(most=_MOST), parameters.below()
    rows = [
        row
        for row in ledger.transfers(context.account)
        if row.asset == coin
        and row.moved_at in span
        and row.transfer_id < below
        and origin in ("", ledger.wallet(row.from_wallet, coin))
    ]
    rows.sort(key=lambda row: row.transfer_id, reverse=True)
    return Rows([ledger.record(row) for row in rows[:limit]])


def trade_rate(context: Context, parameters: Parameters) -> Answer:
    parameters.required("symbol"), parameters.required("businessType")
    house = context.account.house
    return wire.encode({"makerFeeRate": _rate(house.maker_fee), "takerFeeRate": _rate(house.taker_fee)})


def _page(
    context: Context, parameters: Parameters, rows: list[Transfer], told: Callable[[Transfer], dict[str, Any]]
) -> Answer:
    """Both times must be told; newest first, 20 by default."""
    parameters.required("startTime"), parameters.required("endTime")
    span = parameters.span(context.now_ms, days=_DAYS, keeps=True)
    limit, below = parameters.limit(usual=20), parameters.below()
    coin = parameters.text("coin").upper()
    found = [
        row
        for row in rows
        if row.applied_at in span and names.transfer_id(row) < below and coin in ("", row.asset)
    ]
    found.sort(key=names.transfer_id, reverse=True)
    return Rows([wire.encode(told(row)) for row in found[:limit]])


def _rate(per_100_000: int) -> str:
    return wire.short(per_100_000 * amounts.ONE // 100_000)


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v2/spot/account/info"): info,
    ("GET", "/api/v2/account/funding-assets"): funding_assets,
    ("GET", "/api/v2/spot/account/transferRecords"): transfer_records,
    ("GET", "/api/v2/spot/wallet/deposit-records"): deposits,
    ("GET", "/api/v2/spot/wallet/withdrawal-records"): withdrawals,
    ("GET", "/api/v2/common/trade-rate"): trade_rate,
}
