"""Rows of USD-M futures as Binance writes them."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE, text
from exchanges.simulators.binance_like import encode, flag
from exchanges.simulators.candles import Candle
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import (
    BOTH,
    LONG,
    SHORT,
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    Position,
)
from exchanges.simulators.contracts import FUNDING_MS, RATE, ContractMarket, Listing

_ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"]
_NOTHING = "0.00000000"


def short(amount: int) -> str:
    """Without trailing zeros, as quantities and prices of contracts are written."""
    return text(amount).rstrip("0").rstrip(".")


def fill(row: ContractFill) -> bytes:
    """A row of userTrades; kept on the fill. A commission above zero is a cost."""
    if not row.wire:
        row.wire = (
            f'{{"symbol":"{row.contract}","id":{row.fill_id},"orderId":{row.order_id},'
            f'"side":"{"BUY" if row.is_buyer else "SELL"}","price":"{short(row.price)}",'
            f'"qty":"{short(row.quantity)}","realizedPnl":"{text(row.realized_pnl)}",'
            f'"quoteQty":"{short(row.value)}","commission":"{text(row.fee)}",'
            f'"commissionAsset":"{row.fee_asset}","time":{row.executed_at},'
            f'"positionSide":"{row.position_side}","buyer":{flag(row.is_buyer)},'
            f'"maker":{flag(row.is_maker)}}}'
        ).encode()
    return row.wire


def order(row: ContractOrder) -> bytes:
    average = amounts.quotient(row.executed_value, row.executed) if row.executed else 0
    return encode(
        {
            "avgPrice": short(average) if average else "0.00",
            "clientOrderId": row.client_order_id,
            "cumQuote": short(row.executed_value),
            "executedQty": short(row.executed),
            "orderId": row.order_id,
            "origQty": short(row.quantity),
            "origType": row.type,
            "price": short(row.price),
            "reduceOnly": row.reduce_only,
            "side": row.side,
            "positionSide": row.position_side,
            "status": row.status,
            "stopPrice": "0",
            "closePosition": False,
            "symbol": row.contract,
            "time": row.placed_at,
            "timeInForce": row.time_in_force,
            "type": row.type,
            "updateTime": row.updated_at,
            "workingType": "CONTRACT_PRICE",
            "priceProtect": False,
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": 0,
        }
    )


def conditional(row: ConditionalOrder, actual: ContractOrder | None) -> bytes:
    """One that closes a whole position names no quantity; `actual` is the order it placed."""
    is_done = actual is not None and not actual.is_open
    average = amounts.quotient(actual.executed_value, actual.executed) if actual and actual.executed else 0
    return encode(
        {
            "algoId": row.order_id,
            "clientAlgoId": row.client_order_id,
            "algoType": "CONDITIONAL",
            "orderType": row.type,
            "symbol": row.contract,
            "side": row.side,
            "positionSide": row.position_side,
            "timeInForce": "GTC",
            "quantity": short(row.quantity),
            "algoStatus": "FINISHED" if is_done else row.status,
            "actualOrderId": str(row.actual_order_id) if row.actual_order_id else "",
            "actualPrice": short(average),
            "actualQty": short(actual.executed) if actual else "0",
            "actualType": "MARKET" if actual else "",
            "triggerPrice": short(row.trigger_price),
            "price": "0.00",
            "icebergQuantity": None,
            "tpTriggerPrice": "0.000",
            "tpPrice": "0.000",
            "slTriggerPrice": "0.000",
            "slPrice": "0.000",
            "tpOrderType": "",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": "MARK_PRICE",
            "priceMatch": "NONE",
            "closePosition": not row.quantity,
            "priceProtect": False,
            "reduceOnly": row.reduce_only,
            "createTime": row.placed_at,
            "updateTime": row.updated_at,
            "triggerTime": row.triggered_at,
            "goodTillDate": 0,
        }
    )


def position(margin: MarginAccount, row: Position, at: int, *, version: int) -> dict[str, Any]:
    """A row of positionRisk. Version 3 tells only what is held, and neither leverage nor margin mode."""
    mark = margin.market.mark(row.listing, at)
    notional = row.listing.value(row.quantity, mark)
    isolated = text(row.initial_margin) if row.is_isolated else _NOTHING
    told: dict[str, Any] = {
        "symbol": row.listing.name,
        "positionSide": row.side,
        "positionAmt": short(row.quantity),
        "entryPrice": _fraction(row.entry_price),
        "breakEvenPrice": _fraction(row.entry_price),
        "markPrice": text(mark),
        "unRealizedProfit": text(row.unrealized(mark)),
        "liquidationPrice": short(margin.liquidation_price(row)) if row.quantity else "0",
        "isolatedMargin": isolated,
        "notional": text(notional),
        "isolatedWallet": isolated,
        "updateTime": row.updated_at,
    }
    if version == 2:
        return told | {
            "leverage": str(row.leverage),
            "maxNotionalValue": "100000000",
            "marginType": "isolated" if row.is_isolated else "cross",
            "isAutoAddMargin": "false",
        }
    initial = text(row.initial_margin)
    return told | {
        "marginAsset": row.listing.settle,
        "initialMargin": initial,
        "maintMargin": text(abs(notional) * row.listing.maintenance // RATE),
        "positionInitialMargin": initial,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
    }


def empty_positions(margin: MarginAccount, listing: Listing) -> Iterable[Position]:
    """What version 2 tells of a contract that is not held."""
    sides = (LONG, SHORT) if margin.is_hedged else (BOTH,)
    return [margin.position(listing, side) for side in sides]


def balance(margin: MarginAccount, asset: str, at: int) -> dict[str, Any]:
    return {
        "accountAlias": f"S{margin.owner.uid % 10**6}",
        "asset": asset,
        "balance": text(margin.wallet[asset]),
        "crossWalletBalance": text(margin.cross_balance(asset)),
        "crossUnPnl": text(margin.unrealized(asset, at)),
        "availableBalance": text(margin.available(asset, at)),
        "maxWithdrawAmount": text(margin.available(asset, at)),
        "marginAvailable": True,
        "updateTime": margin.updated_at,
    }


def asset(margin: MarginAccount, name: str, at: int) -> dict[str, Any]:
    """A row of account's assets."""
    wallet, unrealized = margin.wallet[name], margin.unrealized(name, at)
    available = margin.available(name, at)
    held = [row for row in margin.held() if row.listing.settle == name]
    initial = sum(row.initial_margin for row in held)
    return {
        "asset": name,
        "walletBalance": text(wallet),
        "unrealizedProfit": text(unrealized),
        "marginBalance": text(wallet + unrealized),
        "maintMargin": text(sum(int(row.cost) * row.listing.maintenance // RATE for row in held)),
        "initialMargin": text(initial),
        "positionInitialMargin": text(initial),
        "openOrderInitialMargin": _NOTHING,
        "crossWalletBalance": text(margin.cross_balance(name)),
        "crossUnPnl": text(unrealized),
        "availableBalance": text(available),
        "maxWithdrawAmount": text(available),
        "updateTime": margin.updated_at,
    }


def account(margin: MarginAccount, assets: Iterable[str], positions: list[Any], at: int) -> dict[str, Any]:
    rows = [asset(margin, name, at) for name in assets]
    dollars = [row for row in rows if row["asset"] == "USDT"]

    def total(key: str) -> str:
        return str(dollars[0][key]) if dollars else _NOTHING

    return {
        "totalInitialMargin": total("initialMargin"),
        "totalMaintMargin": total("maintMargin"),
        "totalWalletBalance": total("walletBalance"),
        "totalUnrealizedProfit": total("unrealizedProfit"),
        "totalMarginBalance": total("marginBalance"),
        "totalPositionInitialMargin": total("positionInitialMargin"),
        "totalOpenOrderInitialMargin": total("openOrderInitialMargin"),
        "totalCrossWalletBalance": total("crossWalletBalance"),
        "totalCrossUnPnl": total("crossUnPnl"),
        "availableBalance": total("availableBalance"),
        "maxWithdrawAmount": total("maxWithdrawAmount"),
        "assets": rows,
        "positions": positions,
    }


def account_position(margin: MarginAccount, row: Position, at: int) -> dict[str, Any]:
    told = position(margin, row, at, version=3)
    return {
        "symbol": told["symbol"],
        "positionSide": told["positionSide"],
        "positionAmt": told["positionAmt"],
        "unrealizedProfit": told["unRealizedProfit"],
        "isolatedMargin": told["isolatedMargin"],
        "notional": told["notional"],
        "isolatedWallet": told["isolatedWallet"],
        "initialMargin": told["initialMargin"],
        "maintMargin": told["maintMargin"],
        "updateTime": told["updateTime"],
    }


def symbol(row: Listing, onboard_ms: int) -> dict[str, Any]:
    lot = {"minQty": short(row.step), "maxQty": "1000000", "stepSize": short(row.step)}
    return {
        "symbol": row.name,
        "pair": row.name,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": onboard_ms,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": row.base,
        "quoteAsset": row.quote,
        "marginAsset": row.settle,
        "pricePrecision": _places(row.tick),
        "quantityPrecision": _places(row.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "maxPrice": "1000000",
                "minPrice": short(row.tick),
                "tickSize": short(row.tick),
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
            {"filterType": "MIN_NOTIONAL", "notional": short(row.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.1500",
                "multiplierDown": "0.8500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": _ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
    }


def premium(market: ContractMarket, row: Listing, at: int) -> dict[str, Any]:
    mark = market.mark(row, at)
    next_funding = (at // FUNDING_MS + 1) * FUNDING_MS
    return {
        "symbol": row.name,
        "markPrice": text(mark),
        "indexPrice": text(market.price(row, at)),
        "estimatedSettlePrice": text(mark),
        "lastFundingRate": text(market.funding_rate(row, at // FUNDING_MS * FUNDING_MS)[0]),
        "nextFundingTime": next_funding,
        "interestRate": "0.00010000",
        "time": at,
    }


def kline(opened_at: int, length_ms: int, candle: Candle, quote: int) -> bytes:
    fields = [short(value) for value in candle]
    count = 1 + candle.volume // ONE
    sums = [short(quote), count, short(candle.volume // 2), short(quote // 2)]
    return encode([opened_at, *fields, opened_at + length_ms - 1, *sums, "0"])


def rate_limits(weight: int) -> list[dict[str, Any]]:
    return [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
    ]


def _places(step: int) -> int:
    return len(short(step).partition(".")[2])


def _fraction(value: Fraction) -> str:
    """An entry price: an average with as many decimals as Binance shows at most."""
    return f"{Decimal(round(value)).scaleb(-amounts.PLACES):f}" if value else "0.0"
