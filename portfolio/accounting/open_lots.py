"""What a book holds now, lot by lot, at the cost an exit of everything would take from each."""

from collections.abc import Iterator
from typing import NamedTuple

from portfolio.accounting.contract_state import OpenEpisode
from portfolio.accounting.lots import Inventory, Pool
from portfolio.accounting.results import State
from portfolio.accounting.state import OpenPosition, load_checkpoint


class OpenLot(NamedTuple):
    """A part of an entry that is held, in units; dust of closed positions has no entry. `cost` of a contract is its
    entry value in the settle asset."""

    symbol: str | None
    entry_id: str | None
    entered_ms: int | None
    quantity: int
    cost: int
    entry_fee: int
    fact: int | None
    side: str


def open_lots(state: State) -> Iterator[OpenLot]:
    """Of a coin's book; the state is left as it is."""
    if not state:
        return
    saved = state["position"]
    if saved and not saved["closed"]:
        position = OpenPosition.load(saved)
        yield from _lots(position.inventory, position.quantity, "LONG")
    pool = Pool(*load_checkpoint(state).dust)
    if pool.quantity:
        yield OpenLot(None, None, None, pool.quantity, pool.cost, 0, None, "LONG")


def open_contract_lots(state: State, method: str) -> Iterator[OpenLot]:
    """Of a contract's book; the state is left as it is."""
    saved = state["position"] if state else None
    if saved:
        episode = OpenEpisode.load(saved, method)
        if not episode.closed:
            yield from _lots(episode.inventory, episode.quantity, episode.side.value)


def _lots(inventory: Inventory, quantity: int, side: str) -> Iterator[OpenLot]:
    if quantity:
        for part in inventory.take(quantity):
            yield OpenLot(*part, side)
