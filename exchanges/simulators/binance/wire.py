"""Rows as Binance writes them."""

from datetime import datetime
from typing import Any

from core import clock
from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.amounts import text
from exchanges.simulators.binance_like import encode, flag
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import HOUR_MS
from exchanges.simulators.contract_facts import WalletTransfer
from exchanges.simulators.facts import Fill, Order, Transfer
from exchanges.simulators.klines import quote_volume
from exchanges.simulators.symbols import Symbol

_ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
_MOST = "9000000.00000000"


def fill(row: Fill) -> bytes:
    """A row of myTrades; kept on the fill, as pages are served many times."""
    if not row.wire:
        row.wire = (
            f'{{"symbol":"{row.symbol}","id":{row.fill_id},"orderId":{row.order_id},'
            f'"orderListId":{row.list_id},"price":"{text(row.price)}","qty":"{text(row.quantity)}",'
            f'"quoteQty":"{text(row.quote_quantity)}","commission":"{text(row.fee)}",'
            f'"commissionAsset":"{row.fee_asset}","time":{row.executed_at},'
            f'"isBuyer":{flag(row.is_buyer)},"isMaker":{flag(row.is_maker)},"isBestMatch":true}}'
        ).encode()
    return row.wire


def order(row: Order) -> bytes:
    """A row of allOrders, openOrders and order."""
    waits = row.status == "PENDING_NEW" or (row.type == "STOP_LOSS_LIMIT" and not row.executed)
    return (
        f'{{"symbol":"{row.symbol}","orderId":{row.order_id},"orderListId":{row.list_id},'
        f'"clientOrderId":"{row.client_order_id}","price":"{text(row.price)}",'
        f'"origQty":"{text(row.quantity)}","executedQty":"{text(row.executed)}",'
        f'"origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"{text(row.executed_quote)}",'
        f'"status":"{row.status}","timeInForce":"{row.time_in_force}","type":"{row.type}",'
        f'"side":"{row.side}","stopPrice":"{text(row.stop_price)}","icebergQty":"0.00000000",'
        f'"time":{row.placed_at},"updateTime":{row.updated_at},"isWorking":{flag(not waits)},'
        f'"workingTime":{-1 if waits else row.placed_at},"selfTradePreventionMode":"EXPIRE_MAKER"}}'
    ).encode()


def deposit(row: Transfer) -> bytes:
    return encode(
        {
            "id": row.transfer_id,
            "amount": _short(row.amount),
            "coin": row.asset,
            "network": row.network,
            "status": row.status,
            "address": row.address,
            "addressTag": "",
            "txId": row.tx_id,
            "insertTime": row.applied_at,
            "completeTime": row.completed_at,
            "transferType": 0,
            "confirmTimes": "1/1",
            "unlockConfirm": 0,
            "walletType": 0,
        }
    )


def withdrawal(row: Transfer) -> bytes:
    """Times are texts in UTC here, unlike anywhere else."""
    return encode(
        {
            "id": row.transfer_id,
            "amount": _short(row.amount),
            "transactionFee": _short(row.fee),
            "coin": row.asset,
            "status": row.status,
            "address": row.address,
            "txId": row.tx_id,
            "applyTime": _clock_text(row.applied_at),
            "network": row.network,
            "transferType": 0,
            "withdrawOrderId": "",
            "info": "",
            "confirmNo": 1,
            "walletType": 0,
            "txKey": "",
            "completeTime": _clock_text(row.completed_at),
        }
    )


def internal_transfer(row: WalletTransfer, kind: str) -> dict[str, Any]:
    return {
        "asset": row.asset,
        "amount": _short(row.amount),
        "type": kind,
        "status": "CONFIRMED",
        "tranId": row.transfer_id,
        "timestamp": row.moved_at,
    }


def funding_asset(asset: str, amount: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("locked", "freeze", "withdrawing"), "0")
    return {"asset": asset, "free": _short(amount), **nothing, "btcValuation": "0"}


def kline(opened_at: int, length_ms: int, candle: Candle) -> bytes:
    """Quote volume, trade count and the takers' share are estimates: the slice of real candles lacks them."""
    quote = quote_volume(candle)
    fields = [text(value) for value in candle]
    sums = [text(quote), trade_count(candle), text(candle.volume // 2), text(quote // 2)]
    return encode([opened_at, *fields, opened_at + length_ms - 1, *sums, "0"])


def trade_count(candle: Candle) -> int:
    return 1 + candle.volume // amounts.ONE


def account(row: Account, *, omit_zero: bool, assets: tuple[str, ...]) -> dict[str, Any]:
    held = {asset: (row.free[asset], row.locked[asset]) for asset in assets}
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.00100000",
            "taker": "0.00100000",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": row.updated_at,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": text(free), "locked": text(locked)}
            for asset, (free, locked) in held.items()
            if free or locked or not omit_zero
        ],
        "permissions": ["SPOT"],
        "uid": row.uid,
    }


def symbol(row: Symbol) -> dict[str, Any]:
    return {
        "symbol": row.name,
        "status": "TRADING",
        "baseAsset": row.base,
        "baseAssetPrecision": 8,
        "quoteAsset": row.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": text(row.tick),
                "maxPrice": "1000000.00000000",
                "tickSize": text(row.tick),
            },
            {"filterType": "LOT_SIZE", "minQty": text(row.step), "maxQty": _MOST, "stepSize": text(row.step)},
            {
                "filterType": "NOTIONAL",
                "minNotional": text(row.min_notional),
                "applyMinToMarket": True,
                "maxNotional": _MOST,
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def rate_limits(weight: int) -> list[dict[str, Any]]:
    return [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
    ]


def restrictions(row: Account, created_at: int) -> dict[str, Any]:
    return {
        "ipRestrict": False,
        "createTime": created_at // HOUR_MS * HOUR_MS,
        "enableReading": True,
        "enableSpotAndMarginTrading": False,
        "enableWithdrawals": row.can_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


def coin(asset: str, row: Account) -> dict[str, Any]:
    return {
        "coin": asset,
        "name": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "free": text(row.free[asset]),
        "locked": text(row.locked[asset]),
        "freeze": "0.00000000",
        "withdrawing": "0.00000000",
        "ipoing": "0.00000000",
        "ipoable": "0.00000000",
        "storage": "0.00000000",
        "isLegalMoney": False,
        "trading": True,
        "networkList": [],
    }


def _short(amount: int) -> str:
    """Transfers are written without trailing zeros."""
    return text(amount).rstrip("0").rstrip(".")


def _clock_text(at_ms: int) -> str:
    moment: datetime = clock.from_ms(at_ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
