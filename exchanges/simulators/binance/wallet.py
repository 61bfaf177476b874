"""Signed endpoints of /sapi/v1: transfers, what the key may do, coins."""

from collections.abc import Callable

from exchanges.simulators.binance import errors, wire
from exchanges.simulators.binance.context import Context, SignedEndpoint
from exchanges.simulators.binance.limits import Pool
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance.private import forbidden
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Transfer
from exchanges.simulators.symbols import assets

_LONGEST_WINDOW_MS = 90 * DAY_MS
_TRANSFERS_DEPTH_MS = 182 * DAY_MS
_WALLETS = {"MAIN": "spot", "UMFUTURE": "futures", "FUNDING": "funding"}


def deposits(context: Context, parameters: Parameters) -> Answer:
    parameters.text("includeSource")
    return _page(context, parameters, context.account.deposits, wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    parameters.text("withdrawOrderId")
    parameters.text("idList")
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal)


def api_restrictions(context: Context, parameters: Parameters) -> Answer:
    return encode(wire.restrictions(context.account, context.world.market.first_day_ms))


def coins(context: Context, parameters: Parameters) -> Answer:
    return [encode(wire.coin(asset, context.account)) for asset in assets("binance")]


def internal_transfers(context: Context, parameters: Parameters) -> Answer:
    """Of one type, newest first, of the last six months; an answer without rows has no `rows`."""
    kind = parameters.text("type")
    if not kind:
        raise errors.missing_parameter("type")
    wallets = tuple(_WALLETS.get(name, "") for name in kind.split("_", 1))
    end = parameters.integer("endTime", default=context.now_ms) or 0
    start = parameters.integer("startTime", default=end - 7 * DAY_MS) or 0
    start = max(start, context.now_ms - _TRANSFERS_DEPTH_MS)
    size = parameters.integer("size", default=10, most=100) or 10
    current = parameters.integer("current", default=1) or 1
    moved = context.account.margin.transfers if context.account.margin else []
    rows = [
        row
        for row in reversed(moved)
        if (row.from_wallet, row.to_wallet) == wallets and start <= row.moved_at <= end
    ]
    if not rows:
        return encode({"total": 0})
    shown = rows[size * (current - 1) : size * current]
    return encode({"total": len(rows), "rows": [wire.internal_transfer(row, kind) for row in shown]})


def funding_wallet(context: Context, parameters: Parameters) -> Answer:
    """What lies outside spot and futures."""
    asset = parameters.text("asset")
    parameters.text("needBtcValuation")
    held = context.account.margin.outside if context.account.margin else {}
    return [
        encode(wire.funding_asset(name, amount))
        for name, amount in held.items()
        if amount and asset in ("", name)
    ]


def _page(
    context: Context, parameters: Parameters, rows: list[Transfer], encode: Callable[[Transfer], bytes]
) -> Answer:
    """Newest first. Without times: the last 90 days; a window may not be longer."""
    end = parameters.integer("endTime", default=context.now_ms) or 0
    start = parameters.integer("startTime", default=end - _LONGEST_WINDOW_MS) or 0
    if not 0 <= end - start <= _LONGEST_WINDOW_MS:
        raise errors.more_than_90_days()
    coin, status = parameters.text("coin"), parameters.integer("status")
    tx_id = parameters.text("txId")
    offset = parameters.integer("offset", default=0) or 0
    limit = parameters.limit(default=1_000, most=1_000)
    chosen = [
        row
        for row in sorted(rows, key=lambda row: (row.applied_at, row.transfer_id), reverse=True)
        if start <= row.applied_at <= end
        and coin in ("", row.asset)
        and status in (None, row.status)
        and tx_id in ("", row.tx_id)
    ]
    return [encode(row) for row in chosen[offset : offset + limit]]


ENDPOINTS = {
    ("GET", "/sapi/v1/capital/deposit/hisrec"): SignedEndpoint(deposits, lambda _: 1, Pool.SAPI_IP),
    ("GET", "/sapi/v1/capital/withdraw/history"): SignedEndpoint(
        withdrawals, lambda _: 18_000, Pool.SAPI_UID_SECOND
    ),
    ("GET", "/sapi/v1/asset/transfer"): SignedEndpoint(internal_transfers, lambda _: 1, Pool.SAPI_IP),
    ("POST", "/sapi/v1/asset/get-funding-asset"): SignedEndpoint(funding_wallet, lambda _: 1, Pool.SAPI_IP),
    ("GET", "/sapi/v1/account/apiRestrictions"): SignedEndpoint(api_restrictions, lambda _: 1, Pool.SAPI_IP),
    ("GET", "/sapi/v1/capital/config/getall"): SignedEndpoint(coins, lambda _: 10, Pool.SAPI_IP),
    ("POST", "/sapi/v1/capital/withdraw/apply"): SignedEndpoint(forbidden, lambda _: 600, Pool.SAPI_IP),
}
