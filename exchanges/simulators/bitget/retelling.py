"""The world's truth in Bitget's words: what a client that missed nothing knows."""

from collections.abc import Collection
from typing import Any

from exchanges.simulators import amounts, truth
from exchanges.simulators.account import Account
from exchanges.simulators.bitget import bills, names, signing, unified_wire, wire
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.facts import Order
from exchanges.simulators.symbols import assets
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World


def tell(world: World, unified: Collection[str]) -> Json:
    """As `truth.tell`; `plans` are the trigger orders, beside the orders they placed. `wallets` are the balances
    of unified accounts: spot and contracts in one, and the funding wallet."""
    told = world.truth()
    with world.lock:
        for label, account in world.accounts.items():
            _retell(told["accounts"][label], account)
            told["accounts"][label]["mode"] = "unified" if label in unified else "classic"
            if label in unified:
                told["accounts"][label]["wallets"] = _wallets(account)
    return told


def _retell(told: dict[str, Any], account: Account) -> None:
    told["api_passphrase"] = signing.passphrase(account)
    for row, told_id in zip(told.get("dividends", ()), bills.dividend_ids(account), strict=True):
        row["id"] = told_id
    for row, told_id in zip(told.get("conversions", ()), bills.conversion_ids(account), strict=True):
        row["id"] = told_id
    for symbol, rows in told["fills"].items():
        for row, fill in zip(rows, account.fills[symbol], strict=True):
            row["id"] = names.fill_id(fill)
            row["order_id"] = names.order_id(wire.order_of(fill, account))
    told["plans"] = {
        symbol: [_plan(row) for row in rows if names.is_plan(row)] for symbol, rows in account.orders.items()
    }
    told["orders"] = {
        symbol: [_order(row, account) for row in rows if names.is_placed(row)]
        for symbol, rows in account.orders.items()
    }
    if account.margin:
        _retell_futures(told["futures"], account.margin)
    for kind in ("deposits", "withdrawals"):
        for row, transfer in zip(told[kind], getattr(account, kind), strict=True):
            row["id"] = names.transfer_id(transfer)
            row["status"] = "success" if transfer.moves_balance else "fail"


def _wallets(account: Account) -> Json:
    held = {coin: unified_wire.balance(account, coin) for coin in assets(names.EXCHANGE)}
    outside = account.margin.outside if account.margin else {}
    return {
        name: {coin: amounts.text(amount) for coin, amount in wallet.items() if amount}
        for name, wallet in (("spot", held), ("funding", outside))
    }


def _retell_futures(told: dict[str, Any], margin: MarginAccount) -> None:
    for kind in ("fills", "orders", "conditional_orders"):
        told[kind] = {names.contract(name): rows for name, rows in told[kind].items()}
    for row in (each for rows in told["orders"].values() for each in rows):
        row["status"] = "CANCELED" if row["status"] == "EXPIRED" else row["status"]
    ends = {"TRIGGERED": "EXPIRED", "EXPIRED": "CANCELED"}
    for row in (each for rows in told["conditional_orders"].values() for each in rows):
        row["status"] = ends.get(row["status"], row["status"])
    for row in told["positions"]:
        row["contract"] = names.contract(row["contract"])
    for row, paid in zip(told["funding"], margin.funding, strict=True):
        row["id"] = names.bill_id("funding", paid.paid_at, paid.payment_id)
        row["contract"] = names.contract(row["contract"])
    for row in (*told["rebates"], *told["charges"]):
        row["id"] = names.bill_id("income", row["happened_at"], row["income_id"])


def _order(row: Order, account: Account) -> Json:
    """Bitget knows no order lists, and a trigger that fired is a limit order from that moment on."""
    told = truth.order(row) | {
        "id": names.order_id(row),
        "status": "CANCELED" if row.status == "EXPIRED" else row.status,
    }
    if not names.is_plan(row):
        return told
    fills = account.fills.get(row.symbol, ())
    fired_at = min(fill.executed_at for fill in fills if fill.order_id == row.order_id)
    return told | {"type": "LIMIT", "stop_price": "0.00000000", "time": fired_at}


def _plan(row: Order) -> Json:
    statuses = {"not_trigger": "NEW", "executed": "EXPIRED", "cancelled": "CANCELED"}
    return truth.order(row) | {
        "id": names.plan_id(row),
        "type": "TRIGGER_LIMIT",
        "status": statuses[wire.plan_status(row)],
        "executed": "0.00000000",
        "executed_quote": "0.00000000",
        "updated": row.placed_at if wire.plan_status(row) == "not_trigger" else row.updated_at,
    }
