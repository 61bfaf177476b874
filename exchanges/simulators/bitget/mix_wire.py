"""Rows of classic futures accounts as Bitget writes them."""

from typing import Any, Final

from exchanges.simulators import amounts
from exchanges.simulators.bitget import names
from exchanges.simulators.bitget.wire import encode, places, short
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import BOTH, ConditionalOrder, ContractFill, ContractOrder, Position
from exchanges.simulators.contracts import RATE, ContractMarket, Listing

_FORCES: Final = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok", "GTX": "post_only"}
_STATUSES: Final = {"NEW": "live", "PARTIALLY_FILLED": "partially_filled", "FILLED": "filled"}
_PLAN_STATUSES: Final = {"NEW": "live", "TRIGGERED": "executed"}


def mode(margin: MarginAccount) -> str:
    return "hedge_mode" if margin.is_hedged else "one_way_mode"


def fill(row: ContractFill, margin: MarginAccount) -> bytes:
    """A row of fills; kept on the fill, as pages are served many times."""
    if not row.wire:
        row.wire = encode(
            {
                "tradeId": str(row.fill_id),
                "symbol": names.contract(row.contract),
                "orderId": str(row.order_id),
                "price": short(row.price),
                "baseVolume": short(row.quantity),
                "feeDetail": [
                    {
                        "deduction": "no",
                        "feeCoin": row.fee_asset,
                        "totalDeductionFee": "0",
                        "totalFee": short(-row.fee),
                    }
                ],
                "side": side(row.is_buyer, row.position_side),
                "quoteVolume": short(row.value),
                "profit": short(row.realized_pnl),
                "enterPointSource": "api",
                "tradeSide": trade_side(row.is_buyer, row.position_side, is_liquidation=row.is_liquidation),
                "posMode": mode(margin),
                "tradeScope": "maker" if row.is_maker else "taker",
                "cTime": str(row.executed_at),
            }
        )
    return row.wire


def order(row: ContractOrder, margin: MarginAccount) -> dict[str, Any]:
    """A row of orders-pending and orders-history."""
    is_market = row.type == "MARKET"
    buys = row.side == "BUY"
    average = amounts.quotient(row.executed_value, row.executed) if row.executed else 0
    return {
        "symbol": names.contract(row.contract),
        "size": short(row.quantity),
        "orderId": str(row.order_id),
        "clientOid": row.client_order_id,
        "baseVolume": short(row.executed),
        "fee": "",
        "price": "" if is_market else short(row.price),
        "priceAvg": short(average) if row.executed else "",
        "status": _STATUSES.get(row.status, "canceled"),
        "side": side(buys, row.position_side),
        "force": _FORCES[row.time_in_force],
        "totalProfits": short(row.realized_pnl),
        "posSide": "net" if row.position_side == BOTH else row.position_side.lower(),
        "marginCoin": names.settle(row.contract),
        "quoteVolume": short(row.executed_value),
        "leverage": str(row.leverage),
        "marginMode": "isolated" if row.is_isolated else "crossed",
        "enterPointSource": "API",
        "tradeSide": trade_side(buys, row.position_side, is_liquidation=row.is_liquidation),
        "posMode": mode(margin),
        "orderType": "market" if is_market else "limit",
        "orderSource": "liquidation" if row.is_liquidation else "normal",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        "reduceOnly": "YES" if row.reduce_only else "NO",
        "cTime": str(row.placed_at),
        "uTime": str(row.updated_at),
    }


def plan(row: ConditionalOrder, margin: MarginAccount) -> dict[str, Any]:
    """A row of orders-plan-pending and orders-plan-history."""
    trigger = short(row.trigger_price)
    is_stop, buys = row.type == "STOP_MARKET", row.side == "BUY"
    kinds = ("pos_loss", "pos_profit") if not row.quantity else ("loss_plan", "profit_plan")
    return {
        "planType": kinds[0] if is_stop else kinds[1],
        "symbol": names.contract(row.contract),
        "size": short(row.quantity),
        "orderId": str(row.order_id),
        "executeOrderId": str(row.actual_order_id or ""),
        "clientOid": row.client_order_id,
        "price": "0",
        "executePrice": "0",
        "callbackRatio": "",
        "triggerPrice": trigger,
        "triggerType": "mark_price",
        "planStatus": _PLAN_STATUSES.get(row.status, "cancelled"),
        "side": side(buys, row.position_side),
        "posSide": "net" if row.position_side == BOTH else row.position_side.lower(),
        "marginCoin": names.settle(row.contract),
        "marginMode": "",
        "enterPointSource": "API",
        "tradeSide": trade_side(buys, row.position_side),
        "posMode": mode(margin),
        "orderType": "market",
        "reduceOnly": "YES" if row.reduce_only else "NO",
        "stopSurplusTriggerPrice": None if is_stop else trigger,
        "stopLossTriggerPrice": trigger if is_stop else None,
        "cTime": str(row.placed_at),
        "uTime": str(row.updated_at),
    }


