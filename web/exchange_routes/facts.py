"""Orders, executions and transfers in the frontend's shapes. Each read needs an open door."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from core import clock
from core.money import ZERO, text
from exchanges.rows import TransferKind
from marketdata.models import Ticker as StoredTicker
from orders import selectors
from orders.selectors import ORDER_FIELDS, ListPage
from web.exchange_routes.asking import Answer, Asked
from web.exchange_routes.shapes import (
    BitgetOrder,
    ExchangeTrade,
    FeeDetail,
    NormalizedDeposit,
    NormalizedTransfer,
    NormalizedWithdrawal,
    Order,
    SymbolOrders,
    Ticker,
)

_NUMBERED: Final = frozenset({"binance"})  # exchanges that write order ids as numbers
_NUMBER: Final = re.compile(r"(?:algo-)?([0-9]+)")  # conditional orders have a prefix of ours
_BITGET_STATUS: Final = {"NEW": "live", "PARTIALLY_FILLED": "partially_filled", "CANCELED": "cancelled"}
# Where Bitget writes what: spot, contracts of classic accounts, unified accounts.
_BITGET_PRESETS: Final = {
    "presetTakeProfitPrice": ("presetTakeProfitPrice", "presetStopSurplusPrice", "takeProfit"),
    "presetStopLossPrice": ("presetStopLossPrice", "stopLoss"),
}
_WALLETS: Final = {"spot": "MAIN", "futures": "UMFUTURE"}  # as Binance names them in transfers

Row = Mapping[str, Any]


def open_orders(asked: Asked) -> Answer:
    """The orders in the book, newest first."""
    page = _open_page(asked, ORDER_FIELDS)
    return Answer([_order(row) for row in page.rows], page.next_cursor)


def bitget_open_orders(asked: Asked) -> Answer:
    """The same, in Bitget's words; the presets stand only in what Bitget itself sent."""
    page = _open_page(asked, (*ORDER_FIELDS, "raw"))
    return Answer([_bitget_order(row) for row in page.rows], page.next_cursor)


def order_history(asked: Asked) -> Answer:
    """A page of orders in any state, newest first, put together by symbol."""
    page = selectors.orders_page(
        account_ids=asked.scope.account_ids,
        market_types=asked.market_types,
        symbol=asked.query.get("symbol"),
        **asked.span,
        **asked.page,
    )
    by_symbol: dict[str, list[Order]] = {}
    for row in page.rows:
        by_symbol.setdefault(row["symbol"], []).append(_order(row))
    return Answer([SymbolOrders(*each) for each in by_symbol.items()], page.next_cursor)


def trade_fills(asked: Asked) -> Answer:
    """A page of executions, newest first."""
    page = selectors.fills_page(
        account_ids=asked.scope.account_ids,
        market_types=asked.market_types,
        symbol=asked.query.get("symbol"),
        **asked.span,
        **asked.page,
    )
    return Answer([_fill(row) for row in page.rows], page.next_cursor)


def deposits(asked: Asked) -> Answer:
    def shape(row: Row) -> NormalizedDeposit:
        return NormalizedDeposit(**_transfer(row, asked.exchange))

    return _transfers(asked, TransferKind.DEPOSIT, shape)


def withdrawals(asked: Asked) -> Answer:
    def shape(row: Row) -> NormalizedWithdrawal:
        return NormalizedWithdrawal(**_transfer(row, asked.exchange), fee=text(row["fee_amount"]))

    return _transfers(asked, TransferKind.WITHDRAWAL, shape)


def transfers(asked: Asked) -> Answer:
    def shape(row: Row) -> NormalizedTransfer:
        wallets = (_WALLETS.get(name, name.upper()) for name in (row["from_wallet"], row["to_wallet"]))
        return NormalizedTransfer(
            id=row["exchange_transfer_id"],
            asset=row["asset"],
            amount=text(row["amount"]),
            type="_".join(wallets),
            fromWallet=row["from_wallet"],
            toWallet=row["to_wallet"],
            status=row["status"],
            timestamp=clock.to_ms(row["occurred_at"]),
            exchange=asked.exchange,
            account=row["account_id"],
        )

    return _transfers(asked, TransferKind.INTERNAL, shape)


def tickers(exchange: str, query: Mapping[str, Any]) -> tuple[list[Ticker], datetime | None]:
    """The latest prices of markets that trade, by symbol, and when the newest of them was read."""
    rows = StoredTicker.objects.filter(listing__exchange=exchange, listing__is_trading=True)
    if query["market"] != "all":
        rows = rows.filter(listing__market_type=query["market"])
    if "symbol" in query:
        rows = rows.filter(listing__name=query["symbol"])
    columns = ("listing__name", "price", "listing__symbol__base_asset", "listing__symbol__quote_asset")
    found = list(
        rows.order_by("listing__name", "listing_id").values_list(*columns, "read_at", "listing__market_type")
    )
    return [_ticker(exchange, *row) for row in found], max((row[4] for row in found), default=None)


