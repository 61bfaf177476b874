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
- A receipt (coins given, of a stated cost, or carried from another account) is an entry that takes its place among the
  lots by the time the coins were got. Neither its cost nor its fees are the day's: they were paid elsewhere, or never.
- What a withdrawal takes leaves part by part through `sink.moved`: a transfer carries it on.
- Entry fees go to exits by quantity: with `average` the running average fee, with `fifo` the lot's own.
- Money is exact (`events`) and published in units of 10**-18 cumulatively: a published amount is the running total
  after less the running total before, rounded half-even at the end of a fill (a running average's to the nearest
  unit); shares within a fill or a lot are cut by floor. So parts sum to the whole, and an exact split of a fill
  changes no position and no trade.
- A fill can move one book twice: ADA sold for ETH with a fee in ETH. The parts of such a fill and of its fee then come
  in turn. That still changes no position where both go the same way, or with `fifo`, as long as the book holds enough;
  its trades may differ in the last digits. With `average` a fee out of an entry leaves at the average of what had come
  in by then, so there a split changes the cost, as any other order of entries and exits does.
"""

from collections.abc import Iterable
from typing import Final

from core.errors import Conflict, Invalid
from portfolio.accounting.book import NO_DAY, Book
from portfolio.accounting.events import Event, FoldKey
from portfolio.accounting.methods import METHODS
from portfolio.accounting.results import Checkpoint, Sink, State
from portfolio.accounting.state import load_checkpoint

__all__ = ["ENGINE_VERSION", "State", "StateMismatch", "fold", "last_key", "new_state"]

ENGINE_VERSION: Final = 4
"""Raised whenever the same events would give other results; derived rows of another version are rebuilt."""


class StateMismatch(Conflict):
    """A state of another engine version: rebuild the book from its first event."""

    code = "state_mismatch"


def new_state(*, method: str = "average", step: int = 1) -> State:
    """An empty book. `step` (units) is the smallest quantity that keeps a position open; pin it per book."""
    if method not in METHODS:
        raise Invalid(f"Unknown accounting method {method!r}.")
    return Checkpoint(ENGINE_VERSION, method, max(step, 1), None, 0, (0, 0, 0), NO_DAY).state()


def fold(state: State, events: Iterable[Event], sink: Sink) -> State:
    """Apply events in `fold_key` order, all after the state's last one; the given state is left as it was.

    Results leave through `sink` as they finish, those still open (and changed) at the end.
    Raises OutOfOrder, StateMismatch.
    """
    if state["version"] != ENGINE_VERSION:
        raise StateMismatch(f"State of engine version {state['version']}, this is {ENGINE_VERSION}.")
    book = Book(state, sink)
    book.run(events)
    book.emit_open()
    return book.dump()


def last_key(state: State) -> FoldKey | None:
    """The `fold_key` of the last event folded: one that sorts after it can be appended."""
    return load_checkpoint(state).last_key()
