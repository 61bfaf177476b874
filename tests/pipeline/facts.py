"""What is stored and what the simulator says happened, in one shape."""

from decimal import Decimal
from typing import Any

from core import clock
from orders.models import Fill, Order, Transfer
from portfolio.balances import latest_rows
from tests.pipeline.worlds import World

Facts = dict[tuple[str, str], dict[str, Any]]


def stored_fills(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_fill_id): {
                "order_id": int(row.exchange_order_id),
                "side": row.side,
                "price": row.price,
                "quantity": row.quantity,
                "quote_quantity": row.quote_quantity,
                "fee": row.fee_amount,
                "fee_asset": row.fee_currency,
                "is_maker": row.is_maker,
                "time": clock.to_ms(row.executed_at),
            }
            for row in Fill.objects.filter(account=world.account)
        }


def true_fills(world: World) -> Facts:
    return _exact(world.truth()["fills"], "price", "quantity", "quote_quantity", "fee")


def stored_orders(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_order_id): {
                "client_order_id": row.client_order_id,
                "list_id": int(row.order_list_id or -1),
                "side": row.side,
                "type": row.type,
                "status": row.status,
                "price": row.price or Decimal(0),
                "stop_price": row.stop_price or Decimal(0),
                "quantity": row.quantity,
                "executed": row.executed_quantity,
                "executed_quote": row.executed_quote_quantity,
                "time": clock.to_ms(row.ordered_at),
                "updated": clock.to_ms(row.exchange_updated_at),
            }
            for row in Order.objects.filter(account=world.account)
        }


def true_orders(world: World) -> Facts:
    facts = _exact(world.truth()["orders"], "price", "stop_price", "quantity", "executed", "executed_quote")
    for fact in facts.values():
        fact["status"] = {"PENDING_NEW": "NEW"}.get(fact["status"], fact["status"])
    return facts


def stored_transfers(world: World) -> Facts:
    with world.door():
        return {
            (row.kind, row.exchange_transfer_id): {
                "asset": row.asset,
                "amount": row.amount,
                "fee": row.fee_amount,
                "network": row.network,
                "moves_balance": row.status == "success",
            }
            for row in Transfer.objects.filter(account=world.account)
        }


def true_transfers(world: World) -> Facts:
    truth = world.truth()
    kinds = {"DEPOSIT": truth["deposits"], "WITHDRAWAL": truth["withdrawals"]}
    facts = _exact(kinds, "amount", "fee")
    return {
        key: {name: fact[name] for name in ("asset", "amount", "fee", "network", "moves_balance")}
        for key, fact in facts.items()
    }


def stored_balances(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    with world.door():
        rows = latest_rows(account_ids=[world.account.id])
    return {row.asset: (row.available, row.locked) for row in rows if row.available or row.locked}


def true_balances(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    return {
        asset: (Decimal(row["free"]), Decimal(row["locked"]))
        for asset, row in world.truth()["balances"].items()
    }


def everything_stored(world: World) -> tuple[Any, ...]:
    """Fills, orders, transfers and balances."""
    return stored_fills(world), stored_orders(world), stored_transfers(world), stored_balances(world)


def everything_true(world: World) -> tuple[Any, ...]:
    return true_fills(world), true_orders(world), true_transfers(world), true_balances(world)


def _exact(groups: dict[str, list[dict[str, Any]]], *amounts: str) -> Facts:
    return {
        (group, str(row["id"])): {
            name: Decimal(value) if name in amounts else value for name, value in row.items() if name != "id"
        }
        for group, rows in groups.items()
        for row in rows
    }