def _open_page(asked: Asked, fields: tuple[str, ...]) -> ListPage:
    return selectors.open_orders_page(
        account_ids=asked.present_ids,
        market_types=asked.market_types,
        symbol=asked.query.get("symbol"),
        fields=fields,
        **asked.page,
    )


def _transfers(asked: Asked, kind: TransferKind, shape: Callable[[Row], object]) -> Answer:
    page = selectors.transfers_page(
        kind=kind,
        account_ids=asked.scope.account_ids,
        asset=asked.query.get("coin"),
        **asked.span,
        **asked.page,
    )
    return Answer([shape(row) for row in page.rows], page.next_cursor)


def _order(row: Row) -> Order:
    return Order(
        orderId=_order_id(row["exchange"], row["exchange_order_id"]),
        clientOrderId=row["client_order_id"],
        symbol=row["symbol"],
        side=row["side"],
        type=row["type"],
        price=text(row["price"] or ZERO),
        origQty=text(row["quantity"]),
        executedQty=text(row["executed_quantity"]),
        status=row["status"],
        time=clock.to_ms(row["ordered_at"]),
        stopPrice=text(row["stop_price"] or ZERO),
        cummulativeQuoteQty=text(row["executed_quote_quantity"]),
        timeInForce=row["time_in_force"],
        updateTime=clock.to_ms(row["exchange_updated_at"]),
        orderIdText=row["exchange_order_id"],
        market=row["market_type"],
        positionSide=row["position_side"],
        reduceOnly=row["reduce_only"],
        exchange=row["exchange"],
        account=row["account_id"],
    )


def _order_id(exchange: str, order_id: str) -> int | str:
    """A number where the exchange wrote one; systems that orders were imported from write what they like."""
    found = _NUMBER.fullmatch(order_id) if exchange in _NUMBERED else None
    return int(found[1]) if found else order_id


def _bitget_order(row: Row) -> BitgetOrder:
    presets = {name: _first_told(row["raw"], keys) for name, keys in _BITGET_PRESETS.items()}
    return BitgetOrder(
        orderId=row["exchange_order_id"],
        symbol=row["symbol"],
        side=row["side"].lower(),
        orderType=row["type"].lower(),
        priceAvg=text(row["price"] or ZERO),
        size=text(row["quantity"]),
        status=_BITGET_STATUS.get(row["status"], row["status"].lower()),
        **presets,
        cTime=_ms(row["ordered_at"]),
        clientOid=row["client_order_id"],
        triggerPrice=text(row["stop_price"] or ZERO),
        baseVolume=text(row["executed_quantity"]),
        quoteVolume=text(row["executed_quote_quantity"]),
        uTime=_ms(row["exchange_updated_at"]),
        account=row["account_id"],
    )


def _first_told(raw: Mapping[str, Any], keys: Iterable[str]) -> str:
    return next((str(raw[key]) for key in keys if raw.get(key)), "")


def _fill(row: Row) -> ExchangeTrade:
    return ExchangeTrade(
        tradeId=row["exchange_fill_id"],
        orderId=row["exchange_order_id"],
        symbol=row["symbol"],
        side=row["side"].lower(),
        price=text(row["price"]),
        size=text(row["quantity"]),
        amount=text(row["quote_quantity"]),
        feeDetail=FeeDetail(feeCoin=row["fee_currency"], totalFee=text(row["fee_amount"])),
        cTime=_ms(row["executed_at"]),
        tradeScope="maker" if row["is_maker"] else "taker",
        market=row["market_type"],
        exchange=row["exchange"],
        account=row["account_id"],
    )


def _transfer(row: Row, exchange: str) -> dict[str, Any]:
    """What deposits and withdrawals have in common."""
    return {
        "id": row["exchange_transfer_id"],
        "amount": text(row["amount"]),
        "coin": row["asset"],
        "network": row["network"],
        "status": row["status"],
        "address": row["address"],
        "txId": row["tx_id"],
        "timestamp": clock.to_ms(row["occurred_at"]),
        "exchange": exchange,
        "account": row["account_id"],
    }


def _ticker(
    exchange: str, symbol: str, price: Decimal, base: str, quote: str, read_at: datetime, market: str
) -> Ticker:
    return Ticker(
        symbol=symbol,
        lastPrice=text(price),
        lastPr=text(price),
        baseAsset=base,
        quoteAsset=quote,
        timestamp=clock.to_ms(read_at),
        ts=_ms(read_at),
        market=market,
        exchange=exchange,
    )


def _ms(moment: datetime) -> str:
    return str(clock.to_ms(moment))