def side(buys: bool, position_side: str) -> str:
    """In hedge mode the position's: a long one is bought, whether it is opened or closed."""
    if position_side == BOTH:
        return "buy" if buys else "sell"
    return "buy" if position_side == "LONG" else "sell"


def trade_side(buys: bool, position_side: str, *, is_liquidation: bool = False) -> str:
    if position_side == BOTH:
        return (
            ("burst_" if is_liquidation else "")
            + ("buy" if buys else "sell")
            + ("" if is_liquidation else "_single")
        )
    opens = buys is (position_side == "LONG")
    if is_liquidation:
        return f"burst_close_{position_side.lower()}"
    return "open" if opens else "close"


def position(row: Position, margin: MarginAccount, at: int) -> dict[str, Any]:
    mark = margin.market.mark(row.listing, at)
    return {
        "marginCoin": row.listing.settle,
        "symbol": names.contract(row.listing.name),
        "holdSide": "long" if row.quantity > 0 else "short",
        "openDelegateSize": "0",
        "marginSize": short(row.initial_margin),
        "available": short(abs(row.quantity)),
        "locked": "0",
        "total": short(abs(row.quantity)),
        "leverage": str(row.leverage),
        "achievedProfits": "0",
        "openPriceAvg": short(round(row.entry_price)),
        "marginMode": "isolated" if row.is_isolated else "crossed",
        "posMode": mode(margin),
        "unrealizedPL": short(row.unrealized(mark)),
        "liquidationPrice": short(margin.liquidation_price(row)),
        "keepMarginRate": short(row.listing.maintenance * amounts.ONE // RATE),
        "markPrice": short(mark),
        "breakEvenPrice": short(round(row.entry_price)),
        "totalFee": "",
        "deductedFee": "0",
        "marginRatio": "0.1",
        "cTime": str(row.opened_at),
        "uTime": str(row.updated_at),
    }


def account(margin: MarginAccount | None, coin: str, at: int) -> dict[str, Any]:
    wallet = margin.wallet[coin] if margin else 0
    unrealized = margin.unrealized(coin, at) if margin else 0
    available = margin.available(coin, at) if margin else 0
    return {
        "marginCoin": coin,
        "locked": "0",
        "available": short(available),
        "crossedMaxAvailable": short(available),
        "isolatedMaxAvailable": short(available),
        "maxTransferOut": short(available),
        "accountEquity": short(wallet + unrealized),
        "usdtEquity": short(wallet + unrealized),
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "crossedMarginLeverage": "20",
        "isolatedLongLever": "20",
        "isolatedShortLever": "20",
        "marginMode": "crossed",
        "posMode": mode(margin) if margin else "one_way_mode",
        "unrealizedPL": short(unrealized),
        "coupon": "0",
        "assetMode": "single",
    }


def contract(row: Listing, taker_fee: int, maker_fee: int) -> dict[str, Any]:
    maker = maker_fee if row.maker_fee is None else row.maker_fee
    return {
        "symbol": names.contract(row.name),
        "baseCoin": row.base,
        "quoteCoin": row.quote,
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "feeRateUpRatio": "0.005",
        "makerFeeRate": short(maker * amounts.ONE // RATE),
        "takerFeeRate": short(taker_fee * amounts.ONE // RATE),
        "openCostUpRatio": "0.01",
        "supportMarginCoins": [row.settle],
        "minTradeNum": short(row.step),
        "priceEndStep": "1",
        "volumePlace": str(places(row.step)),
        "pricePlace": str(places(row.tick)),
        "sizeMultiplier": short(row.step),
        "symbolType": "perpetual",
        "minTradeUSDT": short(row.min_notional),
        "maxSymbolOrderNum": "200",
        "maxProductOrderNum": "1000",
        "maxPositionNum": "150",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": str(row.most_leverage),
        "posLimit": "0.05",
        "maintainTime": "",
    }


def ticker(market: ContractMarket, row: Listing, at: int) -> dict[str, Any]:
    last, mark = market.price(row, at), market.mark(row, at)
    return {
        "symbol": names.contract(row.name),
        "lastPr": short(last),
        "askPr": short(last + row.tick),
        "bidPr": short(last - row.tick),
        "bidSz": short(row.step),
        "askSz": short(row.step),
        "high24h": short(last),
        "low24h": short(last),
        "ts": str(at),
        "change24h": "0",
        "baseVolume": "0",
        "quoteVolume": "0",
        "usdtVolume": "0",
        "openUtc": short(last),
        "changeUtc24h": "0",
        "indexPrice": short(last),
        "fundingRate": "0.0001",
        "holdingAmount": "0",
        "deliveryStartTime": None,
        "deliveryTime": None,
        "deliveryStatus": "",
        "open24h": short(last),
        "markPrice": short(mark),
    }
