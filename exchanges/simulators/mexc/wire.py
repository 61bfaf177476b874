"""Rows as MEXC writes them: ids are text, amounts have no trailing zeros, null stands for nothing."""

import bisect
import hashlib
from datetime import datetime
from operator import attrgetter
from typing import Any

from core import clock
from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.binance_like import encode
from exchanges.simulators.candles import Candle
from exchanges.simulators.contract_facts import WalletTransfer
from exchanges.simulators.facts import NO_LIST, Conversion, Fill, Order, Transfer
from exchanges.simulators.klines import quote_volume
from exchanges.simulators.mexc.parameters import EXCHANGE
from exchanges.simulators.symbols import Symbol, listed
from exchanges.simulators.transfers import DEPOSIT_SUCCESS, WITHDRAWAL_COMPLETED

Json = dict[str, Any]
_MADE_BY_HAND = ("web_", "ios_", "and_")  # apps give no id of their own
_READS = ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ")
_DEPOSITED, _DEPOSIT_WAITS = 5, 4
_WITHDRAWN, _WITHDRAWAL_FAILED = 7, 8


def order_id(account: Account, row: Order | Fill) -> str:
    return f"C02__{_number(account, row.symbol)}{row.order_id:08d}"


def fill_id(account: Account, row: Fill) -> str:
    return f"{_number(account, row.symbol)}{row.fill_id:08d}X1"


def client_order_id(row: Order) -> str | None:
    return None if row.client_order_id.startswith(_MADE_BY_HAND) else row.client_order_id


def order_type(row: Order) -> str:
    """No trigger orders: one that waits for its price looks like any limit order."""
    if row.type == "MARKET":
        return "MARKET"
    return {"IOC": "IMMEDIATE_OR_CANCEL", "FOK": "FILL_OR_KILL"}.get(row.time_in_force, "LIMIT")


def order_status(row: Order) -> str:
    """Nothing expires here."""
    if row.status in ("CANCELED", "EXPIRED"):
        return "PARTIALLY_CANCELED" if row.executed else "CANCELED"
    return "NEW" if row.status == "PENDING_NEW" else row.status


def fill(account: Account, row: Fill) -> bytes:
    """A row of myTrades; kept on the fill, as pages are served many times."""
    if not row.wire:
        row.wire = encode(
            {
                "symbol": row.symbol,
                "id": fill_id(account, row),
                "orderId": order_id(account, row),
                "orderListId": NO_LIST,
                "price": short(row.price),
                "qty": short(row.quantity),
                "quoteQty": short(row.quote_quantity),
                "commission": short(row.fee),
                "commissionAsset": row.fee_asset,
                "time": row.executed_at,
                "isBuyer": row.is_buyer,
                "isMaker": row.is_maker,
                "isBestMatch": True,
                "isSelfTrade": False,
                "clientOrderId": client_order_id(_order_of(account, row)),
            }
        )
    return row.wire


def order(account: Account, row: Order) -> bytes:
    """A row of allOrders, openOrders and order. A market order shows the price it got."""
    price = row.price
    if row.type == "MARKET" and row.executed:
        price = amounts.quotient(row.executed_quote, row.executed)
    return encode(
        {
            "symbol": row.symbol,
            "orderId": order_id(account, row),
            "orderListId": NO_LIST,
            "clientOrderId": client_order_id(row),
            "price": short(price),
            "origQty": short(row.quantity),
            "executedQty": short(row.executed),
            "cummulativeQuoteQty": short(row.executed_quote),
            "status": order_status(row),
            "timeInForce": None,
            "type": order_type(row),
            "side": row.side,
            "stopPrice": short(row.stop_price) if row.stop_price else None,
            "icebergQty": None,
            "time": row.placed_at,
            "updateTime": row.updated_at if row.updated_at > row.placed_at else None,
            "isWorking": True,
            "origQuoteOrderQty": short(amounts.product(price, row.quantity)),
        }
    )


def deposit(row: Transfer) -> bytes:
    """No id; the coin names its network too."""
    return encode(
        {
            "amount": short(row.amount),
            "coin": f"{row.asset}-{row.network}",
            "network": row.network,
            "status": _DEPOSITED if row.status == DEPOSIT_SUCCESS else _DEPOSIT_WAITS,
            "address": row.address,
            "txId": f"{row.tx_id}:0",
            "insertTime": row.applied_at,
            "unlockConfirm": "10",
            "confirmTimes": "12",
            "memo": None,
            "transHash": row.tx_id,
            "updateTime": row.completed_at,
            "netWork": row.network,
        }
    )


