"""Signed endpoints of /api/v3/capital: transfers and coins. Windows of at most seven days, 90 days back."""

from collections.abc import Callable

from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Transfer
from exchanges.simulators.mexc import errors, wire
from exchanges.simulators.mexc.context import Context, SignedEndpoint
from exchanges.simulators.mexc.parameters import EXCHANGE, Parameters
from exchanges.simulators.mexc.private import forbidden
from exchanges.simulators.symbols import assets

KEPT_MS = 90 * DAY_MS
_LONGEST_WINDOW_MS = 7 * DAY_MS


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.deposits, wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal)


def coins(context: Context, parameters: Parameters) -> Answer:
    return [encode(wire.coin(asset)) for asset in assets(EXCHANGE)]


def _page(
    context: Context, parameters: Parameters, rows: list[Transfer], encoded: Callable[[Transfer], bytes]
) -> Answer:
    """Newest first. Without times: the last seven days."""
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    end = context.now_ms if end is None else end
    start = end - _LONGEST_WINDOW_MS if start is None else start
    if start < context.server_ms - KEPT_MS:
        raise errors.start_too_old()
    if end - start > _LONGEST_WINDOW_MS:
        raise errors.window_too_long()
    coin, limit = parameters.text("coin"), parameters.limit(default=1_000, most=1_000)
    chosen = [
        row
        for row in sorted(rows, key=lambda row: (row.applied_at, row.transfer_id), reverse=True)
        if start <= row.applied_at <= end and coin in ("", row.asset)
    ]
    return [encoded(row) for row in chosen[:limit]]


ENDPOINTS = {
    ("GET", "/api/v3/capital/deposit/hisrec"): SignedEndpoint(deposits, 1),
    ("GET", "/api/v3/capital/withdraw/history"): SignedEndpoint(withdrawals, 1),
    ("GET", "/api/v3/capital/config/getall"): SignedEndpoint(coins, 10),
    ("POST", "/api/v3/capital/withdraw"): SignedEndpoint(forbidden, 1),
    ("POST", "/api/v3/capital/transfer"): SignedEndpoint(forbidden, 1),
}
