"""What really happened, as JSON: the yardstick for whoever reads the simulated exchange over HTTP."""

from collections.abc import Mapping
from typing import Any

from core import clock
from exchanges.simulators import contract_truth, oracle
from exchanges.simulators.account import Account
from exchanges.simulators.amounts import text
from exchanges.simulators.facts import Fill, Order, Transfer

Json = dict[str, Any]


def tell(
    *, exchange: str, accounts: Mapping[str, Account], seed: int, live_from_ms: int, now_ms: int
) -> Json:
    """Amounts are decimal texts, times milliseconds since 1970. `live_from` continues this world after a
    restart."""
    return {
        "exchange": exchange,
        "seed": seed,
        "live_from": clock.from_ms(live_from_ms).isoformat(),
        "now": now_ms,
        "accounts": {label: _account(account, now_ms) for label, account in accounts.items()},
    }


def _account(account: Account, now_ms: int) -> Json:
    futures = {"futures": contract_truth.tell(account.margin, now_ms)} if account.margin else {}
    return {
        "label": account.label,
        "api_key": account.api_key,
        "api_secret": account.api_secret,
        "uid": account.uid,
        "fills": {name: [_fill(row) for row in rows] for name, rows in account.fills.items()},
        "orders": {name: [order(row) for row in rows] for name, rows in account.orders.items()},
        "deposits": [_transfer(row) for row in account.deposits],
        "withdrawals": [_transfer(row) for row in account.withdrawals],
        "holes": [
            {"kind": row.kind, "asset": row.asset, "change": text(row.change), "time": row.happened_at}
            for row in account.holes
        ],
        **_outside(account),
        "balances": balances(account),
        "pnl": {"covers": oracle.COVERS, "by_asset": oracle.realised(account)},
        **futures,
    }


def _outside(account: Account) -> Json:
    """What only people who collect have."""
    if not account.dividends and not account.conversions:
        return {}
    return {
        "dividends": [
            {
                "id": row.dividend_id,
                "asset": row.asset,
                "amount": text(row.amount),
                "words": row.words,
                "time": row.paid_at,
            }
            for row in account.dividends
        ],
        "conversions": [
            {
                "id": row.conversion_id,
                "is_dust": row.is_dust,
                "from_asset": row.from_asset,
                "from_amount": text(row.from_amount),
                "to_asset": row.to_asset,
                "to_amount": text(row.to_amount),
                "fee": text(row.fee),
                "time": row.happened_at,
            }
            for row in account.conversions
        ],
    }


def balances(account: Account) -> dict[str, dict[str, str]]:
    """Assets that are not zero."""
    return {
        asset: {"free": text(account.free[asset]), "locked": text(account.locked[asset])}
        for asset in sorted(account.free)
        if account.free[asset] or account.locked[asset]
    }


def _fill(row: Fill) -> Json:
    return {
        "id": row.fill_id,
        "order_id": row.order_id,
        "side": "BUY" if row.is_buyer else "SELL",
        "price": text(row.price),
        "quantity": text(row.quantity),
        "quote_quantity": text(row.quote_quantity),
        "fee": text(row.fee),
        "fee_asset": row.fee_asset,
        "is_maker": row.is_maker,
        "time": row.executed_at,
    }


def order(row: Order) -> Json:
    return {
        "id": row.order_id,
        "client_order_id": row.client_order_id,
        "list_id": row.list_id,
        "side": row.side,
        "type": row.type,
        "status": row.status,
        "price": text(row.price),
        "stop_price": text(row.stop_price),
        "quantity": text(row.quantity),
        "executed": text(row.executed),
        "executed_quote": text(row.executed_quote),
        "time": row.placed_at,
        "updated": row.updated_at,
    }


def _transfer(row: Transfer) -> Json:
    return {
        "id": row.transfer_id,
        "asset": row.asset,
        "amount": text(row.amount),
        "fee": text(row.fee),
        "network": row.network,
        "tx_id": row.tx_id,
        "status": row.status,
        "moves_balance": row.moves_balance,
        "time": row.applied_at,
    }
