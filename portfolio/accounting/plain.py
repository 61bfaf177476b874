"""The fast path of a fold: an open position's plain events, in one loop over local variables.

Plain is an entry or exit in whole units of 10**-18, on the day of the event before it, that finds all it needs in the
position's lots and leaves none or at least a step of them. Nothing else is ever booked here: days, transfers, dust,
unknown cost, money at the finer scale and closing orders that fill on go to `Book.apply`, which knows all cases, plain
ones too. On those it does the same arithmetic, of which only this much can differ from zero or be rounded:

- An allocation's proceeds and exit fee: floors of the fill's running shares, the last part taking the rest.
- Its cost and entry fees: for `fifo` the floor of the lot's running share, a finished lot giving all it has left; for
  `average` the rounded running share of `Average.line`. Both end at the whole, so an exit that leaves nothing leaves
  no cost either.
- The position's totals: sums of these. Lots are consumed oldest first, so the first one an order meets is its earliest.

Tests hold the two paths equal, rows and state, on random histories.
"""

from collections.abc import Callable, Iterator
from typing import Final

from portfolio.accounting.events import Event, EventKind, fold_key, require_later
from portfolio.accounting.lots import Average, Fifo
from portfolio.accounting.results import AllocationKind, AllocationRow
from portfolio.accounting.state import OpenPosition, OpenTrade, Totals

# Members by name: looking one up on its class costs more than comparing it.
_ENTRY, _EXIT, _FEE, _REBATE = EventKind.ENTRY, EventKind.EXIT, EventKind.FEE, EventKind.REBATE
_LOT: Final = AllocationKind.LOT


