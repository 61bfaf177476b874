"""What a withdrawal takes out of a book, and what a transfer of it brings into another."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from portfolio.accounting.events import Event, deposit, receipt
from portfolio.accounting.lots import Slice
from portfolio.accounting.results import AllocationKind, MovedRow


def taken(event: Event, unknown: int, slices: Sequence[Slice]) -> Iterator[MovedRow]:
    """A withdrawal's parts as they were taken: coins of unknown cost, the position's, dust."""
    time, fact = event.time, event.fact
    if unknown:
        yield MovedRow(fact, 0, AllocationKind.UNKNOWN, unknown, 0, 0, time, time, None)
    for sequence, (_, lot_id, entered, quantity, cost, fees, lot_fact) in enumerate(slices, unknown > 0):
        kind = AllocationKind.DUST if lot_id is None else AllocationKind.LOT
        yield MovedRow(fact, sequence, kind, quantity, cost, fees, entered, time, lot_fact)


class Carried(NamedTuple):
    """A part of what a withdrawal took, as it is stored; `cost` is None where it is unknown."""

    quantity: int
    cost: int | None
    fees: int
    entered_ms: int


def arriving(
    parts: Sequence[Carried], *, transfer_id: str, asset: str, time_ms: int, quantity: int, fact: int
) -> Iterator[Event]:
    """The events of a deposit that carries its cost. The last parts paid what was lost on the way (the network's fee);
    more than was carried came at unknown cost. Parts have ids of one length, so that they sort as they came."""
    width = len(str(len(parts)))
    wanted = quantity
    for number, part in enumerate(parts):
        size = min(part.quantity, wanted)
        wanted -= size
        if not size:
            break
        name = f"{transfer_id}#{number:0{width}d}"
        if part.cost is None:
            yield deposit(transfer_id=name, time_ms=time_ms, quantity=size)
            continue
        cost, fees = part.cost * size // part.quantity, part.fees * size // part.quantity
        yield receipt(
            transfer_id=name, asset=asset, time_ms=time_ms, quantity=size, cost=cost, fee=fees,
            entered_ms=min(part.entered_ms, time_ms), fact=fact,
        )  # fmt: skip
    if wanted:
        yield deposit(transfer_id=f"{transfer_id}#{len(parts):0{width}d}", time_ms=time_ms, quantity=wanted)
