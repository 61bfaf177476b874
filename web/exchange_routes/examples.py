"""Answers for the OpenAPI document."""

from typing import Any, Final

_ACCOUNT: Final = "5f0c1bd2-6a53-4f6c-9a9d-0f6f8d2b7c11"

ACCOUNT_INFO: Final[dict[str, Any]] = {
    "makerCommission": 10,
    "takerCommission": 10,
    "canTrade": True,
    "canWithdraw": False,
    "canDeposit": True,
    "accountType": "SPOT",
    "balances": [{"asset": "BTC", "free": "0.5", "locked": "0.1"}],
    "permissions": ["SPOT"],
    "exchange": "binance",
    "accounts": [_ACCOUNT],
}
USER_ASSETS: Final[list[dict[str, Any]]] = [
    {
        "asset": "BTC",
        "free": "0.5",
        "locked": "0.1",
        "freeze": "0",
        "withdrawing": "0",
        "exchange": "binance",
        "usdValue": 36000,
        "pricePerUnit": 60000,
    }
]
ORDER: Final[dict[str, Any]] = {
    "orderId": 1234567,
    "clientOrderId": "web_1",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "price": "58000.5",
    "origQty": "0.1",
    "executedQty": "0",
    "status": "NEW",
    "time": 1765238400000,
    "stopPrice": "0",
    "cummulativeQuoteQty": "0",
    "timeInForce": "GTC",
    "updateTime": 1765238400000,
    "orderIdText": "1234567",
    "market": "spot",
    "positionSide": "",
    "reduceOnly": False,
    "exchange": "binance",
    "account": _ACCOUNT,
}
ORDER_HISTORY: Final[list[dict[str, Any]]] = [
    {"symbol": "BTCUSDT", "orders": [{**ORDER, "status": "FILLED", "executedQty": "0.1"}]}
]
BITGET_ORDERS: Final[list[dict[str, Any]]] = [
    {
        "orderId": "1098394344925597696",
        "symbol": "BTCUSDT",
        "side": "buy",
        "orderType": "limit",
        "priceAvg": "58000.5",
        "size": "0.1",
        "status": "live",
        "presetTakeProfitPrice": "61000",
        "presetStopLossPrice": "57000",
        "cTime": "1765238400000",
        "clientOid": "web_1",
        "triggerPrice": "0",
        "baseVolume": "0",
        "quoteVolume": "0",
        "uTime": "1765238400000",
        "account": _ACCOUNT,
    }
]
TRADE_FILLS: Final[list[dict[str, Any]]] = [
    {
        "tradeId": "1098394344974925824",
        "orderId": "1098394344925597696",
        "symbol": "BTCUSDT",
        "side": "buy",
        "price": "58000.5",
        "size": "0.1",
        "amount": "5800.05",
        "feeDetail": {"feeCoin": "BTC", "totalFee": "0.0001"},
        "cTime": "1765238400000",
        "tradeScope": "taker",
        "market": "spot",
        "exchange": "bitget",
        "account": _ACCOUNT,
    }
]
DEPOSITS: Final[list[dict[str, Any]]] = [
    {
        "id": "769800519366885376",
        "amount": "1000",
        "coin": "USDT",
        "network": "TRX",
        "status": "success",
        "address": "TXv2…",
        "txId": "98a3ea560c6b3336d348b6c83f0f95ecd4f1f5919e94bd006e5bf3bf264facfc",
        "timestamp": 1765238400000,
        "exchange": "binance",
        "account": _ACCOUNT,
    }
]
WITHDRAWALS: Final[list[dict[str, Any]]] = [{**DEPOSITS[0], "fee": "1"}]
TRANSFERS: Final[list[dict[str, Any]]] = [
    {
        "id": "13526853623",
        "asset": "USDT",
        "amount": "250",
        "type": "MAIN_UMFUTURE",
        "fromWallet": "spot",
        "toWallet": "futures",
        "status": "success",
        "timestamp": 1765238400000,
        "exchange": "binance",
        "account": _ACCOUNT,
    }
]
TICKERS: Final[list[dict[str, Any]]] = [
    {
        "symbol": "BTCUSDT",
        "lastPrice": "60000.1",
        "lastPr": "60000.1",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "timestamp": 1765238400000,
        "ts": "1765238400000",
        "market": "spot",
        "exchange": "bitget",
    }
]
BITGET_ASSETS: Final[list[dict[str, Any]]] = [
    {
        "coin": "BTC",
        "available": "0.5",
        "frozen": "0.1",
        "locked": "0",
        "limitAvailable": "0",
        "uTime": "1765238400000",
    }
]
SNAPSHOT: Final[dict[str, Any]] = {
    "totalSnapshots": 1,
    "period": "30d",
    "snapshots": [
        {
            "date": "2025-12-09",
            "totalValueUSD": 36000,
            "totalAssetOfBtc": 0.6,
            "balances": [{"asset": "BTC", "free": "0.6", "locked": "0"}],
            "updateTime": 1765324799000,
            "change24h": 1.25,
        }
    ],
    "currentValue": 36000,
    "initialValue": 30000,
    "meaningfulInitialValue": 30000,
    "performance": {"totalReturn": "18.2", "rawTotalReturn": "20", "days": 30, "avgDailyReturn": "0.5589"},
    "summary": {
        "totalPortfolioValue": "36000",
        "topAssets": [{"asset": "BTC", "quantity": "0.6", "usdValue": 36000, "percentage": 100}],
    },
    "currency": "USDT",
}