def fold(
    position: OpenPosition,
    inventory: Fifo | Average,
    events: Iterator[Event],
    last: Event,
    *,
    day_end: int,
    step: int,
    start_trade: Callable[[OpenPosition, Event, Totals], OpenTrade],
    allocated: Callable[[AllocationRow], object],
) -> tuple[Event, Event | None]:
    """Book plain events until the position closes or another kind of event comes.

    `last` is the event before these, `day_end` the end of its day in milliseconds. Gives the last event booked and
    the first one that is not plain, None if there is none or the position closed. Raises OutOfOrder.

    One long function on purpose: a call or an attribute per event would cost as much as the arithmetic. Its sections
    share some twenty local variables, which `Book.apply`, the readable path, keeps in objects instead.
    """
    # 1. The position and its lots into local variables.
    before, last_ms, other = last, last[0], None
    held, entry_quantity, entry_cost, entry_fees = (
        position.quantity, position.entry_quantity, position.entry_cost, position.entry_fees,
    )  # fmt: skip
    proceeds, exit_fees = position.proceeds, position.exit_fees
    # What no plain event changes.
    other_in = position.dust_in_quantity - position.moved_quantity
    unknown_quantity, unknown_proceeds = position.unknown_quantity, position.unknown_proceeds
    trade: OpenTrade
    trade_order, trade_symbol, trade_kind = "", "", None

    # The lot being consumed is out of the queue, with `left` of its `size`; 0 if the next one is whole.
    lots, left = inventory.lots, inventory.left
    cost_taken, fees_taken = inventory.cost_taken, inventory.fees_taken
    # Cost and entry fees that went out are these and what is taken of the present lot, or average.
    cost_out, fees_out = position.cost - cost_taken, position.used_fees - fees_taken
    if left:
        lot_symbol, lot_id, lot_time, size, lot_cost, lot_fees, lot_fact = lots.popleft()
    average = inventory if isinstance(inventory, Average) else None
    taken = 0 if average is None else average.taken
    # The entries that the average is of; `whole` is 0 until an exit needs it again.
    averaged_quantity, averaged_cost, averaged_fees, whole = entry_quantity, entry_cost, entry_fees, 0

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
            lots.append((symbol, fill_id, time, quantity, value, fee, fact))
            held += quantity
            entry_quantity += quantity
            entry_cost += value
            entry_fees += fee
            whole = 0
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
                entry_quantity + other_in - held - quantity, cost_out + cost_taken, proceeds,
                fees_out + fees_taken, exit_fees, unknown_quantity, unknown_proceeds,
            )  # fmt: skip
            trade = start_trade(position, event, totals)
            trade_key, trade_order, trade_symbol, trade_kind = trade.key, order_id, symbol, kind
            oldest = lot_time if left else lots[0][2]
            if oldest < trade.entry_ms:
                trade.entry_ms = oldest
        trade.exit_ms = time
        # The average it leaves at, if entries came since the exit before.
        if average is not None and not whole:
            if entry_quantity != averaged_quantity:
                average.taken, average.cost_taken, average.fees_taken = taken, cost_taken, fees_taken
                average.raise_by(
                    entry_quantity - averaged_quantity, entry_cost - averaged_cost, entry_fees - averaged_fees
                )
                cost_out += cost_taken
                fees_out += fees_taken
                taken = cost_taken = fees_taken = 0
                averaged_quantity, averaged_cost, averaged_fees = entry_quantity, entry_cost, entry_fees
            whole, cost_base, pool_cost, fees_base, pool_fees = average.line()

        # One allocation for each lot it finishes, and one for the lot it ends in.
        wanted, sequence, value_done, fee_done = quantity, 0, 0, 0
        while wanted > left:  # finish a lot and go on with the next
            if left:
                wanted -= left
                if average is not None:
                    taken += left
                    cost_upto = (cost_base + pool_cost * taken) // whole
                    fees_upto = (fees_base + pool_fees * taken) // whole if pool_fees else fees_taken
                    cost, fees = cost_upto - cost_taken, fees_upto - fees_taken
                    cost_taken, fees_taken = cost_upto, fees_upto
                else:
                    cost, fees = lot_cost - cost_taken, lot_fees - fees_taken
                    cost_taken, fees_taken = lot_cost, lot_fees
                done = quantity - wanted
                value_upto, fee_upto = value * done // quantity, fee * done // quantity
                allocated((
                    trade_key, fill_id, sequence, _LOT, lot_symbol, lot_id, left, cost,
                    value_upto - value_done, fees, fee_upto - fee_done, time, lot_fact, fact,
                ))  # fmt: skip
                sequence += 1
                value_done, fee_done = value_upto, fee_upto
            if average is None:
                cost_out += cost_taken
                fees_out += fees_taken
                cost_taken = fees_taken = 0
            lot_symbol, lot_id, lot_time, size, lot_cost, lot_fees, lot_fact = lots.popleft()
            left = size

        left -= wanted
        if average is not None:
            taken += wanted
            cost_upto = (cost_base + pool_cost * taken) // whole
            fees_upto = (fees_base + pool_fees * taken) // whole if pool_fees else fees_taken
        elif left:
            done = size - left
            cost_upto, fees_upto = lot_cost * done // size, lot_fees * done // size
        else:
            cost_upto, fees_upto = lot_cost, lot_fees
        cost, fees = cost_upto - cost_taken, fees_upto - fees_taken
        cost_taken, fees_taken = cost_upto, fees_upto
        proceeds += value
        exit_fees += fee
        if sequence:
            value, fee = value - value_done, fee - fee_done
        allocated((
            trade_key, fill_id, sequence, _LOT, lot_symbol, lot_id, wanted, cost, value, fees, fee, time,
            lot_fact, fact,
        ))  # fmt: skip
        last, last_ms = event, time
        if not held:
            position.closed, position.closing = True, trade
            break

    # 3. The local variables back into the position and its lots.
    position.cost, position.used_fees = cost_out + cost_taken, fees_out + fees_taken
    if left:
        lots.appendleft((lot_symbol, lot_id, lot_time, size, lot_cost, lot_fees, lot_fact))
    elif average is None:
        cost_taken = fees_taken = 0
    inventory.left, inventory.cost_taken, inventory.fees_taken = left, cost_taken, fees_taken
    if average is not None:
        average.taken = taken
        if entry_quantity != averaged_quantity:
            average.raise_by(
                entry_quantity - averaged_quantity, entry_cost - averaged_cost, entry_fees - averaged_fees
            )
    position.quantity, position.entry_quantity = held, entry_quantity
    position.entry_cost, position.entry_fees = entry_cost, entry_fees
    position.proceeds, position.exit_fees = proceeds, exit_fees
    if last is not before:
        position.last_ms, position.dirty = last_ms, True
    return last, other
