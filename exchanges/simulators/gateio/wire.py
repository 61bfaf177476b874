"""Rows as Gate.io writes them."""

import json
from typing import Any

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.candles import Candle
from exchanges.simulators.facts import Fill, Order, Transfer
from exchanges.simulators.gateio import names
from exchanges.simulators.klines import quote_volume
from exchanges.simulators.symbols import Symbol

_LIFE_S = 30 * 86_400  # how long a price-triggered order waits
_FORCES = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok"}
_DONE, _CANCELLED = "DONE", "CANCEL"


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def page(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


def fill(row: Fill, coin: str) -> bytes:
    """A row of my_trades; kept on the fill, as pages are served many times."""
    if not row.wire:
        symbol = names.find(names.pair(row.symbol))
        in_coin = row.fee_asset == coin and coin not in (symbol.base, symbol.quote)
        row.wire = encode(
            {
                "id": str(row.fill_id),
                "create_time": str(row.executed_at // 1000),
                "create_time_ms": f"{row.executed_at}.000000",
                "currency_pair": names.pair(row.symbol),
                "side": "buy" if row.is_buyer else "sell",
                "role": "maker" if row.is_maker else "taker",
                "amount": short(row.quantity),
                "price": short(row.price),
                "order_id": str(names.order_id(row.symbol, row.order_id)),
                "fee": "0" if in_coin else short(row.fee),
                "fee_currency": (symbol.base if row.is_buyer else symbol.quote) if in_coin else row.fee_asset,
                "point_fee": "0",
                "gt_fee": short(row.fee) if in_coin else "0",
                "amend_text": "-",
                "sequence_id": str(row.fill_id),
                "text": "",
            }
        )
    return row.wire


def order(row: Order, fills: list[Fill]) -> dict[str, Any]:
    """A row of orders and open_orders. A trigger that fired is a limit order from that moment on."""
    placed_at = row.updated_at if names.is_trigger(row) else row.placed_at
    is_market = row.type == "MARKET"
    by_worth = is_market and row.side == "BUY"
    symbol = names.find(names.pair(row.symbol))
    left = 0 if by_worth else row.remaining
    average = amounts.quotient(row.executed_quote, row.executed) if row.executed else 0
    return {
        "id": str(names.order_id(row.symbol, row.order_id)),
        "text": names.text(row),
        "amend_text": "-",
        "create_time": str(placed_at // 1000),
        "update_time": str(row.updated_at // 1000),
        "create_time_ms": placed_at,
        "update_time_ms": row.updated_at,
        "status": _status(row),
        "currency_pair": names.pair(row.symbol),
        "type": "market" if is_market else "limit",
        "account": "spot",
        "side": row.side.lower(),
        "amount": short(row.executed_quote if by_worth else row.quantity),
        "price": short(row.price),
        "time_in_force": _force(row),
        "iceberg": "0",
        "left": short(left),
        "filled_amount": short(row.executed),
        "fill_price": short(row.executed_quote),
        "filled_total": short(row.executed_quote),
        "avg_deal_price": short(average),
        **_fees(row, symbol, fills),
        "gt_maker_fee": "0",
        "gt_taker_fee": "0",
        "rebated_fee": "0",
        "rebated_fee_currency": symbol.quote if row.side == "BUY" else symbol.base,
        "finish_as": finish_as(row),
    }


def trigger(row: Order, uid: int) -> dict[str, Any]:
    """A row of price_orders."""
    fired = row.executed > 0
    return {
        "trigger": {
            "price": short(row.stop_price),
            "rule": "<=" if row.side == "SELL" else ">=",
            "expiration": _LIFE_S,
        },
        "put": {
            "type": "limit",
            "side": row.side.lower(),
            "price": short(row.price),
            "amount": short(row.quantity),
            "account": "normal",
            "time_in_force": "gtc",
            "text": names.text(row),
        },
        "id": names.trigger_id(row),
        "user": uid,
        "market": names.pair(row.symbol),
        "ctime": row.placed_at // 1000,
        "ftime": 0 if row.is_open and not fired else row.updated_at // 1000,
        "fired_order_id": names.order_id(row.symbol, row.order_id) if fired else 0,
        "status": trigger_status(row),
        "reason": "",
    }


def trigger_status(row: Order) -> str:
    if row.executed:
        return "finish"
    if row.is_open:
        return "open"
    return "expired" if row.status == "EXPIRED" else "cancelled"


def deposit(row: Transfer) -> bytes:
    return encode(_transfer(row, "d") | {"amount": short(row.amount)})


def withdrawal(row: Transfer) -> bytes:
    """The amount is what leaves the account: the fee is part of it."""
    told = {"amount": short(row.amount + row.fee), "fee": short(row.fee)}
    final = {"block_number": "41575382" if row.moves_balance else "", "fail_reason": ""}
    return encode(_transfer(row, "w") | told | final)


def transfer_id(row: Transfer, letter: str) -> str:
    """`d…` or `w…` and a number."""
    return letter + str(int(row.tx_id[:12], 16) if row.tx_id.isalnum() else 0)


def accounts(row: Account, assets: tuple[str, ...]) -> list[dict[str, Any]]:
    """Assets that were ever there."""
    return [
        {
            "currency": asset,
            "available": short(row.free[asset]),
            "locked": short(row.locked[asset]),
            "update_id": number,
        }
        for number, asset in enumerate(assets, start=1)
        if asset in row.free
    ]


def pair(name: str, row: Symbol, fee: int) -> dict[str, Any]:
    return {
        "id": name,
        "base": row.base,
        "base_name": row.base,
        "quote": row.quote,
        "quote_name": row.quote,
        "fee": short(fee * amounts.ONE // 1_000),  # in percent
        "min_base_amount": short(row.step),
        "min_quote_amount": short(row.min_notional),
        "max_quote_amount": "5000000",
        "amount_precision": _places(row.step),
        "precision": _places(row.tick),
        "trade_status": "tradable",
        "sell_start": 0,
        "buy_start": 0,
        "type": "normal",
    }


def candlestick(opened_at: int, candle: Candle, *, is_closed: bool) -> bytes:
    fields = (quote_volume(candle), candle.close, candle.high, candle.low, candle.open, candle.volume)
    texts = [short(value) for value in fields]
    return encode([str(opened_at // 1000), *texts, "true" if is_closed else "false"])


def short(amount: int) -> str:
    """Without trailing zeros."""
    return amounts.text(amount).rstrip("0").rstrip(".")


def finish_as(row: Order) -> str:
    if row.is_open:
        return "open"
    if row.status == "FILLED":
        return "filled"
    return "ioc" if row.time_in_force == "IOC" else "cancelled"


def _status(row: Order) -> str:
    if row.is_open:
        return "open"
    return "closed" if row.status == "FILLED" else "cancelled"


def _force(row: Order) -> str:
    """Market orders fill at once or not at all."""
    if row.type == "LIMIT_MAKER":
        return "poc"
    return "ioc" if row.type == "MARKET" else _FORCES[row.time_in_force]


def _fees(row: Order, symbol: Symbol, fills: list[Fill]) -> dict[str, Any]:
    received = symbol.base if row.side == "BUY" else symbol.quote
    own = sum(fill.fee for fill in fills if fill.fee_asset == received)
    return {
        "fee": short(own),
        "fee_currency": received,
        "point_fee": "0",
        "gt_fee": short(sum(fill.fee for fill in fills) - own),
        "gt_discount": any(fill.fee_asset != received for fill in fills),
    }


def _transfer(row: Transfer, letter: str) -> dict[str, Any]:
    return {
        "id": transfer_id(row, letter),
        "timestamp": str(row.applied_at // 1000),
        "withdraw_order_id": "",
        "currency": row.asset,
        "address": row.address,
        "txid": row.tx_id,
        "memo": "",
        "status": _DONE if row.moves_balance else _CANCELLED,
        "chain": row.network,
    }


def _places(step: int) -> int:
    """How many decimals a step of the filters has."""
    return len(short(step).partition(".")[2])
