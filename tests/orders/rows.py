"""Rows as an adapter gives them, for tests: one BTC at 100 USDT unless told otherwise."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.rows import (
    FillRow,
    MarketType,
    OrderRow,
    OrderStatus,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

AT = datetime(2026, 2, 1, 10, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """Minutes after the tests' first moment."""
    return AT + timedelta(minutes=minutes)


def fill(**given: Any) -> FillRow:
    values: dict[str, Any] = {
        "market_type": MarketType.SPOT,
        "symbol": "BTCUSDT",
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "fill_id": "1",
        "order_id": "10",
        "side": Side.BUY,
        "price": Decimal(100),
        "quantity": Decimal(1),
        "quote_quantity": Decimal(100),
        "fee_amount": Decimal("0.001"),
        "fee_currency": "BNB",
        "is_maker": False,
        "executed_at": AT,
        "raw": {"id": "1"},
    }
    return FillRow(**{**values, **given})


def order(**given: Any) -> OrderRow:
    values: dict[str, Any] = {
        "market_type": MarketType.SPOT,
        "symbol": "BTCUSDT",
        "order_id": "10",
        "client_order_id": "",
        "order_list_id": "",
        "side": Side.BUY,
        "type": "LIMIT",
        "status": OrderStatus.NEW,
        "price": Decimal(100),
        "stop_price": None,
        "quantity": Decimal(1),
        "executed_quantity": Decimal(0),
        "executed_quote_quantity": Decimal(0),
        "time_in_force": "GTC",
        "ordered_at": AT,
        "updated_at": AT,
        "raw": {"orderId": "10"},
    }
    return OrderRow(**{**values, **given})


def filled(**given: Any) -> OrderRow:
    """An order that is done: its whole quantity at its price."""
    row = order(status=OrderStatus.FILLED, **given)
    executed = {"executed_quantity": row.quantity, "executed_quote_quantity": row.quantity * (row.price or 0)}
    return order(**{"status": OrderStatus.FILLED, **executed, **given})


def transfer(**given: Any) -> TransferRow:
    values: dict[str, Any] = {
        "kind": TransferKind.DEPOSIT,
        "transfer_id": "t1",
        "asset": "USDT",
        "amount": Decimal(1000),
        "fee_amount": Decimal(0),
        "network": "TRX",
        "address": "",
        "tx_id": "",
        "status": TransferStatus.SUCCESS,
        "occurred_at": AT,
        "raw": {"id": "t1"},
    }
    return TransferRow(**{**values, **given})
