"""Folds a contract book's events into positions, trades, allocations and daily marks. See `contracts` for the terms.

Folding is deterministic and incremental: `fold(fold(s, a), b)` equals `fold(s, a + b)`, whatever the cut. The rules:

- A fill against the open position closes as much of it; of a book `BOTH` the rest opens the other side (a flip: value
  and fee are shared by quantity). A hedged book never turns: more than it holds is unknown, in no PnL, as in `engine`.
- Entries are consumed by the method (`lots`). The exit that leaves nothing takes all value, entry fees and funding
  left, so over a closed episode all methods agree, to the last digit.
- Funding belongs to the open episode and is shared over exits by quantity, each taking its part of what was paid until
  then. Paid after the close and before the next position, it belongs to the one just closed; before any position, to
  the day alone.
- An episode whose last fill is a liquidation is LIQUIDATED.
- Money is published cumulatively, as in `engine`: shares within a fill are cut by floor, running totals rounded
  half-even, so parts sum to the whole and an exact split of a fill changes no position and no trade.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from core.errors import Invalid
from core.money import UNIT, round_product
from portfolio.accounting.contract_state import OpenEpisode, OpenTrade
from portfolio.accounting.contracts import (
    BookSide,
    Contract,
    ContractEvent,
    ContractKey,
    ContractKind,
    ContractMark,
    ContractSink,
    fold_key,
)
from portfolio.accounting.engine import StateMismatch
from portfolio.accounting.events import OutOfOrder
from portfolio.accounting.lots import Slice
from portfolio.accounting.methods import METHODS
from portfolio.accounting.results import AllocationKind, PositionKey, State, TradeKey, TradeKind
from portfolio.accounting.state import OPEN_ORDERS

CONTRACT_VERSION: Final = 1
"""Raised whenever the same events would give other results; derived rows of another version are rebuilt."""

_DAY_MS: Final = 86_400_000


def new_state(*, side: BookSide, is_inverse: bool = False, method: str = "average") -> State:
    """An empty book."""
    if method not in METHODS:
        raise Invalid(f"Unknown accounting method {method!r}.")
    return {
        "version": CONTRACT_VERSION,
        "method": method,
        "side": str(side),
        "is_inverse": is_inverse,
        "last": None,
        "day": ["-1", "0", "0", "0", "0"],
        "position": None,
    }


def fold(state: State, events: Iterable[ContractEvent], sink: ContractSink) -> State:
    """Apply events in `fold_key` order, all after the state's last one; the given state is left as it was.

    Results leave through `sink` as they finish, those still open (and changed) at the end.
    Raises OutOfOrder, StateMismatch.
    """
    if state["version"] != CONTRACT_VERSION:
        raise StateMismatch(f"State of contract version {state['version']}, this is {CONTRACT_VERSION}.")
    book = _Book(state, sink)
    for event in events:
        book.apply(event)
    book.emit_open()
    return book.dump()


def last_key(state: State) -> ContractKey | None:
    """The `fold_key` of the last event folded: one that sorts after it can be appended."""
    last = state["last"]
    return (last[0], last[1], len(last[2]), last[2]) if last else None


class _Share(NamedTuple):
    """The part of a fill that opens, closes, or is unknown."""

    event: ContractEvent
    quantity: int
    value: int
    """Fine, in the settle asset."""
    fee: int
    """Fine."""


class _Book:
    """A book's state unfolded into objects, for the length of one fold."""

    def __init__(self, state: State, sink: ContractSink) -> None:
        self._state = state
        self._method: str = state["method"]
        self._side = BookSide(state["side"])
        self._contract = Contract(self._side, state["is_inverse"])
        self._last = last_key(state)
        self._day, *self._flows = map(int, state["day"])
        saved = state["position"]
        self._episode = OpenEpisode.load(saved, self._method) if saved else None
        self._sink = sink
        self._is_new = False

    def apply(self, event: ContractEvent) -> None:
        key = fold_key(event)
        if self._last is not None and key <= self._last:
            raise OutOfOrder(f"{event.kind.name} {event.event_id} is not later than the last event folded.")
        day = event.time // _DAY_MS
        if day != self._day:
            self._mark()
            self._day, self._flows = day, [0, 0, 0, 0]
        self._is_new = True
        if event.kind is ContractKind.FUNDING:
            self._fund(event)
        else:
            self._fill(event)
        self._last = key

    def emit_open(self) -> None:
        """What changed in this fold and may change again."""
        if self._is_new:
            self._emit()
            self._mark()

    def dump(self) -> State:
        return {**self._flat(), "position": self._episode.dump() if self._episode else None}

    def _flat(self) -> dict[str, Any]:
        last = self._last
        return {
            **self._state,
            "last": [last[0], int(last[1]), last[3]] if last else None,
            "day": [*map(str, (self._day, *self._flows))],
            "position": None,
        }

    # Funding

    def _fund(self, event: ContractEvent) -> None:
        episode = self._episode
        if episode is None:
            self._flows[2] += round_product(event.funding)
            return
        episode.dirty = True
        self._flows[2] += episode.funding.add(event.funding)
        if not episode.closed:
            episode.pool.add(0, event.funding)
            return
        gained = episode.used_funding.add(event.funding)
        for trade in episode.trades.values():
            if trade.closes:
                trade.funding += gained
                trade.dirty = True

    # Fills

    def _fill(self, event: ContractEvent) -> None:
        quantity, value, fee = event.quantity, event.value * UNIT, event.fee
        if self._is_entry(event):
            self._enter(_Share(event, quantity, value, fee), flips=False)
            return
        episode = self._episode
        held = episode.quantity if episode else 0
        closing = quantity if self._side is not BookSide.BOTH else min(quantity, held)
        part = _Share(event, closing, value * closing // quantity, fee * closing // quantity)
        self._exit(part)
        if closing < quantity:
            rest = _Share(event, quantity - closing, value - part.value, fee - part.fee)
            self._enter(rest, flips=True)

    def _is_entry(self, event: ContractEvent) -> bool:
        if self._side is BookSide.BOTH:
            episode = self._episode
            return episode is None or episode.closed or episode.is_long is event.is_buy
        return (self._side is BookSide.LONG) is event.is_buy

    def _enter(self, share: _Share, *, flips: bool) -> None:
        event, quantity, value, fee = share
        episode = self._episode
        if episode is None or episode.closed:
            episode = self._open(event, flips=flips)
        lot = (event.symbol, event.event_id, event.time, quantity, value, fee, event.fact)
        episode.inventory.add(lot)
        episode.pool.add(quantity, 0)
        episode.quantity += quantity
        episode.entry_quantity += quantity
        episode.entry_value.add(value)
        self._flows[1] += episode.entry_fees.add(fee)
        episode.last_ms, episode.dirty = event.time, True

    def _exit(self, share: _Share) -> None:
        event, quantity, _, _ = share
        episode = self._episode
        if episode is None or (episode.closed and not self._fills_on(episode, event)):
            episode = self._open(event, flips=False)
        trade = self._trade(episode, event)
        episode.last_ms = trade.exit_ms = event.time
        episode.dirty = trade.dirty = True
        known = min(quantity, episode.quantity)
        slices = episode.inventory.take(known) if known else []
        funding = episode.pool.take(known) if known else 0
        episode.quantity -= known
        episode.exit_quantity += known
        trade.funding += episode.used_funding.add(funding)
        if not episode.quantity:
            self._close(episode, trade, slices, is_liquidation=event.is_liquidation)
        trade.is_liquidation |= event.is_liquidation
        self._settle_told(episode, trade, event, self._allocate(episode, trade, share, slices))

    @staticmethod
    def _fills_on(episode: OpenEpisode, event: ContractEvent) -> bool:
        """Whether the order that closed a hedged position fills on: more than was known to be held."""
        return any(trade.closes and trade.key.order_id == event.order_id for trade in episode.trades.values())

    @staticmethod
    def _close(episode: OpenEpisode, trade: OpenTrade, slices: list[Slice], *, is_liquidation: bool) -> None:
        """The last exit takes what is left of value and entry fees."""
        episode.closed, trade.closes = True, True
        episode.is_liquidated |= is_liquidation
        if slices:
            value_left = episode.entry_value.shown - episode.used_value - sum(part[4] for part in slices)
            fees_left = episode.entry_fees.shown - episode.used_fees - sum(part[5] for part in slices)
            symbol, fill_id, time, size, value, fees, fact = slices[-1]
            slices[-1] = symbol, fill_id, time, size, value + value_left, fees + fees_left, fact

    def _allocate(self, episode: OpenEpisode, trade: OpenTrade, share: _Share, slices: list[Slice]) -> int:
        """Share an exit over what it consumed and publish each part; gives its gross in the settle asset."""
        event, quantity, value, fee = share
        direction = self._contract.direction(is_long=episode.is_long)
        price, settled, done, value_done, fee_done = event.settle_price, 0, 0, 0, 0
        for sequence, (symbol, lot_id, lot_time, part, entered, entry_fee, lot_fact) in enumerate(slices):
            done += part
            value_upto, fee_upto = value * done // quantity, fee * done // quantity
            left = episode.exit_value.add(value_upto - value_done)
            paid = episode.exit_fees.add(fee_upto - fee_done)
            value_done, fee_done = value_upto, fee_upto
            cost, proceeds = episode.cost.add(entered * price), episode.proceeds.add(left * price)
            gross = direction * (proceeds - cost)
            settled += direction * (left - entered)
            episode.used_value += entered
            episode.used_fees += entry_fee
            episode.gross += gross
            trade.quantity += part
            trade.entry_value += entered
            trade.exit_value += left
            trade.cost += cost
            trade.proceeds += proceeds
            trade.gross += gross
            trade.entry_fees += entry_fee
            trade.exit_fees += paid
            trade.entry_ms = min(trade.entry_ms, lot_time)
            self._flows[0] += gross
            self._flows[1] += paid
            self._sink.allocation((
                trade.key, event.event_id, sequence, AllocationKind.LOT, symbol, lot_id, part, cost, proceeds,
                entry_fee, paid, event.time, lot_fact, event.fact,
            ))  # fmt: skip
        episode.settled_gross += settled
        trade.settled_gross += settled
        if done < quantity:
            rest = _Share(event, quantity - done, value - value_done, fee - fee_done)
            self._exit_unknown(episode, trade, rest, len(slices))
        return settled

    def _exit_unknown(self, episode: OpenEpisode, trade: OpenTrade, share: _Share, sequence: int) -> None:
        """The part of an exit that nothing known covers."""
        event, quantity, value, fee = share
        paid = episode.exit_fees.add(fee)
        whole = round_product(value)
        proceeds = episode.unknown_proceeds.add(whole * event.settle_price)
        episode.unknown_quantity += quantity
        trade.unknown_quantity += quantity
        trade.unknown_value += whole
        trade.unknown_proceeds += proceeds
        trade.exit_fees += paid
        self._flows[1] += paid
        self._sink.allocation((
            trade.key, event.event_id, sequence, AllocationKind.UNKNOWN, None, None, quantity, 0, proceeds, 0, paid,
            event.time, None, event.fact,
        ))  # fmt: skip

    def _settle_told(
        self, episode: OpenEpisode, trade: OpenTrade, event: ContractEvent, settled: int
    ) -> None:
        """Hold what a fill realised against what the exchange says it did."""
        if event.realized is None:
            episode.is_told = trade.is_told = False
            self._flows[3] += settled
        else:
            episode.told += event.realized
            trade.told += event.realized
            episode.unsettled += settled - event.realized
        if episode.closed:
            episode.unsettled = 0  # what is left is the exchange's rounding: its word stands

    # Positions and trades

    def _open(self, event: ContractEvent, *, flips: bool) -> OpenEpisode:
        self._emit()
        is_flat = not flips and (self._last is None or self._last[0] < event.time)
        is_long = event.is_buy if self._side is BookSide.BOTH else self._side is BookSide.LONG
        self._episode = episode = OpenEpisode(
            PositionKey(event.symbol, event.event_id),
            side=BookSide.LONG if is_long else BookSide.SHORT,
            order_id=event.order_id if is_long is event.is_buy else "",
            opened_ms=event.time,
            fact=event.fact,
            method=self._method,
            checkpoint=self._flat() if is_flat else None,
        )
        return episode

    def _trade(self, episode: OpenEpisode, event: ContractEvent) -> OpenTrade:
        """The trade of the event's order; the order longest untouched makes room."""
        trade = episode.trades.pop(event.order_id, None)
        if trade is None:
            if len(episode.trades) >= OPEN_ORDERS:
                self._emit_trade(episode, episode.trades.pop(next(iter(episode.trades))))
            key = TradeKey(episode.key, event.symbol, event.order_id, TradeKind.TRADE, event.event_id)
            trade = OpenTrade(key, event.time, event.fact)
        episode.trades[event.order_id] = trade
        return trade

    # Output

    def _emit(self) -> None:
        episode = self._episode
        if episode is None:
            return
        for trade in episode.trades.values():
            self._emit_trade(episode, trade)
        if episode.dirty:
            episode.dirty = False
            self._sink.position(episode.row(self._contract))

    def _emit_trade(self, episode: OpenEpisode, trade: OpenTrade) -> None:
        if trade.dirty:
            trade.dirty = False
            self._sink.trade(trade.row(self._contract, episode.side))

    def _mark(self) -> None:
        if self._day < 0 or not self._is_new:
            return
        episode = self._episode
        quantity = value = unsettled = 0
        if episode and not episode.closed:
            quantity = episode.quantity if episode.is_long else -episode.quantity
            value, unsettled = episode.open_value, episode.unsettled
        self._sink.mark(ContractMark(self._day, quantity, value, unsettled, *self._flows))
