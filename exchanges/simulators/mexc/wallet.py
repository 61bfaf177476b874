"""Signed endpoints of /api/v3/capital: transfers and coins.

Deposits and withdrawals: windows of at most seven days, 90 days back; between wallets: half a year back, by page.
"""

from collections.abc import Callable

from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Conversion, Transfer
from exchanges.simulators.mexc import errors, wire
from exchanges.simulators.mexc.context import Context, SignedEndpoint
from exchanges.simulators.mexc.parameters import EXCHANGE, Parameters
from exchanges.simulators.mexc.private import forbidden
from exchanges.simulators.symbols import assets

MOVES = "/api/v3/capital/transfer"
KEPT_MS = 90 * DAY_MS
MOVES_KEPT_MS = 180 * DAY_MS
_LONGEST_WINDOW_MS = 7 * DAY_MS
_MOVED_BETWEEN = ("SPOT", "FUTURES")


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.deposits, wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal)


def moves(context: Context, parameters: Parameters) -> Answer:
    """One way between two wallets, which must be named; newest first. Without times: the last seven days."""
    ends = [parameters.text(name) for name in ("fromAccountType", "toAccountType")]
    for name, end in zip(("fromAccountType", "toAccountType"), ends, strict=True):
        if end not in _MOVED_BETWEEN:
            raise errors.missing_parameter(name)
    start, end_ms = parameters.integer("startTime"), parameters.integer("endTime")
    end_ms = context.now_ms if end_ms is None else end_ms
    start = end_ms - _LONGEST_WINDOW_MS if start is None else start
    if start < context.server_ms - MOVES_KEPT_MS:
        raise errors.moves_too_old()
    size, page = min(parameters.integer("size") or 10, 100), parameters.integer("page") or 1
    margin = context.account.margin
    chosen = [
        row
        for row in sorted(margin.transfers if margin else [], key=lambda row: -row.moved_at)
        if [row.from_wallet.upper(), row.to_wallet.upper()] == ends and start <= row.moved_at <= end_ms
    ]
    told = [wire.move(row) for row in chosen[size * (page - 1) : size * page]]
    return encode({"rows": told, "total": len(chosen)})


def dust(context: Context, parameters: Parameters) -> Answer:
    """Sweeps, newest first, each with its coins. Without a limit: one."""
    end = parameters.integer("endTime")
    start, end = parameters.integer("startTime") or 0, context.now_ms if end is None else end
    limit, page = min(parameters.integer("limit") or 1, 1_000), parameters.integer("page") or 1
    sweeps: dict[int, list[Conversion]] = {}
    for row in reversed(context.account.conversions):
        if row.is_dust and start <= row.happened_at <= end:
            sweeps.setdefault(row.conversion_id, []).append(row)
    chosen = list(sweeps.values())[limit * (page - 1) : limit * page]
    pages = -(-len(sweeps) // limit)
    told = {"totalRecords": len(sweeps), "page": page, "totalPageNum": pages}
    return encode({"data": [wire.sweep(rows) for rows in chosen], **told})


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
    ("GET", MOVES): SignedEndpoint(moves, 1),
    ("GET", "/api/v3/capital/convert"): SignedEndpoint(dust, 1),
    ("POST", MOVES): SignedEndpoint(forbidden, 1),
}
