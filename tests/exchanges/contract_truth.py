"""Facts about contracts, from our rows and from a simulator's truth, in one shape."""

from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Any

from core import clock
from exchanges.rows import BalanceRow, FillRow, FundingRow, OrderRow, Page, PositionRow, TransferRow

Json = dict[str, Any]
Key = tuple[str, str]
Facts = dict[Any, tuple[Any, ...]]
OPEN = ("NEW", "PARTIALLY_FILLED")


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], str]:
    """All rows from a position on, every one readable, and where the walk ended."""
    rows: list[Any] = []
    while True:
        page = ask(position)
        assert page.bad == ()
        rows += page.rows
        position = page.next_position
        if not page.has_more:
            return rows, position


def fills(rows: Iterable[FillRow]) -> Facts:
    told: Facts = {}
    for row in rows:
        assert row.contract is not None
        told[row.symbol, row.fill_id] = (
            *(row.order_id, row.side.value, row.contract.position_side.value, row.price, row.quantity),
            *(short(row.quote_quantity), row.fee_amount, row.fee_currency, row.contract.realized_pnl),
            *(row.is_maker, row.contract.is_liquidation, clock.to_ms(row.executed_at)),
        )
    return told


def true_fills(truth: Json) -> Facts:
    return {
        (name, str(row["id"])): (
            *(str(row["order_id"]), row["side"], row["position_side"]),
            *(Decimal(row[key]) for key in ("price", "quantity", "value", "fee")),
            *(row["fee_asset"], Decimal(row["realized_pnl"]), row["is_maker"], row["is_liquidation"]),
            row["time"],
        )
        for name, row in _each(truth["fills"])
    }


def orders(rows: Iterable[OrderRow]) -> Facts:
    return {
        (row.symbol, row.order_id): (
            *(row.side.value, row.position_side and row.position_side.value, row.type, row.status.value),
            *(row.time_in_force, row.price or Decimal(0), row.quantity, row.executed_quantity),
            *(rough(row.executed_quote_quantity), row.reduce_only),
            *(clock.to_ms(row.ordered_at), clock.to_ms(row.updated_at)),
        )
        for row in rows
    }


def true_orders(truth: Json) -> Facts:
    return {
        (name, str(row["id"])): (
            *(row["side"], row["position_side"], row["type"], row["status"], row["time_in_force"]),
            *(Decimal(row[key]) for key in ("price", "quantity", "executed")),
            *(rough(Decimal(row["executed_value"])), row["reduce_only"], row["time"], row["updated"]),
        )
        for name, row in _each(truth["orders"])
    }


def conditionals(rows: Iterable[OrderRow]) -> Facts:
    return {
        (row.symbol, row.order_id): (
            *(row.side.value, row.position_side and row.position_side.value, row.type, row.status.value),
            *(row.stop_price, row.quantity, row.executed_quantity, row.reduce_only),
            *(clock.to_ms(row.ordered_at), clock.to_ms(row.updated_at)),
        )
        for row in rows
    }


def true_conditionals(truth: Json, prefix: str = "") -> Facts:
    return {
        (name, f"{prefix}{row['id']}"): (
            *(row["side"], row["position_side"], row["type"], row["status"], Decimal(row["trigger_price"])),
            *(Decimal(row["quantity"]), Decimal(0), row["reduce_only"], row["time"], row["updated"]),
        )
        for name, row in _each(truth["conditional_orders"])
    }


def positions(rows: Iterable[PositionRow]) -> Facts:
    return {
        (row.symbol, row.side.value): (
            *(row.is_hedged, row.quantity, rough(row.entry_price), row.liquidation_price, row.leverage),
            row.margin_mode and row.margin_mode.value,
        )
        for row in rows
    }


def true_positions(truth: Json) -> Facts:
    return {
        (row["contract"], row["side"]): (
            *(row["position_side"] != "BOTH", Decimal(row["quantity"]), rough(Decimal(row["entry_price"]))),
            *(Decimal(row["liquidation_price"]) or None, Decimal(row["leverage"]), row["margin_mode"]),
        )
        for row in truth["positions"]
    }


def funding(rows: Iterable[FundingRow]) -> Facts:
    return {
        row.payment_id: (row.symbol, row.position_side.value, row.asset, row.amount, clock.to_ms(row.paid_at))
        for row in rows
    }


def true_funding(truth: Json) -> Facts:
    return {
        str(row["id"]): (
            *(row["contract"], row["position_side"], row["asset"], Decimal(row["amount"])),
            row["time"],
        )
        for row in truth["funding"]
    }


def transfers(rows: Iterable[TransferRow]) -> Facts:
    return {
        row.transfer_id: (
            *(row.asset, row.amount, row.from_wallet, row.to_wallet, row.status.value),
            clock.to_ms(row.occurred_at),
        )
        for row in rows
    }


def true_transfers(truth: Json, name: Callable[[Json], str]) -> Facts:
    return {
        name(row): (row["asset"], Decimal(row["amount"]), row["from"], row["to"], "success", row["time"])
        for row in truth["transfers"]
    }


def wallet(rows: Iterable[BalanceRow]) -> Facts:
    """Of the wallet of contracts: what is in it without unrealised profit, and that profit."""
    return {
        row.asset: (row.available + row.locked, row.unrealized_pnl) for row in rows if row.wallet == "futures"
    }


def true_wallet(truth: Json) -> Facts:
    return {
        asset: (Decimal(row["balance"]), Decimal(row["unrealized"]))
        for asset, row in truth["balances"].items()
    }


def still_open(facts: Facts) -> Facts:
    return {key: fact for key, fact in facts.items() if fact[3] in OPEN}


def ended(facts: Facts) -> Facts:
    return {key: fact for key, fact in facts.items() if fact[3] not in OPEN}


def _each(told: Json) -> Iterable[tuple[str, Json]]:
    return ((name, row) for name, rows in told.items() for row in rows)


def short(value: Decimal) -> Decimal:
    """To the simulator's eight places."""
    return value.quantize(Decimal("1e-8"), rounding=ROUND_DOWN)


def rough(value: Decimal) -> Decimal:
    """What follows from an average price."""
    return round(value, 5)
