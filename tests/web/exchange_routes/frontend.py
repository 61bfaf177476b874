"""The frontend's TypeScript interfaces, written down once more by hand and independent of the code under test.

`str`, `int`, `bool` and `float` (any JSON number) stand for their types; `Maybe` for what may be null or left out; a
dictionary is an object whose members must be there (more may be), a list of one an array.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True)
class Maybe:
    of: Any


@dataclass(frozen=True)
class OneOf:
    words: tuple[str, ...]


EXCHANGES: Final = OneOf(("binance", "bitget", "gateio", "mexc"))
STATUSES: Final = OneOf(("pending", "success", "failed", "unknown"))
BALANCE: Final = {"asset": str, "free": str, "locked": str}
ACCOUNT_INFO: Final = {
    "makerCommission": Maybe(float),
    "takerCommission": Maybe(float),
    "canTrade": bool,
    "canWithdraw": bool,
    "canDeposit": bool,
    "accountType": str,
    "balances": [BALANCE],
    "permissions": [str],
    "exchange": EXCHANGES,
}
USER_ASSET: Final = {
    "asset": str,
    "free": str,
    "locked": str,
    "freeze": str,
    "withdrawing": str,
    "exchange": EXCHANGES,
    "usdValue": Maybe(float),
    "pricePerUnit": Maybe(float),
}
BINANCE_ORDER: Final = {
    "orderId": int,
    "clientOrderId": str,
    "symbol": str,
    "side": str,
    "type": str,
    "price": str,
    "origQty": str,
    "executedQty": str,
    "status": str,
    "time": int,
}
ORDER: Final = {**BINANCE_ORDER, "orderId": str}
BITGET_ORDER: Final = dict.fromkeys(
    (
        *("orderId", "symbol", "side", "orderType", "priceAvg", "size", "status"),
        *("presetTakeProfitPrice", "presetStopLossPrice", "cTime"),
    ),
    str,
)
TRADE: Final = {
    "tradeId": str,
    "orderId": str,
    "symbol": str,
    "side": OneOf(("buy", "sell")),
    "price": str,
    "size": str,
    "amount": Maybe(str),
    "feeDetail": {"feeCoin": str, "totalFee": str},
    "cTime": str,
}
DEPOSIT: Final = {
    "id": str,
    "amount": str,
    "coin": str,
    "network": str,
    "status": STATUSES,
    "address": str,
    "txId": str,
    "timestamp": int,
    "exchange": EXCHANGES,
}
WITHDRAWAL: Final = {**DEPOSIT, "fee": Maybe(str)}
SNAPSHOT: Final = {
    "totalSnapshots": int,
    "period": str,
    "snapshots": [
        {
            "date": str,
            "totalValueUSD": float,
            "totalAssetOfBtc": Maybe(float),
            "balances": [BALANCE],
            "updateTime": int,
            "change24h": Maybe(float),
        }
    ],
    "currentValue": Maybe(float),
    "initialValue": Maybe(float),
    "meaningfulInitialValue": Maybe(float),
    "performance": {
        "totalReturn": Maybe(str),
        "rawTotalReturn": Maybe(str),
        "days": int,
        "avgDailyReturn": Maybe(str),
    },
    "summary": {"totalPortfolioValue": str, "topAssets": [{"asset": str}]},
}
TICKER: Final = {"symbol": str, "lastPrice": str, "lastPr": str}
BITGET_ASSET: Final = {"coin": str, "available": str, "frozen": str, "locked": str, "uTime": str}
TRANSFER: Final = {"asset": str, "amount": str, "type": str, "status": str, "timestamp": int}


def body(response: Any) -> Any:
    """The answer with numbers as they stand in it."""
    assert response.status_code == 200, response.content
    return json.loads(response.content, parse_float=Decimal)


def misfits(value: Any, kind: Any, at: str = "") -> list[str]:
    """Where a value is not of an interface, with what stands there instead."""
    if isinstance(kind, Maybe):
        return [] if value is None else misfits(value, kind.of, at)
    if isinstance(kind, OneOf):
        return [] if value in kind.words else [f"{at}: {value!r}"]
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no array"]
        return [
            fault for place, item in enumerate(value) for fault in misfits(item, kind[0], f"{at}[{place}]")
        ]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return [f"{at}: {value!r} is no object"]
        missing = [
            f"{at}.{name} is missing"
            for name, of in kind.items()
            if name not in value and not isinstance(of, Maybe)
        ]
        return missing + [
            fault
            for name, of in kind.items()
            if name in value
            for fault in misfits(value[name], of, f"{at}.{name}")
        ]
    accepted = (int, Decimal) if kind is float else kind
    fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    return [] if fits else [f"{at}: {value!r}"]
