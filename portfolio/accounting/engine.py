"""Folds a book's events into positions, trades, allocations and daily marks.

One book is one (account, base asset) in the user's reporting currency. Folding is deterministic and
incremental: `fold(fold(s, a), b)` equals `fold(s, a + b)`, whatever the cut. The rules, with `events` for
how fills become events:

- A position opens with an entry (or with an exit when nothing known is held) and closes when an outflow
  leaves less than `step`. The dust left leaves at the average cost of all the episode's entries, without
  PnL and without fees, into the book's dust pool; the closing outflow takes the rest of cost and entry
  fees. So over a closed episode all methods agree on realised PnL, to the last digit (withdrawals out of it
  aside: they leave at the method's own cost).
- An exit consumes the position's lots, then the dust pool at its average cost (real cost, so no gain is
  lost or made up), then the unknown: flagged, its proceeds apart, in no PnL. Its whole fee is an exit fee,
  unknown part included.
- The order that closed a position stays with it: while nothing else happens, its further fills belong to
  the closed position (out of its dust, the pool, then unknown).
- Deposits join the pool of unknown cost and open nothing. Withdrawals take from that pool first, then from
  the position at the method's cost with the entry fees attached, without a trade, then from the dust pool.
- Entry fees go to exits by quantity: with `average` the running average fee, with `fifo` the lot's own.
- Money is kept at scale 36 and rounded half-even once, cumulatively: a published amount is the rounded
  running total after less the rounded running total before. So parts sum to the whole, and an exact split
  of a fill changes no position or trade (where one order's fills and its fees leave the same book in turn,
  no position).
"""

from collections.abc import Iterable
from typing import Final

from core.errors import Conflict, Invalid
from core.money import round_product
from portfolio.accounting.events import Event, EventKind, FoldKey, fold_key
from portfolio.accounting.lots import METHODS, Pool, Slice
from portfolio.accounting.results import (
    Allocation,
    AllocationKind,
    Checkpoint,
    Mark,
    PositionKey,
    Sink,
    State,
    TradeKey,
    TradeKind,
)
from portfolio.accounting.state import OPEN_ORDERS, OpenPosition, OpenTrade, load_checkpoint

ENGINE_VERSION: Final = 1
"""Raised whenever the same events would give other results; derived rows of another version are rebuilt."""

DAY_MS: Final = 86_400_000
_NO_DAY: Final = (-1, 0, 0, 0, 0, 0)
_LOT, _DUST, _UNKNOWN = AllocationKind.LOT, AllocationKind.DUST, AllocationKind.UNKNOWN
_TRADE_KINDS: Final = {EventKind.EXIT: TradeKind.TRADE, EventKind.FEE: TradeKind.FEE}


class OutOfOrder(Conflict):
    """An event at or before the last one folded: recompute from a checkpoint before it."""

    code = "out_of_order"


class StateMismatch(Conflict):
    """A state of another engine version: rebuild the book from its first event."""

    code = "state_mismatch"


def new_state(*, method: str = "average", step: int = 1) -> State:
    """An empty book. `step` (units) is the smallest quantity that keeps a position open; pin it per book."""
    if method not in METHODS:
        raise Invalid(f"Unknown accounting method {method!r}.")
    return Checkpoint(ENGINE_VERSION, method, max(step, 1), None, 0, (0, 0, 0), _NO_DAY).state()


def fold(state: State, events: Iterable[Event], sink: Sink) -> State:
    """Apply events in `fold_key` order, all after the state's last one; the given state is left as it was.

    Results leave through `sink` as they finish, those still open (and changed) at the end.
    Raises OutOfOrder, StateMismatch.
    """
    book = _Book(state, sink)
    book.run(events)
    book.emit_open()
    return book.dump()


def last_key(state: State) -> FoldKey | None:
    """The `fold_key` of the last event folded: one that sorts after it can be appended."""
    return load_checkpoint(state).last_key()


