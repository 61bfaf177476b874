"""A second opinion on realised profit: plain average cost at 80 digits, read from the facts alone.

It covers base assets whose every fill is against USDT, which were never deposited, withdrawn, converted,
used as a quote, or taken as a fee of another market: there nothing needs a foreign price. Per fill, in the
order of execution:

- buy q at p: average = (average × inventory + p × q) ÷ (inventory + q); inventory += q − fee taken in the
  base;
- sell q at p: gross += (p − average) × q; inventory −= q + fee taken in the base;
- an inventory below the lot step after a sale ends the episode; its dust leaves at the average cost,
  without profit.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any

from core import money
from exchanges.simulators.account import Account
from exchanges.simulators.amounts import PLACES
from exchanges.simulators.facts import Fill
from exchanges.simulators.symbols import SYMBOLS

COVERS = "base assets with USDT fills only, no transfers, no conversions, no foreign fees; gross of fees"


def realised(account: Account) -> dict[str, dict[str, Any]]:
    """By base asset: gross profit, fees by currency, closed episodes, what is still held and its average
    cost."""
    result = {}
    for name, fills in sorted(account.fills.items()):
        symbol = SYMBOLS[name]
        if symbol.quote == "USDT" and _is_pure(account, symbol.base):
            ordered = sorted(fills, key=lambda fill: (fill.executed_at, fill.fill_id))
            with localcontext(money.CONTEXT):
                result[symbol.base] = _walk(ordered, base=symbol.base, step=symbol.step)
    return result


def _is_pure(account: Account, base: str) -> bool:
    markets = [SYMBOLS[name] for name in account.fills]
    foreign = any(
        symbol.quote == base or (symbol.base == base and symbol.quote != "USDT") for symbol in markets
    )
    transfers = any(row.asset == base for row in (*account.deposits, *account.withdrawals))
    between = account.margin.transfers if account.margin else []
    transfers = transfers or any(row.asset == base for row in between)
    moved = transfers or any(hole.asset == base for hole in account.holes)
    return not (foreign or moved or _pays_fees_elsewhere(account, base))


def _pays_fees_elsewhere(account: Account, base: str) -> bool:
    return any(
        fill.fee_asset == base
        for name, fills in account.fills.items()
        if SYMBOLS[name].base != base
        for fill in fills
    )


def _walk(fills: Sequence[Fill], *, base: str, step: int) -> dict[str, Any]:
    inventory, average, gross = money.ZERO, money.ZERO, money.ZERO
    episodes = 0
    for fill in fills:
        quantity, price = _whole(fill.quantity), _whole(fill.price)
        if fill.is_buyer:
            average = (average * inventory + price * quantity) / (inventory + quantity)
            inventory += quantity
        else:
            gross += (price - average) * quantity
            inventory -= quantity
        if fill.fee_asset == base:
            inventory -= _whole(fill.fee)
        if not fill.is_buyer and inventory < _whole(step):
            inventory, average, episodes = money.ZERO, money.ZERO, episodes + 1
    return {
        "realised_gross": _text(gross),
        "fees": _fees(fills),
        "closed_episodes": episodes,
        "open_quantity": _text(inventory),
        "average_cost": _text(average),
        "fills": len(fills),
    }


def _fees(fills: Iterable[Fill]) -> dict[str, str]:
    sums: dict[str, int] = {}
    for fill in fills:
        sums[fill.fee_asset] = sums.get(fill.fee_asset, 0) + fill.fee
    return {asset: _text(_whole(amount)) for asset, amount in sorted(sums.items())}


def _whole(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-PLACES)


def _text(value: Decimal) -> str:
    """Rounded half-even to 18 places."""
    return money.text(money.quantize(value))
