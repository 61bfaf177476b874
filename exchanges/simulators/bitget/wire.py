"""Rows of classic spot accounts as Bitget writes them."""

import bisect
import json
from operator import attrgetter
from typing import Any

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.bitget import names
from exchanges.simulators.candles import Candle
from exchanges.simulators.facts import Fill, Order, Transfer
from exchanges.simulators.klines import quote_volume
from exchanges.simulators.symbols import Symbol

_FORCES = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok"}


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def page(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


def fill(row: Fill, account: Account) -> bytes:
    """A row of fills; kept on the fill, as pages are served many times."""
    if not row.wire:
        in_coin = is_in_coin(row, account)
        fee = f"-{short(row.fee)}" if row.fee else "0"
        row.wire = encode(
            {
                "userId": str(account.uid),
                "symbol": row.symbol,
                "orderId": str(names.order_id(order_of(row, account))),
                "tradeId": str(names.fill_id(row)),
                "orderType": "limit" if row.is_maker else "market",
                "side": "buy" if row.is_buyer else "sell",
                "priceAvg": short(row.price),
                "size": short(row.quantity),
                "amount": short(row.quote_quantity),
                "feeDetail": {
                    "deduction": "yes" if in_coin else "no",
                    "feeCoin": row.fee_asset,
                    "totalDeductionFee": fee if in_coin else "",
                    "totalFee": fee,
                },
                "tradeScope": "maker" if row.is_maker else "taker",
                "cTime": str(row.executed_at),
                "uTime": str(row.executed_at),
            }
        )
    return row.wire


def order_of(row: Fill, account: Account) -> Order:
    rows = account.orders[row.symbol]
    return rows[bisect.bisect_left(rows, row.order_id, key=attrgetter("order_id"))]


def is_in_coin(row: Fill, account: Account) -> bool:
    symbol = names.find(row.symbol)
    return row.fee_asset == account.house.coin and account.house.coin not in (symbol.base, symbol.quote)


def order(row: Order, placed_at: int, uid: int) -> dict[str, Any]:
    """A row of history-orders and orderInfo. A trigger that fired is a limit order from that moment on."""
    is_market = row.type == "MARKET"
    by_worth = is_market and row.side == "BUY"
    average = amounts.quotient(row.executed_quote, row.executed) if row.executed else 0
    return {
        "userId": str(uid),
        "symbol": row.symbol,
        "orderId": str(names.order_id(row)),
        "clientOid": row.client_order_id,
        "price": "0" if is_market else short(row.price),
        "size": short(row.executed_quote if by_worth else row.quantity),
        "orderType": "market" if is_market else "limit",
        "side": row.side.lower(),
        "status": status(row),
        "priceAvg": short(average),
        "baseVolume": short(row.executed),
        "quoteVolume": short(row.executed_quote),
        "enterPointSource": "API" if row.client_order_id.startswith("cgt-") else "WEB",
        "feeDetail": "",
        "orderSource": "market" if is_market else "normal",
        "force": "post_only" if row.type == "LIMIT_MAKER" else _FORCES[row.time_in_force],
        "tpslType": "normal",
        "triggerPrice": None,
        "cTime": str(placed_at),
        "uTime": str(row.updated_at),
    }


def open_order(row: Order, placed_at: int, uid: int) -> dict[str, Any]:
    """A row of unfilled-orders: the limit is `priceAvg`, what was paid `basePrice`."""
    told = order(row, placed_at, uid)
    paid = told.pop("priceAvg")
    return told | {"priceAvg": told.pop("price"), "basePrice": paid}


def plan(row: Order) -> dict[str, Any]:
    """A row of current-plan-order and history-plan-order."""
    return {
        "orderId": str(names.plan_id(row)),
        "clientOid": row.client_order_id,
        "symbol": row.symbol,
        "size": short(row.quantity),
        "executePrice": short(row.price),
        "triggerPrice": short(row.stop_price),
        "status": plan_status(row),
        "orderType": "limit",
        "side": row.side.lower(),
        "planType": "amount",
        "triggerType": "fill_price",
        "enterPointSource": "API",
        "cTime": str(row.placed_at),
        "uTime": str(row.placed_at if plan_status(row) == "not_trigger" else row.updated_at),
    }


def plan_status(row: Order) -> str:
    if row.executed:
        return "executed"
    return "not_trigger" if row.is_open else "cancelled"


def status(row: Order) -> str:
    if row.is_open:
        return "partially_filled" if row.executed else "live"
    return "filled" if row.status == "FILLED" else "cancelled"


def deposit(row: Transfer) -> dict[str, Any]:
    return _transfer(row) | {"type": "deposit", "size": short(row.amount), "fromAddress": row.address}


def withdrawal(row: Transfer) -> dict[str, Any]:
    told = {"type": "withdraw", "size": short(row.amount), "fee": f"-{short(row.fee)}"}
    more = {"toAddress": row.address, "clientOid": "", "confirm": "12", "tag": ""}
    return _transfer(row) | told | more


def asset(row: Account, name: str) -> dict[str, Any]:
    return {
        "coin": name,
        "available": short(row.free[name]),
        "frozen": short(row.locked[name]),
        "locked": "0",
        "limitAvailable": "0",
        "uTime": str(row.updated_at),
    }


def symbol(row: Symbol, fee: int) -> dict[str, Any]:
    rate = short(fee * amounts.ONE // 100_000)
    return {
        "symbol": row.name,
        "baseCoin": row.base,
        "quoteCoin": row.quote,
        "minTradeAmount": short(row.step),
        "maxTradeAmount": "10000000000",
        "takerFeeRate": rate,
        "makerFeeRate": rate,
        "pricePrecision": str(places(row.tick)),
        "quantityPrecision": str(places(row.step)),
        "quotePrecision": "8",
        "minTradeUSDT": short(row.min_notional),
        "status": "online",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "areaSymbol": "no",
        "orderQuantity": "200",
        "openTime": "1532454360000",
        "offTime": "",
    }


def candle(opened_at: int, row: Candle) -> bytes:
    fields = (row.open, row.high, row.low, row.close, row.volume, quote_volume(row), quote_volume(row))
    return encode([str(opened_at), *(short(value) for value in fields)])


def short(amount: int) -> str:
    """Without trailing zeros."""
    return amounts.text(amount).rstrip("0").rstrip(".")


def places(step: int) -> int:
    """How many decimals a step of the filters has."""
    return len(short(step).partition(".")[2])


def _transfer(row: Transfer) -> dict[str, Any]:
    return {
        "orderId": str(names.transfer_id(row)),
        "tradeId": row.tx_id,
        "coin": row.asset,
        "status": "success" if row.moves_balance else "fail",
        "toAddress": "",
        "fromAddress": "",
        "dest": "on_chain",
        "chain": row.network,
        "cTime": str(row.applied_at),
        "uTime": str(row.completed_at),
    }
