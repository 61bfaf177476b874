"""Rows as an adapter gives them, for tests: one BTC at 100 USDT unless told otherwise."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.rows import (
    ContractSide,
    FillRow,
    FundingRow,
    MarginMode,
    MarketType,
    OrderRow,
    OrderStatus,
    PositionRow,
    PositionSide,
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


def contract_fill(*, side_of: PositionSide = PositionSide.BOTH, **given: Any) -> FillRow:
    """One BTC of a linear perpetual bought at 100, with a fee in USDT unless told otherwise."""
    contract = {
        "settle_asset": given.pop("settle_asset", "USDT"),
        "is_inverse": given.pop("is_inverse", False),
        "position_side": side_of,
        "realized_pnl": given.pop("realized_pnl", Decimal(0)),
        "is_liquidation": given.pop("is_liquidation", False),
    }
    values: dict[str, Any] = {
        "market_type": MarketType.FUTURES,
        "fee_amount": Decimal("0.05"),
        "fee_currency": "USDT",
        "contract": ContractSide(**contract),
    }
    return fill(**{**values, **given})


def funding(**given: Any) -> FundingRow:
    values: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "payment_id": "f1",
        "asset": "USDT",
        "amount": Decimal("-0.01"),
        "rate": Decimal("0.0001"),
        "quantity": Decimal(1),
        "position_side": PositionSide.BOTH,
        "paid_at": AT,
        "raw": {"tranId": "f1"},
    }
    return FundingRow(**{**values, **given})


def position(**given: Any) -> PositionRow:
    values: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": PositionSide.LONG,
        "is_hedged": False,
        "quantity": Decimal(1),
        "settle_asset": "USDT",
        "is_inverse": False,
        "entry_price": Decimal(100),
        "mark_price": Decimal(101),
        "liquidation_price": None,
        "leverage": Decimal(10),
        "margin_mode": MarginMode.CROSS,
        "margin": Decimal(10),
        "unrealized_pnl": Decimal(1),
    }
    return PositionRow(**{**values, **given})


def target(order_id: str, price: int, *, order_list: str, **given: Any) -> OrderRow:
    leg = {"order_id": order_id, "side": Side.SELL, "type": "LIMIT_MAKER", "price": Decimal(price)}
    return order(**{**leg, "order_list_id": order_list, "ordered_at": at(10), "updated_at": at(10), **given})


def stop(order_id: str, price: int, *, order_list: str, **given: Any) -> OrderRow:
    leg = {"order_id": order_id, "side": Side.SELL, "type": "STOP_LOSS_LIMIT", "stop_price": Decimal(price)}
    return order(**{**leg, "order_list_id": order_list, "ordered_at": at(10), "updated_at": at(10), **given})


def bought(order_id: str, minute: int, quantity: str = "1", **given: Any) -> OrderRow:
    return filled(
        order_id=order_id, quantity=Decimal(quantity), ordered_at=at(minute), updated_at=at(minute), **given
    )