def withdrawal(row: Transfer) -> bytes:
    """The amount is what left the account, fee included."""
    return encode(
        {
            "id": row.transfer_id,
            "txId": None,
            "coin": row.asset,
            "network": row.network,
            "address": row.address,
            "amount": short(row.amount + row.fee),
            "transferType": 0,
            "status": _WITHDRAWN if row.status == WITHDRAWAL_COMPLETED else _WITHDRAWAL_FAILED,
            "transactionFee": short(row.fee),
            "confirmNo": None,
            "applyTime": row.applied_at,
            "remark": "",
            "memo": None,
            "withdrawOrderId": None,
            "transHash": row.tx_id,
            "updateTime": row.completed_at,
            "netWork": row.network,
        }
    )


def move(row: WalletTransfer) -> Json:
    """Between spot and contracts; the ledger of contracts tells the same id."""
    ends = [row.from_wallet.upper(), row.to_wallet.upper()]
    return {
        "tranId": f"{row.transfer_id:032x}",
        "clientTranId": None,
        "asset": row.asset,
        "amount": short(row.amount),
        "fromAccountType": ends[0],
        "toAccountType": ends[1],
        "symbol": None,
        "status": "SUCCESS",
        "timestamp": row.moved_at,
    }


def sweep(rows: list[Conversion]) -> Json:
    """Coins turned into MX at once."""
    return {
        "totalConvert": short(sum(row.to_amount for row in rows)),
        "totalFee": short(sum(row.fee for row in rows)),
        "convertTime": rows[0].happened_at,
        "convertDetails": [
            {
                "id": dust_id(row),
                "convert": short(row.to_amount),
                "fee": short(row.fee),
                "amount": short(row.from_amount),
                "time": row.happened_at,
                "asset": row.from_asset,
            }
            for row in rows
        ],
    }


def dust_id(row: Conversion) -> str:
    return hashlib.md5(f"{row.conversion_id}{row.from_asset}".encode(), usedforsecurity=False).hexdigest()


def account(row: Account, assets: tuple[str, ...]) -> Json:
    return {
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": None,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": short(row.free[asset]), "locked": short(row.locked[asset])}
            for asset in assets
            if row.free[asset] or row.locked[asset]
        ],
        "permissions": ["SPOT"],
    }


def api_key(row: Account, created_at: int) -> Json:
    made: datetime = clock.from_ms(created_at)
    permissions = (*_READS, *(["SPOT_WITHDRAW_WRITE"] if row.can_withdraw else []))
    return {
        "note": row.label,
        "accessKey": row.api_key,
        "createTime": f"{made:%Y-%m-%dT%H:%M:%S}.000+00:00",
        "permissions": ",".join(permissions),
        "remainingValidity": 82,
        "ipWhiteList": "",
        "status": "VALID",
    }


def envelope(data: Json, server_ms: int) -> Json:
    """The few newer endpoints wrap what they say."""
    return {"data": data, "code": 0, "msg": "success", "timestamp": server_ms}


def symbol(row: Symbol, *, maker: str, taker: str) -> Json:
    places = _places(row.tick)
    return {
        "symbol": row.name,
        "status": "1",
        "baseAsset": row.base,
        "baseAssetPrecision": _places(row.step),
        "quoteAsset": row.quote,
        "quotePrecision": places,
        "quoteAssetPrecision": places,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": short(row.min_notional),
        "baseSizePrecision": short(row.step),
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": "2000000",
        "makerCommission": maker,
        "takerCommission": taker,
        "quoteAmountPrecisionMarket": short(row.min_notional),
        "maxQuoteAmountMarket": "100000",
        "fullName": row.base,
        "tradeSideType": 1,
    }


def kline(opened_at: int, length_ms: int, candle: Candle) -> bytes:
    fields = [short(value) for value in candle]
    return encode([opened_at, *fields, opened_at + length_ms, short(quote_volume(candle))])


def coin(asset: str) -> Json:
    return {"coin": asset, "Name": asset, "networkList": []}


def short(amount: int) -> str:
    text = amounts.text(amount)
    return text.rstrip("0").rstrip(".")


def _number(account: Account, symbol_name: str) -> str:
    """Ids of the world are unique per symbol only; MEXC's are unique everywhere."""
    return f"{account.uid}{list(listed(EXCHANGE)).index(symbol_name):02d}"


def _order_of(account: Account, row: Fill) -> Order:
    orders = account.orders[row.symbol]
    return orders[bisect.bisect_left(orders, row.order_id, key=attrgetter("order_id"))]


def _places(step: int) -> int:
    return len(short(step).partition(".")[2])
