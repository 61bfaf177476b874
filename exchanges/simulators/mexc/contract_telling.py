"""The truth about contracts in MEXC's words."""

from collections.abc import Callable, Mapping
from typing import Any

from exchanges.simulators import liquidations
from exchanges.simulators.amounts import text
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ConditionalOrder, ContractFill, ContractOrder
from exchanges.simulators.mexc import contract_wire as wire
from exchanges.simulators.truth import Json


def tell(told: Json, margin: MarginAccount) -> Json:
    """By contract as on the wire. The charge of a liquidation is part of its fill's fee. `untold`: what MEXC's
    ledgers do not tell."""
    return told | {
        "fills": _retold(told["fills"], margin.fills, margin, _fill),
        "orders": _retold(told["orders"], margin.orders, margin, _order),
        "conditional_orders": _retold(
            told["conditional_orders"], margin.conditional_orders, margin, _conditional
        ),
        "positions": [row | {"contract": _name(margin, row["contract"])} for row in told["positions"]],
        "funding": [row | {"contract": _name(margin, row["contract"])} for row in told["funding"]],
        "transfers": [
            row | {"id": wire.transfer_id(fact)}
            for row, fact in zip(told["transfers"], margin.transfers, strict=True)
        ],
        "untold": told["rebates"],
        "rebates": [],
        "charges": [],
        "pnl": {_name(margin, name): row for name, row in told["pnl"].items()},
    }


def _retold(
    told: Json,
    facts: Mapping[str, list[Any]],
    margin: MarginAccount,
    change: Callable[[MarginAccount, Any], Json],
) -> Json:
    return {
        _name(margin, name): [row | change(margin, fact) for row, fact in zip(rows, facts[name], strict=True)]
        for name, rows in told.items()
    }


def _name(margin: MarginAccount, name: str) -> str:
    return wire.name(margin.terms.listings[name])


def _fill(margin: MarginAccount, row: ContractFill) -> Json:
    return {"fee": text(row.fee + liquidations.fee_of(margin, row))}


def _order(margin: MarginAccount, row: ContractOrder) -> Json:
    is_maker_only = row.time_in_force == "GTX"
    closes = wire.side(row.side, row.position_side) in (2, 4)
    return {
        "client_order_id": "",
        "type": "LIMIT_MAKER" if is_maker_only else row.type,
        "status": "CANCELED" if row.status == "EXPIRED" else row.status,
        "time_in_force": "IOC" if row.type == "MARKET" else "GTC" if is_maker_only else row.time_in_force,
        "reduce_only": row.reduce_only or closes,
    }


def _conditional(margin: MarginAccount, row: ConditionalOrder) -> Json:
    """It waits, it fired, or it was cancelled, by hand or with its position."""
    statuses = {"NEW": "NEW", "TRIGGERED": "EXPIRED", "CANCELED": "CANCELED", "EXPIRED": "CANCELED"}
    is_stop = wire.is_stop(row)
    closes = is_stop or wire.side(row.side, row.position_side) in (2, 4)
    return {
        "id": f"{'stop' if is_stop else 'plan'}-{row.order_id}",
        "client_order_id": "",
        "type": "STOP_LOSS" if is_stop else "TAKE_PROFIT",
        "status": statuses[row.status],
        "reduce_only": row.reduce_only or closes,
    }