class _Book:
    """One fold in progress."""

    __slots__ = (
        "_day",
        "_day_end",
        "_dust",
        "_flat",
        "_flows",
        "_last",
        "_position",
        "_sink",
        "_step",
        "_unknown",
    )

    def __init__(self, state: State, sink: Sink) -> None:
        if state["version"] != ENGINE_VERSION:
            raise StateMismatch(f"State of engine version {state['version']}, this is {ENGINE_VERSION}.")
        self._flat = flat = load_checkpoint(state)
        self._step = flat.step
        self._last: Event | None = None
        self._unknown = flat.unknown
        self._dust = Pool(*flat.dust)
        self._day, *self._flows = flat.day
        self._day_end = (self._day + 1) * DAY_MS
        self._position = OpenPosition.load(state["position"]) if state["position"] else None
        self._sink = sink

    def run(self, events: Iterable[Event]) -> None:
        handlers = (self._enter, self._exit, self._exit, self._enter, self._deposit, self._withdraw)
        last_time = max(self._flat.last[0] if self._flat.last else -1, self._day * DAY_MS - 1)
        for event in events:
            time = event[0]
            if time <= last_time:
                self._require_order(event)
            last_time = time
            if time >= self._day_end:
                self._start_day(time // DAY_MS)
            handlers[event[3]](event)
            self._last = event

    def emit_open(self) -> None:
        """What changed in this fold and may change again."""
        if self._last is None:
            return
        if self._position:
            self._emit(self._position)
        self._mark()

    def dump(self) -> State:
        position = self._position
        return {**self._checkpoint().state(), "position": position.dump() if position else None}

    # Inflows

    def _enter(self, event: Event) -> None:
        time, fill_id, symbol, _, _, quantity, value, fee = event
        position = self._position
        if position is None or position.closed:
            position = self._open(event)
        position.inventory.add(symbol, fill_id, time, quantity, value, fee)
        position.quantity += quantity
        position.entry_quantity += quantity
        position.entry_cost += value
        position.entry_fees += fee
        position.last_ms = time
        position.dirty = True

    def _deposit(self, event: Event) -> None:
        self._settle()
        self._unknown += event.quantity

    # Outflows

    def _exit(self, event: Event) -> None:
        position = self._position
        if position is None or position.closed:
            position = self._reopen(event)
        kind = _TRADE_KINDS[event.kind]
        trade = position.trade
        if trade is None or trade.order_id != event[4] or trade.symbol != event[2] or trade.kind is not kind:
            trade = self._trade(position, event, kind)
        quantity, held = event[5], position.quantity
        known = quantity if quantity < held else held
        slices = position.inventory.take(known) if known else []
        position.quantity = held = held - known
        if known < quantity:
            known += self._take_dust(position, quantity - known, event.time, slices)
        if held < self._step:
            self._close(position, trade, slices)
        self._allocate(position, trade, event, slices)
        if known < quantity:
            self._sell_unknown(position, trade, event, quantity - known, len(slices))
        position.last_ms = trade.exit_ms = event[0]
        position.dirty = trade.dirty = True

    def _take_dust(self, position: OpenPosition, wanted: int, time: int, slices: list[Slice]) -> int:
        """Consume the dust pool; the quantity found."""
        found = min(wanted, self._dust.quantity)
        if found:
            cost = self._dust.take(found)
            position.dust_in_quantity += found
            position.dust_in_cost += cost
            slices.append((None, None, time, found, cost, 0))
        return found

    def _close(self, position: OpenPosition, trade: OpenTrade, slices: list[Slice]) -> None:
        """Let the last exit take all cost but the dust's, and all entry fees that are left."""
        position.closed = True
        position.closing = trade
        if position.quantity:
            *head, (symbol, fill_id, time, quantity, cost, fees) = slices
            taken_cost = cost + sum(part[4] for part in head)
            taken_fees = fees + sum(part[5] for part in head)
            position.closing_cost = position.remaining_cost() - taken_cost - position.dust_cost()
            position.closing_fees = position.remaining_fees() - taken_fees
            cost += position.closing_cost
            fees += position.closing_fees
            slices[-1] = symbol, fill_id, time, quantity, cost, fees

    def _allocate(self, position: OpenPosition, trade: OpenTrade, event: Event, slices: list[Slice]) -> None:
        """Share the fill's value and fee over what it consumed and publish each part."""
        time, fill_id, _, _, _, quantity, value, fee = event
        key, emit = trade.key, self._sink.allocation
        value_before, fee_before = position.exit_proceeds, position.exit_fees
        cost_sum, fees_sum = position.exit_cost, position.used_fees
        cost, proceeds = position.cost, position.proceeds
        entry_fees, exit_fees = position.realised_fees, position.paid_exit_fees
        entry_ms = trade.entry_ms
        done = sequence = 0
        for lot_symbol, lot_id, lot_time, part, part_cost, part_fees in slices:
            done += part
            value_sum = value_before + (value if done == quantity else value * done // quantity)
            fee_sum = fee_before + (fee if done == quantity else fee * done // quantity)
            cost_sum += part_cost
            fees_sum += part_fees
            new_cost, new_proceeds = round_product(cost_sum), round_product(value_sum)
            new_entry_fees, new_exit_fees = round_product(fees_sum), round_product(fee_sum)
            emit(
                Allocation(
                    key, fill_id, sequence, _DUST if lot_id is None else _LOT, lot_symbol, lot_id, part,
                    new_cost - cost, new_proceeds - proceeds, new_entry_fees - entry_fees,
                    new_exit_fees - exit_fees, time,
                )
            )  # fmt: skip
            cost, proceeds, entry_fees, exit_fees = new_cost, new_proceeds, new_entry_fees, new_exit_fees
            if lot_time < entry_ms:
                entry_ms = lot_time
            sequence += 1
        if sequence:
            trade.entry_ms = entry_ms
            trade.quantity += done
            trade.cost += cost - position.cost
            trade.proceeds += proceeds - position.proceeds
            trade.entry_fees += entry_fees - position.realised_fees
            trade.exit_fees += exit_fees - position.paid_exit_fees
            position.exit_quantity += done
            position.exit_cost, position.exit_proceeds = cost_sum, value_sum
            position.used_fees, position.exit_fees = fees_sum, fee_sum
            position.cost, position.proceeds = cost, proceeds
            position.realised_fees, position.paid_exit_fees = entry_fees, exit_fees

    def _sell_unknown(
        self, position: OpenPosition, trade: OpenTrade, event: Event, quantity: int, sequence: int
    ) -> None:
        """The part of an exit that nothing known covers."""
        known = event.quantity - quantity
        position.unknown_quantity += quantity
        position.unknown_proceeds += event.value - event.value * known // event.quantity
        position.exit_fees += event.fee - event.fee * known // event.quantity
        proceeds = round_product(position.unknown_proceeds) - position.unknown_paid
        fee = round_product(position.exit_fees) - position.paid_exit_fees
        position.unknown_paid += proceeds
        position.paid_exit_fees += fee
        trade.unknown_quantity += quantity
        trade.unknown_proceeds += proceeds
        trade.exit_fees += fee
        self._unknown -= min(quantity, self._unknown)
        self._sink.allocation(
            Allocation(
                trade.key,
                event.event_id,
                sequence,
                _UNKNOWN,
                None,
                None,
                quantity,
                0,
                proceeds,
                0,
                fee,
                event.time,
            )
        )

    def _withdraw(self, event: Event) -> None:
        self._settle()
        wanted = event.quantity
        unknown = min(wanted, self._unknown)
        self._unknown -= unknown
        wanted -= unknown
        position = self._position
        if position and wanted:
            wanted -= self._move_out(position, min(wanted, position.quantity), event.time)
        dust = min(wanted, self._dust.quantity)
        if dust:
            cost = self._dust.cost
            self._dust.take(dust)
            self._flows[3] += dust
            self._flows[4] += round_product(cost) - round_product(self._dust.cost)

    def _move_out(self, position: OpenPosition, quantity: int, time: int) -> int:
        """Take known coins out of the position at cost, with their entry fees; all the rest when it
        empties.
        """
        slices = position.inventory.take(quantity)
        position.quantity -= quantity
        position.moved_quantity += quantity
        position.moved_cost += sum(part[4] for part in slices)
        position.moved_fees += sum(part[5] for part in slices)
        position.last_ms = time
        position.dirty = True
        if position.quantity < self._step:
            position.closed = True
            position.moved_cost += position.remaining_cost() - position.dust_cost()
            position.moved_fees += position.remaining_fees()
        return quantity

    # Positions and trades

    def _open(self, event: Event) -> OpenPosition:
        self._settle()
        key = PositionKey(event.symbol, event.event_id)
        is_entry = event.kind not in _TRADE_KINDS
        order_id = event.order_id if is_entry else ""
        self._position = OpenPosition(key, order_id, event.time, self._checkpoint())
        return self._position

    def _reopen(self, event: Event) -> OpenPosition:
        """The closed position if its closing order fills on, else a new one."""
        position = self._position
        closing = position.closing if position else None
        if (
            position is None
            or closing is None
            or (closing.symbol, closing.order_id) != (event.symbol, event.order_id)
        ):
            return self._open(event)
        position.exit_cost -= position.closing_cost
        position.used_fees -= position.closing_fees
        position.closing_cost = position.closing_fees = 0
        position.closed, position.closing = False, None
        closing.dirty = True
        return position

    def _settle(self) -> None:
        """Once a closed position can no longer change: its rows leave, its dust joins the pool."""
        position = self._position
        if position is None or not position.closed:
            return
        self._emit(position)
        if position.quantity:
            self._dust.add(position.quantity, position.remaining_cost())
        self._flows = self._day_flows()
        self._position = None

    def _trade(self, position: OpenPosition, event: Event, kind: TradeKind) -> OpenTrade:
        """The running trade of the event's order; the order longest untouched makes room."""
        name = event.symbol, event.order_id, kind
        trades = position.trades
        trade = trades.pop(name, None)
        if trade is None:
            if len(trades) >= OPEN_ORDERS:
                oldest = trades.pop(next(iter(trades)))
                self._emit_trade(position, oldest)
            trade = OpenTrade(TradeKey(position.key, *name, event.event_id))
            trade.entry_ms = event.time
        trades[name] = position.trade = trade
        return trade

    # Output

    def _emit(self, position: OpenPosition) -> None:
        for trade in position.trades.values():
            self._emit_trade(position, trade)
        if position.dirty:
            position.dirty = False
            self._sink.position(position.row())

    def _emit_trade(self, position: OpenPosition, trade: OpenTrade) -> None:
        if trade.dirty:
            trade.dirty = False
            self._sink.trade(trade.row(closes_position=trade is position.closing))

    def _start_day(self, day: int) -> None:
        if self._day >= 0:
            self._mark()
        self._day, self._day_end = day, (day + 1) * DAY_MS
        self._flows = [0] * 5
        if self._position:
            self._position.marked = self._position.flows()

    def _day_flows(self) -> list[int]:
        position = self._position
        if position is None:
            return self._flows
        flows = zip(self._flows, position.flows(), position.marked, strict=True)
        return [settled + total - marked for settled, total, marked in flows]

    def _mark(self) -> None:
        position, pool = self._position, self._dust
        quantity = cost = 0
        dust_quantity, dust_cost = pool.quantity, pool.cost
        if position and position.closed:
            dust_quantity += position.quantity
            dust_cost += position.remaining_cost()
        elif position:
            quantity, cost = position.quantity, position.open_cost()
        self._sink.mark(
            Mark(
                self._day,
                quantity,
                cost,
                dust_quantity,
                round_product(dust_cost),
                self._unknown,
                *self._day_flows(),
            )
        )

    # State

    def _checkpoint(self) -> Checkpoint:
        last, flat = self._last, self._flat
        key = (last.time, last.event_id, last.symbol, int(last.kind)) if last else flat.last
        day = (self._day, *self._flows)
        return Checkpoint(ENGINE_VERSION, flat.method, flat.step, key, self._unknown, self._dust.dump(), day)

    def _require_order(self, event: Event) -> None:
        key = fold_key(event)
        last = fold_key(self._last) if self._last else self._flat.last_key()
        if event.time < self._day * DAY_MS or (last and key <= last):
            raise OutOfOrder(f"{event.kind.name} {event.event_id} is not later than the last event folded.")
