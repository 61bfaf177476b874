"""Balances added up from told facts, by other means than the simulator's own books."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.simulators.symbols import SYMBOLS


def fold(account: Mapping[str, Any], *, holes: bool = True) -> dict[str, Decimal]:
    """Totals by asset that follow from deposits, withdrawals and fills (and holes)."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in account["deposits"]:
        totals[row["asset"]] += Decimal(row["amount"])
    for row in account["withdrawals"]:
        if row["moves_balance"]:
            totals[row["asset"]] -= Decimal(row["amount"]) + Decimal(row["fee"])
    for name, fills in account["fills"].items():
        symbol = SYMBOLS[name]
        for row in fills:
            sign = 1 if row["side"] == "BUY" else -1
            totals[symbol.base] += sign * Decimal(row["quantity"])
            totals[symbol.quote] -= sign * Decimal(row["quote_quantity"])
            totals[row["fee_asset"]] -= Decimal(row["fee"])
    for row in account["holes"] if holes else ():
        totals[row["asset"]] += Decimal(row["change"])
    return {asset: total for asset, total in sorted(totals.items()) if total}


def reported(account: Mapping[str, Any]) -> dict[str, Decimal]:
    """Totals by asset as the exchange reports them."""
    return {
        asset: Decimal(balance["free"]) + Decimal(balance["locked"])
        for asset, balance in account["balances"].items()
    }
