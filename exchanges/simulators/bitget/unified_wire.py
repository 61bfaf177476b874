"""Rows of unified accounts (v3) as Bitget writes them: `side` is what was traded, fees above zero are costs."""

from typing import Any

from exchanges.simulators.account import Account
from exchanges.simulators.bitget import mix_wire, names, wire
from exchanges.simulators.bitget.ledger import Bill
from exchanges.simulators.bitget.wire import short
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import (
    BOTH,
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    Position,
    WalletTransfer,
)
from exchanges.simulators.facts import Fill, Order, Transfer


def category(contract: str) -> str:
    """Of the world's contract."""
    return f"{names.settle(contract)}-FUTURES"


def fill(row: Fill, account: Account) -> dict[str, Any]:
    told = {
        "execId": str(names.fill_id(row)),
        "orderId": str(names.order_id(wire.order_of(row, account))),
        "category": "SPOT",
        "symbol": row.symbol,
        "side": "buy" if row.is_buyer else "sell",
        "tradeSide": "open",
        "execPnl": "0",
        "createdTime": str(row.executed_at),
    }
    return told | _execution(row.price, row.quantity, row.quote_quantity, is_maker=row.is_maker) | _fee(row)


def contract_fill(row: ContractFill) -> dict[str, Any]:
    told = {
        "execId": str(row.fill_id),
        "orderId": str(row.order_id),
        "category": category(row.contract),
        "symbol": names.contract(row.contract),
        "side": "buy" if row.is_buyer else "sell",
        "tradeSide": _trade_side(row),
        "execPnl": short(row.realized_pnl),
        "createdTime": str(row.executed_at),
    }
    return told | _execution(row.price, row.quantity, row.value, is_maker=row.is_maker) | _fee(row)


def order(row: Order, placed_at: int) -> dict[str, Any]:
    """A row of unfilled-orders and history-orders. A purchase at market is for a sum of the quote."""
    classic = wire.order(row, placed_at, 0)
    by_worth = row.type == "MARKET" and row.side == "BUY"
    return {
        "orderId": classic["orderId"],
        "clientOid": classic["clientOid"],
        "category": "SPOT",
        "symbol": row.symbol,
        "orderType": classic["orderType"],
        "side": classic["side"],
        "price": classic["price"],
        "qty": "0" if by_worth else short(row.quantity),
        "amount": classic["size"] if by_worth else "0",
        "cumExecQty": short(row.executed),
        "cumExecValue": short(row.executed_quote),
        "avgPrice": classic["priceAvg"],
        "timeInForce": classic["force"],
        "orderStatus": classic["status"],
        "posSide": "",
        "holdMode": "",
        "reduceOnly": "NO",
        "feeDetail": [{"feeCoin": None, "fee": None}],
        "execType": "normal",
        "createdTime": str(placed_at),
        "updatedTime": str(row.updated_at),
    }


def contract_order(row: ContractOrder, margin: MarginAccount) -> dict[str, Any]:
    classic = mix_wire.order(row, margin)
    status = "cancelled" if classic["status"] == "canceled" else classic["status"]
    is_long = row.side == "BUY" if row.position_side == BOTH else row.position_side == "LONG"
    return {
        "orderId": classic["orderId"],
        "clientOid": classic["clientOid"],
        "category": category(row.contract),
        "symbol": classic["symbol"],
        "orderType": classic["orderType"],
        "side": row.side.lower(),
        "price": classic["price"],
        "qty": classic["size"],
        "amount": "0",
        "cumExecQty": classic["baseVolume"],
        "cumExecValue": classic["quoteVolume"],
        "avgPrice": classic["priceAvg"],
        "timeInForce": classic["force"],
        "orderStatus": status,
        "posSide": "long" if is_long else "short",
        "holdMode": mix_wire.mode(margin),
        "delegateType": classic["orderSource"],
        "reduceOnly": classic["reduceOnly"],
        "marginMode": classic["marginMode"],
        "feeDetail": [{"feeCoin": None, "fee": None}],
        "execType": "liquidation" if row.is_liquidation else "normal",
        "createdTime": classic["cTime"],
        "updatedTime": classic["uTime"],
    }


def trigger(row: Order) -> dict[str, Any]:
    """A spot order that waits for a price, as a strategy of the type `trigger`."""
    classic = wire.plan(row)
    return {
        "orderId": classic["orderId"],
        "clientOid": classic["clientOid"],
        "category": "SPOT",
        "symbol": row.symbol,
        "qty": classic["size"],
        "side": classic["side"],
        "posSide": "",
        "status": _strategy_status(classic["status"]),
        "takeProfit": "",
        "stopLoss": "",
        "triggerBy": "market",
        "triggerPrice": classic["triggerPrice"],
        "triggerOrderType": "limit",
        "triggerOrderPrice": classic["executePrice"],
        "createdTime": classic["cTime"],
        "updatedTime": classic["uTime"],
    }


