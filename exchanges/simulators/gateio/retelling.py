"""The world's truth in Gate.io's words: what a client that missed nothing knows."""

from typing import Any

from exchanges.simulators import truth
from exchanges.simulators.account import Account
from exchanges.simulators.facts import Order
from exchanges.simulators.gateio import contract_retelling, ledger, names, wire
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World


def tell(world: World) -> Json:
    """As `truth.tell`, by pair; `triggers` are the price-triggered orders, beside the orders they placed."""
    told = world.truth()
    with world.lock:
        for label, account in world.accounts.items():
            _retell(told["accounts"][label], account)
    return told


def _retell(told: dict[str, Any], account: Account) -> None:
    for row, told_id in zip(told.get("dividends", ()), ledger.dividend_ids(account), strict=True):
        row["id"] = told_id
    for row, told_id in zip(told.get("conversions", ()), ledger.conversion_ids(account), strict=True):
        row["id"] = told_id
    if account.margin is not None:
        told["futures"] = contract_retelling.tell(told["futures"], account.margin)
    told["fills"] = {
        names.pair(name): [row | {"order_id": names.order_id(name, row["order_id"])} for row in rows]
        for name, rows in told["fills"].items()
    }
    orders = {names.pair(name): rows for name, rows in account.orders.items()}
    told["triggers"] = {
        pair: [_trigger(row) for row in rows if names.is_trigger(row)] for pair, rows in orders.items()
    }
    told["orders"] = {
        pair: [_order(row) for row in rows if names.is_placed(row)] for pair, rows in orders.items()
    }
    for kind, letter in (("deposits", "d"), ("withdrawals", "w")):
        for row, transfer in zip(told[kind], getattr(account, kind), strict=True):
            row["id"] = wire.transfer_id(transfer, letter)
            row["status"] = "DONE" if transfer.moves_balance else "CANCEL"


def _order(row: Order) -> Json:
    """Gate.io knows no order lists, and a trigger that fired is a limit order from that moment on."""
    fired = names.is_trigger(row)
    expired = row.status == "EXPIRED" and row.time_in_force == "IOC"
    told = truth.order(row) | {
        "id": names.order_id(row.symbol, row.order_id),
        "client_order_id": names.text(row).removeprefix("t-") if names.text(row).startswith("t-") else "",
        "status": "CANCELED" if row.status == "EXPIRED" and not expired else row.status,
    }
    changes = {"type": "LIMIT", "stop_price": "0.00000000", "time": row.updated_at} if fired else {}
    return told | changes


def _trigger(row: Order) -> Json:
    statuses = {"open": "NEW", "finish": "EXPIRED", "expired": "EXPIRED", "cancelled": "CANCELED"}
    return _order(row) | {
        "id": names.trigger_id(row),
        "type": row.type,
        "status": statuses[wire.trigger_status(row)],
        "stop_price": truth.order(row)["stop_price"],
        "executed": "0.00000000",
        "executed_quote": "0.00000000",
        "time": row.placed_at // 1000 * 1000,
        "updated": (row.placed_at if wire.trigger_status(row) == "open" else row.updated_at) // 1000 * 1000,
    }
