"""Signed endpoints of what came or changed outside the order book: dividends, converted dust, conversions."""

from collections import defaultdict
from typing import Any, Final

from exchanges.simulators.amounts import text
from exchanges.simulators.binance import errors
from exchanges.simulators.binance.context import Context, SignedEndpoint
from exchanges.simulators.binance.limits import Pool
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import Answer, encode
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Conversion

_LONGEST_DIVIDENDS_MS: Final = 180 * DAY_MS
_LONGEST_FLOW_MS: Final = 30 * DAY_MS
_MOST_DUST: Final = 100


def dividends(context: Context, parameters: Parameters) -> Answer:
    """Newest first; a window of at most 180 days."""
    start, end = _window(context, parameters, _LONGEST_DIVIDENDS_MS)
    asset, limit = parameters.text("asset"), parameters.limit(default=20, most=500)
    rows = [
        row
        for row in reversed(context.account.dividends)
        if start <= row.paid_at <= end and asset in ("", row.asset)
    ]
    told = [
        {
            "id": row.dividend_id,
            "amount": text(row.amount),
            "asset": row.asset,
            "divTime": row.paid_at,
            "enInfo": row.words,
            "tranId": row.dividend_id + 10**9,
            "direction": 1,
        }
        for row in rows[:limit]
    ]
    return encode({"rows": told, "total": len(rows)})


def dust(context: Context, parameters: Parameters) -> Answer:
    """The newest hundred, coins that were swept together as one."""
    parameters.text("accountType")
    end = parameters.integer("endTime", default=context.now_ms) or 0
    start = parameters.integer("startTime", default=0) or 0
    groups: dict[int, list[Conversion]] = defaultdict(list)
    for row in context.account.conversions:
        if row.is_dust and start <= row.happened_at <= end:
            groups[row.conversion_id].append(row)
    newest = sorted(groups.items(), reverse=True)[:_MOST_DUST]
    return encode({"total": len(groups), "userAssetDribblets": [_dribblet(*each) for each in newest]})


def flow(context: Context, parameters: Parameters) -> Answer:
    """Conversions of a window that must be named, of at most 30 days."""
    for name in ("startTime", "endTime"):
        if not parameters.text(name):
            raise errors.missing_parameter(name)
    start, end = _window(context, parameters, _LONGEST_FLOW_MS)
    limit = parameters.limit(default=100, most=1_000)
    rows = [row for row in context.account.conversions if not row.is_dust and start <= row.happened_at <= end]
    told = [
        {
            "quoteId": f"{row.conversion_id:032x}",
            "orderId": row.conversion_id,
            "orderStatus": "SUCCESS",
            "fromAsset": row.from_asset,
            "fromAmount": text(row.from_amount),
            "toAsset": row.to_asset,
            "toAmount": text(row.to_amount),
            "ratio": "0",
            "inverseRatio": "0",
            "createTime": row.happened_at,
        }
        for row in rows[:limit]
    ]
    more = {"startTime": start, "endTime": end, "limit": limit, "moreData": len(rows) > limit}
    return encode({"list": told, **more})


def _dribblet(together: int, rows: list[Conversion]) -> dict[str, Any]:
    return {
        "operateTime": rows[0].happened_at,
        "totalTransferedAmount": text(sum(row.to_amount - row.fee for row in rows)),
        "totalServiceChargeAmount": text(sum(row.fee for row in rows)),
        "transId": together,
        "userAssetDribbletDetails": [
            {
                "transId": together,
                "serviceChargeAmount": text(row.fee),
                "amount": text(row.from_amount),
                "operateTime": row.happened_at,
                "transferedAmount": text(row.to_amount - row.fee),
                "fromAsset": row.from_asset,
            }
            for row in rows
        ],
    }


def _window(context: Context, parameters: Parameters, longest: int) -> tuple[int, int]:
    end = parameters.integer("endTime", default=context.now_ms) or 0
    start = parameters.integer("startTime", default=end - longest) or 0
    if not 0 <= end - start <= longest:
        raise errors.window_too_long()
    return start, end


ENDPOINTS = {
    ("GET", "/sapi/v1/asset/assetDividend"): SignedEndpoint(dividends, lambda _: 10, Pool.SAPI_IP),
    ("GET", "/sapi/v1/asset/dribblet"): SignedEndpoint(dust, lambda _: 1, Pool.SAPI_IP),
    ("GET", "/sapi/v1/convert/tradeFlow"): SignedEndpoint(flow, lambda _: 3_000, Pool.SAPI_UID),
}