def stop(row: ConditionalOrder, margin: MarginAccount) -> dict[str, Any]:
    """A target or stop of a position, as a strategy of the type `tpsl`."""
    classic = mix_wire.plan(row, margin)
    is_stop = row.type == "STOP_MARKET"
    is_long = row.side == "SELL" if row.position_side == BOTH else row.position_side == "LONG"
    return {
        "orderId": classic["orderId"],
        "clientOid": classic["clientOid"],
        "category": category(row.contract),
        "symbol": classic["symbol"],
        "qty": classic["size"],
        "posSide": "long" if is_long else "short",
        "holdMode": mix_wire.mode(margin),
        "status": _strategy_status(classic["planStatus"]),
        "tpTriggerBy": "mark",
        "slTriggerBy": "mark",
        "takeProfit": "" if is_stop else classic["triggerPrice"],
        "stopLoss": classic["triggerPrice"] if is_stop else "",
        "tpOrderType": "market",
        "slOrderType": "market",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "createdTime": classic["cTime"],
        "updatedTime": classic["uTime"],
    }


def position(row: Position, margin: MarginAccount, at: int) -> dict[str, Any]:
    classic = mix_wire.position(row, margin, at)
    return {
        "category": category(row.listing.name),
        "symbol": classic["symbol"],
        "marginCoin": classic["marginCoin"],
        "holdMode": classic["posMode"],
        "posSide": classic["holdSide"],
        "marginMode": classic["marginMode"],
        "positionBalance": classic["marginSize"],
        "available": classic["available"],
        "frozen": "0",
        "total": classic["total"],
        "leverage": classic["leverage"],
        "curRealisedPnl": "0",
        "avgPrice": classic["openPriceAvg"],
        "positionStatus": "normal",
        "unrealisedPnl": classic["unrealizedPL"],
        "liquidationPrice": classic["liquidationPrice"],
        "mmr": classic["keepMarginRate"],
        "profitRate": "0",
        "markPrice": classic["markPrice"],
        "breakEvenPrice": classic["breakEvenPrice"],
        "totalFunding": "0",
        "createdTime": classic["cTime"],
        "updatedTime": classic["uTime"],
    }


def asset(account: Account, coin: str, at: int) -> dict[str, Any]:
    """Spot and contracts in one wallet."""
    margin = account.margin
    total = balance(account, coin)
    available = account.free[coin] + (margin.available(coin, at) if margin else 0)
    unrealized = margin.unrealized(coin, at) if margin else 0
    return {
        "coin": coin,
        "equity": short(total + unrealized),
        "usdValue": "0",
        "balance": short(total),
        "available": short(available),
        "debt": "0",
        "locked": short(account.locked[coin]),
    }


def balance(account: Account, coin: str) -> int:
    margin = account.margin
    return account.free[coin] + account.locked[coin] + (margin.wallet[coin] if margin else 0)


def record(row: Bill, name: str) -> dict[str, Any]:
    """A financial record; `amount` has no sign where its type tells the way."""
    return {
        "category": f"{row.coin}-FUTURES",
        "id": str(row.bill_id),
        "symbol": row.symbol,
        "coin": row.coin,
        "type": name,
        "amount": short(abs(row.amount)),
        "fee": short(row.fee),
        "balance": "0",
        "ts": str(row.at),
    }


def moved(row: WalletTransfer) -> dict[str, Any]:
    """A row of the funding wallet's ledger."""
    comes = row.to_wallet == "margin"
    return {
        "id": str(names.bill_id("transfer", row.moved_at, row.transfer_id)),
        "coin": row.asset,
        "groupType": "transfer",
        "type": "transfer_in" if comes else "transfer_out",
        "amount": short(row.amount if comes else -row.amount),
        "balance": "0",
        "ts": str(row.moved_at),
    }


def deposit(row: Transfer) -> dict[str, Any]:
    return _transfer(row) | {"type": "deposit", "fromAddress": row.address, "toAddress": ""}


def withdrawal(row: Transfer) -> dict[str, Any]:
    told = {"type": "withdraw", "fromAddress": "", "toAddress": row.address, "fee": short(row.fee)}
    return _transfer(row) | told | {"clientOid": "", "confirm": "12", "tag": ""}


def _transfer(row: Transfer) -> dict[str, Any]:
    return {
        "orderId": str(names.transfer_id(row)),
        "recordId": row.tx_id,
        "coin": row.asset,
        "dest": "on_chain",
        "size": short(row.amount),
        "status": "success" if row.moves_balance else "fail",
        "chain": row.network,
        "createdTime": str(row.applied_at),
        "updatedTime": str(row.completed_at),
    }


def _execution(price: int, quantity: int, value: int, *, is_maker: bool) -> dict[str, Any]:
    return {
        "orderType": "limit" if is_maker else "market",
        "execPrice": short(price),
        "execQty": short(quantity),
        "execValue": short(value),
        "tradeScope": "maker" if is_maker else "taker",
        "isRPI": "no",
    }


def _fee(row: Fill | ContractFill) -> dict[str, Any]:
    return {
        "feeDetail": [{"feeCoin": row.fee_asset, "fee": short(row.fee)}],
        "updatedTime": str(row.executed_at),
    }


def _trade_side(row: ContractFill) -> str:
    if row.is_liquidation:
        return "burst_close"
    return "close" if row.closed else "open"


def _strategy_status(classic: str) -> str:
    return {"not_trigger": "pending", "live": "pending", "executed": "success"}.get(classic, "cancelled")
