"""What really happened with contracts, as JSON; part of `truth`. Contract names, ids and wallets are the
world's own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from exchanges.simulators.amounts import text
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import (
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    FundingPayment,
    Income,
    Position,
    WalletTransfer,
)

Json = dict[str, Any]


def tell(margin: MarginAccount, at: int) -> Json:
    """Amounts are decimal texts, quantities as in `contracts`; `at` is now."""
    held = [position for position in margin.held() if position.quantity]
    return {
        "mode": "hedge" if margin.is_hedged else "one_way",
        "fills": {name: [fill(row) for row in rows] for name, rows in margin.fills.items()},
        "orders": {name: [order(row) for row in rows] for name, rows in margin.orders.items()},
        "conditional_orders": {
            name: [conditional(row) for row in rows] for name, rows in margin.conditional_orders.items()
        },
        "positions": [position(margin, row, at) for row in held],
        "funding": [funding(row) for row in margin.funding],
        "transfers": [transfer(row) for row in margin.transfers],
        "rebates": [income(row) for row in margin.incomes if row.amount > 0],
        "charges": [income(row) for row in margin.incomes if row.amount < 0],
        "balances": balances(margin, at),
        "pnl": pnl(margin.fills, margin.funding),
    }


def balances(margin: MarginAccount, at: int) -> Json:
    """The futures wallet by asset; `balance` is without unrealised profit."""
    return {
        asset: {
            "balance": text(amount),
            "available": text(margin.available(asset, at)),
            "unrealized": text(margin.unrealized(asset, at)),
        }
        for asset, amount in sorted(margin.wallet.items())
        if amount or margin.unrealized(asset, at)
    }


def pnl(fills: Mapping[str, Sequence[ContractFill]], payments: Sequence[FundingPayment]) -> Json:
    """By contract: realised profit before fees, fees by asset, funding."""
    told: Json = {}
    for name, rows in fills.items():
        fees: dict[str, int] = {}
        for row in rows:
            fees[row.fee_asset] = fees.get(row.fee_asset, 0) + row.fee
        told[name] = {
            "realized": text(sum(row.realized_pnl for row in rows)),
            "fees": {asset: text(amount) for asset, amount in sorted(fees.items())},
            "funding": text(sum(row.amount for row in payments if row.contract == name)),
            "fills": len(rows),
        }
    return told


def fill(row: ContractFill) -> Json:
    return {
        "id": row.fill_id,
        "order_id": row.order_id,
        "side": "BUY" if row.is_buyer else "SELL",
        "position_side": row.position_side,
        "price": text(row.price),
        "quantity": text(row.quantity),
        "value": text(row.value),
        "fee": text(row.fee),
        "fee_asset": row.fee_asset,
        "realized_pnl": text(row.realized_pnl),
        "is_maker": row.is_maker,
        "is_liquidation": row.is_liquidation,
        "time": row.executed_at,
    }


def order(row: ContractOrder) -> Json:
    return {
        "id": row.order_id,
        "client_order_id": row.client_order_id,
        "side": row.side,
        "position_side": row.position_side,
        "type": row.type,
        "status": row.status,
        "time_in_force": row.time_in_force,
        "price": text(row.price),
        "quantity": text(row.quantity),
        "executed": text(row.executed),
        "executed_value": text(row.executed_value),
        "reduce_only": row.reduce_only,
        "is_liquidation": row.is_liquidation,
        "time": row.placed_at,
        "updated": row.updated_at,
    }


def conditional(row: ConditionalOrder) -> Json:
    return {
        "id": row.order_id,
        "client_order_id": row.client_order_id,
        "side": row.side,
        "position_side": row.position_side,
        "type": row.type,
        "status": row.status,
        "trigger_price": text(row.trigger_price),
        "quantity": text(row.quantity),
        "reduce_only": row.reduce_only,
        "actual_order_id": row.actual_order_id,
        "time": row.placed_at,
        "updated": row.updated_at,
    }


def position(margin: MarginAccount, row: Position, at: int) -> Json:
    mark = margin.market.mark(row.listing, at)
    return {
        "contract": row.listing.name,
        "side": "LONG" if row.quantity > 0 else "SHORT",
        "position_side": row.side,
        "quantity": text(abs(row.quantity)),
        "entry_price": text(round(row.entry_price)),
        "mark_price": text(mark),
        "liquidation_price": text(margin.liquidation_price(row)),
        "leverage": row.leverage,
        "margin_mode": "isolated" if row.is_isolated else "cross",
        "unrealized": text(row.unrealized(mark)),
    }


def funding(row: FundingPayment) -> Json:
    return {
        "id": row.payment_id,
        "contract": row.contract,
        "position_side": row.position_side,
        "asset": row.asset,
        "amount": text(row.amount),
        "rate": text(row.rate),
        "quantity": text(row.quantity),
        "time": row.paid_at,
    }


def transfer(row: WalletTransfer) -> Json:
    return {
        "id": row.transfer_id,
        "asset": row.asset,
        "amount": text(row.amount),
        "from": row.from_wallet,
        "to": row.to_wallet,
        "time": row.moved_at,
    }


def income(row: Income) -> Json:
    return {**asdict(row), "amount": text(row.amount)}
