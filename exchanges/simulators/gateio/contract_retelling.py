"""The truth about contracts in Gate.io's words."""

from typing import Any

from exchanges.simulators import liquidations
from exchanges.simulators.amounts import text
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import BOTH, ConditionalOrder, ContractFill, ContractOrder
from exchanges.simulators.gateio import contract_wire as wire
from exchanges.simulators.gateio import ledger
from exchanges.simulators.truth import Json


def tell(told: Json, margin: MarginAccount) -> Json:
    """By contract as on the wire. Charges of a liquidation are part of its fill's fee; funding names no side, and
    transfers are told by the ledger of spot."""
    return told | {
        "fills": _retold(told["fills"], margin.fills, margin, _fill),
        "orders": _retold(told["orders"], margin.orders, margin, _order),
        "conditional_orders": _retold(
            told["conditional_orders"], margin.conditional_orders, margin, _conditional
        ),
        "positions": [row | {"contract": _name(margin, row["contract"])} for row in told["positions"]],
        "funding": [
            row | {"contract": _name(margin, row["contract"]), "position_side": BOTH}
            for row in told["funding"]
        ],
        "transfers": [
            row | {"id": move}
            for row, move in zip(told["transfers"], ledger.move_ids(margin.owner), strict=True)
        ],
        "charges": [],
        "pnl": {_name(margin, name): row for name, row in told["pnl"].items()},
    }


def _retold(told: Json, facts: Any, margin: MarginAccount, change: Any) -> Json:
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
    return {
        "client_order_id": "",
        "type": "LIMIT_MAKER" if is_maker_only else row.type,
        "time_in_force": "IOC" if row.type == "MARKET" else "GTC" if is_maker_only else row.time_in_force,
        "reduce_only": wire.reduces(row),
    }


def _conditional(margin: MarginAccount, row: ConditionalOrder) -> Json:
    """It waits, it fired, it was cancelled or it expired; to the second."""
    statuses = {"NEW": "NEW", "TRIGGERED": "EXPIRED", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED"}
    return {
        "client_order_id": "",
        "type": "STOP_LOSS" if row.type == "STOP_MARKET" else "TAKE_PROFIT",
        "status": statuses[row.status],
        "reduce_only": True,
        "time": row.placed_at // 1000 * 1000,
        "updated": (row.placed_at if row.is_open else row.updated_at) // 1000 * 1000,
    }
