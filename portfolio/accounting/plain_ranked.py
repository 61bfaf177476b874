"""The fast path of a fold by `lifo` or `hifo`: what `plain` is to `fifo` and `average`.

The same events are plain, and what is not goes to `Book.apply`. Which lot leaves, and what its parts cost, is the
inventory's; a lot's own rest and the position's totals are kept here, in local variables.
"""

from collections.abc import Callable, Iterator
from typing import Final

from core.money import UNIT
from portfolio.accounting.events import Event, EventKind, fold_key, require_later
from portfolio.accounting.ranked import Ranked
from portfolio.accounting.results import AllocationKind, AllocationRow
from portfolio.accounting.state import OpenPosition, OpenTrade, Totals

# Members by name: looking one up on its class costs more than comparing it.
_ENTRY, _EXIT, _FEE, _REBATE = EventKind.ENTRY, EventKind.EXIT, EventKind.FEE, EventKind.REBATE
_LOT: Final = AllocationKind.LOT


def fold(
    position: OpenPosition,
    inventory: Ranked,
    events: Iterator[Event],
    last: Event,
    *,
    day_end: int,
    step: int,
    start_trade: Callable[[OpenPosition, Event, Totals], OpenTrade],
    allocated: Callable[[AllocationRow], object],
) -> tuple[Event, Event | None]:
    """As `plain.fold`, and one long function for its reason."""
    # 1. The position into local variables.
    before, last_ms, other = last, last[0], None
    held, entry_quantity, entry_cost, entry_fees = (
        position.quantity, position.entry_quantity, position.entry_cost, position.entry_fees,
    )  # fmt: skip
    proceeds, exit_fees, cost_out, fees_out = (
        position.proceeds, position.exit_fees, position.cost, position.used_fees,
    )  # fmt: skip
    # What no plain event changes.
    other_in = position.dust_in_quantity - position.moved_quantity
    unknown_quantity, unknown_proceeds = position.unknown_quantity, position.unknown_proceeds
    trade: OpenTrade
    trade_order, trade_symbol, trade_kind = "", "", None
    add, first, drop_first = inventory.add, inventory.first, inventory.drop_first
    cost_rest, fees_rest = inventory.cost_rest, inventory.fees_rest

    # 2. Event by event, until one is not plain.
    for event in events:
        time, fill_id, symbol, kind, order_id, quantity, value, fee, scale, fact = event
        if time <= last_ms:
            require_later(event, fold_key(last))
        if time >= day_end or scale != 1:
            other = event
            break

        # An entry: one more lot.
        if kind is _ENTRY or kind is _REBATE:
            add((symbol, fill_id, time, quantity, value, fee, fact))
            held += quantity
            entry_quantity += quantity
            entry_cost += value
            entry_fees += fee
            last, last_ms = event, time
            continue

        # An exit: the trade it belongs to, which is its order's.
        remains = held - quantity
        if (remains < step and remains) or not (kind is _EXIT or kind is _FEE):
            other = event
            break
        held = remains
        if order_id != trade_order or symbol != trade_symbol or kind is not trade_kind:
            totals = (
                entry_quantity + other_in - held - quantity, cost_out, proceeds, fees_out, exit_fees,
                unknown_quantity, unknown_proceeds,
            )  # fmt: skip
            trade = start_trade(position, event, totals)
            trade_key, trade_order, trade_symbol, trade_kind = trade.key, order_id, symbol, kind
        trade.exit_ms = time

        # One allocation for each lot it finishes, and one for the lot it ends in.
        wanted, sequence, value_done, fee_done = quantity, 0, 0, 0
        while wanted:
            lot = first()
            size, left = lot.size, lot.left
            if wanted < left:
                part = wanted
                lot.left = left - part
                gone = size - left + part
                cost_upto, fees_upto = lot.cost * gone // size, lot.fees * gone // size
                cost, fees = cost_upto - lot.cost_taken, fees_upto - lot.fees_taken
                lot.cost_taken, lot.fees_taken = cost_upto, fees_upto
            else:
                part = left
                cost, fees = lot.cost - lot.cost_taken, lot.fees - lot.fees_taken
                drop_first()
            wanted -= part
            cost, cost_rest = divmod(cost + cost_rest, UNIT)
            fees, fees_rest = divmod(fees + fees_rest, UNIT)
            cost_out += cost
            fees_out += fees
            if lot.time < trade.entry_ms:
                trade.entry_ms = lot.time
            if wanted:
                done = quantity - wanted
                value_upto, fee_upto = value * done // quantity, fee * done // quantity
            else:
                value_upto, fee_upto = value, fee
            allocated((
                trade_key, fill_id, sequence, _LOT, lot.symbol, lot.fill_id, part, cost, value_upto - value_done,
                fees, fee_upto - fee_done, time, lot.fact, fact,
            ))  # fmt: skip
            sequence += 1
            value_done, fee_done = value_upto, fee_upto
        proceeds += value
        exit_fees += fee
        last, last_ms = event, time
        if not held:
            position.closed, position.closing = True, trade
            break

    # 3. The local variables back into the position and its lots.
    inventory.cost_rest, inventory.fees_rest = cost_rest, fees_rest
    position.quantity, position.entry_quantity = held, entry_quantity
    position.entry_cost, position.entry_fees = entry_cost, entry_fees
    position.proceeds, position.exit_fees = proceeds, exit_fees
    position.cost, position.used_fees = cost_out, fees_out
    if last is not before:
        position.last_ms, position.dirty = last_ms, True
    return last, other
