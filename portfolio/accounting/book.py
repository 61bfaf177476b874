"""One book while it is folded: applies events, publishes what follows. The rules stand in `engine`.

`apply` knows every event in every state. `run` leaves most of them to `plain`, which books the ordinary ones of an
open position faster and to the same digit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from core.money import UNIT
from portfolio.accounting import moved, plain, plain_ranked
from portfolio.accounting.events import Event, EventKind, OutOfOrder, Receipt, fold_key, require_later
from portfolio.accounting.lots import Average, Fifo, Inventory, Pool, Slice
from portfolio.accounting.ranked import Hifo, Lifo
from portfolio.accounting.results import (
    AllocationKind,
    Checkpoint,
    Mark,
    PositionKey,
    Sink,
    State,
    TradeKey,
    TradeKind,
)
from portfolio.accounting.state import OPEN_ORDERS, OpenPosition, OpenTrade, Totals, load_checkpoint

DAY_MS: Final = 86_400_000
NO_DAY: Final = (-1, 0, 0, 0, 0, 0)
# Members by name: looking one up on its class costs more than comparing it.
_LOT, _DUST, _UNKNOWN = AllocationKind.LOT, AllocationKind.DUST, AllocationKind.UNKNOWN
_EXIT, _FEE = EventKind.EXIT, EventKind.FEE
_TRADE_KINDS: Final = {_EXIT: TradeKind.TRADE, _FEE: TradeKind.FEE}
_PLAIN: Final[Mapping[type[Inventory], Callable[..., tuple[Event, Event | None]]]] = {
    Fifo: plain.fold, Average: plain.fold, Lifo: plain_ranked.fold, Hifo: plain_ranked.fold,
}  # fmt: skip
_new: Final = tuple.__new__  # a named tuple without its constructor's cost


class Book:
    """A book's state unfolded into objects, for the length of one fold."""

    __slots__ = (
        "_allocated", "_day", "_day_end", "_dust", "_flat", "_flows", "_handlers", "_last", "_last_ms", "_position",
        "_sink", "_step", "_unknown",
    )  # fmt: skip

    def __init__(self, state: State, sink: Sink) -> None:
        self._flat = flat = load_checkpoint(state)
        self._step = flat.step
        self._last: Event | None = None
        self._unknown = flat.unknown
        self._dust = Pool(*flat.dust)
        self._day, *self._flows = flat.day
        self._day_end = (self._day + 1) * DAY_MS
        self._last_ms = max(flat.last[0] if flat.last else -1, self._day * DAY_MS - 1)
        self._position = OpenPosition.load(state["position"]) if state["position"] else None
        self._handlers = (
            self._enter, self._exit, self._exit, self._enter, self._deposit, self._withdraw, self._receive,
        )  # fmt: skip
        self._sink = sink
        self._allocated = sink.allocation

    def run(self, events: Iterable[Event]) -> None:
        stream = iter(events)
        event = next(stream, None)
        while event is not None:
            self.apply(event)
            event = self._run_plain(event, stream)

    def apply(self, event: Event) -> None:
        """Book any event, whatever the state."""
        time = event[0]
        if time <= self._last_ms:
            self._require_order(event)
        if time >= self._day_end:
            self._start_day(time // DAY_MS)
        self._handlers[event[3]](event)
        self._last, self._last_ms = event, time

    def _run_plain(self, last: Event, stream: Iterator[Event]) -> Event | None:
        """Book the plain events that follow; the next event of another kind."""
        position = self._position
        if position is None or position.closed or position.scale != 1:
            return next(stream, None)
        self._last, event = _PLAIN[type(position.inventory)](
            position,
            position.inventory,
            stream,
            last,
            day_end=self._day_end,
            step=self._step,
            start_trade=self._trade,
            allocated=self._allocated,
        )
        self._last_ms = self._last[0]
        return event or next(stream, None)

    def emit_open(self) -> None:
        """What changed in this fold and may change again."""
        if self._last is None:
            return
        if self._position:
            self._emit(self._position, self._position.totals())
        self._mark()

    def dump(self) -> State:
        position = self._position
        return {**self._checkpoint().state(), "position": position.dump() if position else None}

    # Inflows

    def _enter(self, event: Event) -> None:
        time, fill_id, symbol, _, _, quantity, value, fee, scale, fact = event
        position = self._position
        if position is None or position.closed:
            position = self._reopen(event)
        if scale != position.scale:
            value, fee = position.rescale(value, fee, scale)
        entered = event.entered_ms if isinstance(event, Receipt) else time
        position.inventory.add((symbol, fill_id, entered, quantity, value, fee, fact))
        position.quantity += quantity
        position.entry_quantity += quantity
        position.entry_cost += value
        position.entry_fees += fee
        position.last_ms = time
        position.dirty = True

    def _receive(self, event: Event) -> None:
        """An entry at a cost that the day did not pay: neither that nor its fees are the day's."""
        position = self._position
        if position is None or position.closed:
            position = self._reopen(event)
        cost, fees = position.published(position.entry_cost), position.published(position.entry_fees)
        self._enter(event)
        self._flows[1] -= position.published(position.entry_fees) - fees
        self._flows[3] -= event.quantity
        self._flows[4] -= position.published(position.entry_cost) - cost

    def _deposit(self, event: Event) -> None:
        self._settle()
        self._unknown += event.quantity

    # Outflows

    def _exit(self, event: Event) -> None:
        time, _, symbol, kind, order_id, quantity, value, fee, scale, _ = event
        position = self._position
        if position is None or position.closed:
            position = self._reopen(event)
        trade = position.trade
        if trade is None or trade.key[1:4] != (symbol, order_id, _TRADE_KINDS[kind]):
            trade = self._trade(position, event, position.totals())
        if scale != position.scale:
            value, fee = position.rescale(value, fee, scale)
        position.last_ms = trade.exit_ms = time
        position.dirty = True
        left = position.quantity - quantity
        if left < self._step:
            slices, value, fee = self._take_last(position, trade, event, value, fee)
        else:
            position.quantity = left
            slices = position.inventory.take(quantity)
        self._allocate(position, trade, event, slices, value, fee)

    def _take_last(
        self, position: OpenPosition, trade: OpenTrade, event: Event, value: int, fee: int
    ) -> tuple[list[Slice], int, int]:
        """What is left for an exit that leaves nothing, or dust: it closes, and takes all cost and entry fees left.

        Gives the slices and the event's value and fee at the position's scale.
        """
        wanted, held = event.quantity, position.quantity
        known = lots = wanted if wanted < held else held
        slices = position.inventory.take(lots) if lots else []
        position.quantity = held - lots
        last = len(slices) - 1
        if known < wanted:
            known += self._take_dust(position, wanted - known, event.time, slices)
            if known and position.scale == 1 and known < wanted:
                # The known share of the fill's value is no whole number of units: keep the finer part.
                position.refine()
                value, fee = value * UNIT, fee * UNIT
        cost_left, fees_left = position.close()
        position.closing = trade
        if lots:
            for part in slices:
                cost_left -= part[4]
                fees_left -= part[5]
            symbol, fill_id, time, size, cost, fees, fact = slices[last]
            slices[last] = symbol, fill_id, time, size, cost + cost_left, fees + fees_left, fact
        return slices, value, fee

    def _take_dust(self, position: OpenPosition, wanted: int, time: int, slices: list[Slice]) -> int:
        """Consume the dust pool; the quantity found."""
        found = min(wanted, self._dust.quantity)
        if found:
            cost = self._dust.take(found)
            position.dust_in_quantity += found
            position.dust_in_cost += cost
            slices.append((None, None, time, found, cost, 0, None))
        return found

    def _allocate(
        self, position: OpenPosition, trade: OpenTrade, event: Event, slices: list[Slice], value: int, fee: int
    ) -> None:  # fmt: skip
        """Share the fill's value and fee over what it consumed and publish each part."""
        time, fill_id, _, _, _, quantity, _, _, _, fact = event
        key, allocated, scale, last = trade.key, self._allocated, position.scale, len(slices) - 1
        value_before = value_sum = position.proceeds
        fee_before = fee_sum = position.exit_fees
        proceeds, paid = position.published(value_before), position.published(fee_before)
        done = cost_sum = fees_sum = 0
        for sequence, (symbol, lot_id, lot_time, part, cost, fees, lot_fact) in enumerate(slices):
            done += part
            if done == quantity:
                value_sum, fee_sum = value_before + value, fee_before + fee
            else:
                value_sum = value_before + value * done // quantity
                fee_sum = fee_before + fee * done // quantity
            if scale == 1:
                proceeds_upto, paid_upto = value_sum, fee_sum
            elif sequence < last:
                proceeds_upto, paid_upto = value_sum // scale, fee_sum // scale
            else:
                proceeds_upto, paid_upto = position.published(value_sum), position.published(fee_sum)
            row = (
                key, fill_id, sequence, _LOT if lot_id is not None else _DUST, symbol, lot_id, part, cost,
                proceeds_upto - proceeds, fees, paid_upto - paid, time, lot_fact, fact,
            )  # fmt: skip
            allocated(row)
            proceeds, paid = proceeds_upto, paid_upto
            cost_sum += cost
            fees_sum += fees
            if lot_time < trade.entry_ms:
                trade.entry_ms = lot_time
        position.cost += cost_sum
        position.used_fees += fees_sum
        position.proceeds, position.exit_fees = value_sum, fee_sum
        if done < quantity:
            self._sell_unknown(position, trade, event, quantity - done, value, fee, len(slices))

    def _sell_unknown(
        self, position: OpenPosition, trade: OpenTrade, event: Event, quantity: int, value: int, fee: int, sequence: int
    ) -> None:  # fmt: skip
        """The part of an exit that nothing known covers."""
        known = event.quantity - quantity
        proceeds, paid = position.published(position.unknown_proceeds), position.published(position.exit_fees)
        position.unknown_quantity += quantity
        position.unknown_proceeds += value - value * known // event.quantity
        position.exit_fees += fee - fee * known // event.quantity
        proceeds = position.published(position.unknown_proceeds) - proceeds
        paid = position.published(position.exit_fees) - paid
        self._unknown -= min(quantity, self._unknown)
        self._allocated((
            trade.key, event.event_id, sequence, _UNKNOWN, None, None, quantity, 0, proceeds, 0, paid, event.time,
            None, event.fact,
        ))  # fmt: skip

    def _withdraw(self, event: Event) -> None:
        self._settle()
        wanted = event.quantity
        unknown = min(wanted, self._unknown)
        self._unknown -= unknown
        wanted -= unknown
        position = self._position
        slices: list[Slice] = []
        if position and wanted:
            slices = self._move_out(position, min(wanted, position.quantity), event.time)
            wanted -= sum(part[3] for part in slices)
        dust = min(wanted, self._dust.quantity)
        if dust:
            cost = self._dust.take(dust)
            self._flows[3] += dust
            self._flows[4] += cost
            slices.append((None, None, event.time, dust, cost, 0, None))
        for row in moved.taken(event, unknown, slices):
            self._sink.moved(row)

    def _move_out(self, position: OpenPosition, quantity: int, time: int) -> list[Slice]:
        """Take known coins out of the position at cost, with their entry fees; all that is left if it empties."""
        slices = position.inventory.take(quantity)
        position.quantity -= quantity
        position.moved_quantity += quantity
        position.moved_cost += sum(part[4] for part in slices)
        position.moved_fees += sum(part[5] for part in slices)
        position.last_ms = time
        position.dirty = True
        if position.quantity < self._step:
            cost_left, fees_left = position.close()
            position.moved_cost += cost_left
            position.moved_fees += fees_left
            *_, (symbol, fill_id, entered, size, cost, fees, fact) = slices
            slices[-1] = symbol, fill_id, entered, size, cost + cost_left, fees + fees_left, fact
        return slices

    # Positions and trades

    def _open(self, event: Event) -> OpenPosition:
        self._settle()
        time, fill_id, symbol, kind, order_id, _, _, _, scale, fact = event
        if kind is _EXIT or kind is _FEE:
            order_id = ""
        key = _new(PositionKey, (symbol, fill_id))
        self._position = position = OpenPosition(key, order_id, time, scale, self._checkpoint(), fact)
        return position

    def _reopen(self, event: Event) -> OpenPosition:
        """The closed position if its closing order fills on, or the fill that opened it does (a payment of coins that
        nobody had seen, and its rebate in the same coin); else a new one."""
        position = self._position
        closing = position.closing if position else None
        if position is None or closing is None:
            return self._open(event)
        fills_on = event.kind in _TRADE_KINDS and closing.key[1:3] == (event.symbol, event.order_id)
        if not fills_on and position.key != (event.symbol, event.event_id):
            return self._open(event)
        position.closed, position.closing = False, None
        closing.dirty = True
        return position

    def _settle(self) -> None:
        """Once a closed position can no longer change: its rows leave, its dust joins the pool."""
        position = self._position
        if position is None or not position.closed:
            return
        totals = position.totals()
        self._emit(position, totals)
        if position.quantity:
            self._dust.add(position.quantity, position.dust_out_cost)
        self._flows = position.add_flows(self._flows, totals)
        self._position = None

    def _trade(self, position: OpenPosition, event: Event, totals: Totals) -> OpenTrade:
        """The running trade of the event's order; the order longest untouched makes room."""
        time, fill_id, symbol, kind, order_id, _, _, _, _, fact = event
        name = symbol, order_id, kind
        if position.trade:
            position.trade.now = totals
        trades = position.trades
        trade = trades.pop(name, None)
        if trade is None:
            if len(trades) >= OPEN_ORDERS:
                self._emit_trade(position, trades.pop(next(iter(trades))))
            key = _new(TradeKey, (position.key, symbol, order_id, _TRADE_KINDS[kind], fill_id))
            trade = OpenTrade(key, time, totals, fact)
        else:
            trade.resume(totals)
        trades[name] = position.trade = trade
        return trade

    # Output

    def _emit(self, position: OpenPosition, totals: Totals) -> None:
        if position.trade:
            position.trade.now = totals
        for trade in position.trades.values():
            self._emit_trade(position, trade)
        if position.dirty:
            position.dirty = False
            self._sink.position(position.row(totals))

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
            self._position.marked = self._position.flows(self._position.totals())

    def _mark(self) -> None:
        position, pool = self._position, self._dust
        quantity = cost = 0
        dust_quantity, dust_cost = pool.quantity, pool.cost
        if position and position.closed:
            dust_quantity += position.quantity
            dust_cost += position.dust_out_cost
        elif position:
            quantity, cost = position.quantity, position.remaining_cost()
        flows = position.add_flows(self._flows, position.totals()) if position else self._flows
        self._sink.mark(Mark(self._day, quantity, cost, dust_quantity, dust_cost, self._unknown, *flows))

    # State

    def _checkpoint(self) -> Checkpoint:
        last, flat = self._last, self._flat
        key = (last[0], last[1], last[2], int(last[3])) if last else flat.last
        day = (self._day, *self._flows)
        return _new(Checkpoint, (*flat[:3], key, self._unknown, self._dust.dump(), day))

    def _require_order(self, event: Event) -> None:
        if event.time < self._day * DAY_MS:
            raise OutOfOrder(f"{event.kind.name} {event.event_id} is of a day already marked.")
        require_later(event, fold_key(self._last) if self._last else self._flat.last_key())
