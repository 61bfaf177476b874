"""Inventories that do not consume their oldest lot first: the latest (`lifo`) or the costliest (`hifo`).

Several of their lots may be half consumed at a time. Money is therefore kept at scale UNIT whatever the position's own,
and what goes out is the running total of all lots' shares, cut to whole units: so the finer scale of a later event
changes nothing that was published, and an exact split of a fill no total.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from core.money import UNIT
from portfolio.accounting.lots import Lot, Slice


class OpenLot:
    """What is left of an entry fill; cost and fees at scale UNIT. Sorts the way the costliest leave: highest cost of
    one first, then the earliest, then the first that came. Compared by products: a division would round."""

    __slots__ = (
        "cost",
        "cost_taken",
        "fact",
        "fees",
        "fees_taken",
        "fill_id",
        "left",
        "number",
        "size",
        "symbol",
        "time",
    )

    def __init__(self, lot: Lot, number: int, fine: int) -> None:
        self.symbol, self.fill_id, self.time, self.size, cost, fees, self.fact = lot
        self.number, self.left, self.cost, self.fees = number, self.size, cost * fine, fees * fine
        self.cost_taken = self.fees_taken = 0

    def __lt__(self, other: "OpenLot") -> bool:
        ours, theirs = self.cost * other.size, other.cost * self.size
        return ours > theirs if ours != theirs else (self.time, self.number) < (other.time, other.number)

    def take(self, quantity: int) -> tuple[int, int]:
        """Cost and fees of a part, at scale UNIT: floors of the running shares."""
        self.left -= quantity
        gone = self.size - self.left
        cost, fees = self.cost * gone // self.size, self.fees * gone // self.size
        parts = cost - self.cost_taken, fees - self.fees_taken
        self.cost_taken, self.fees_taken = cost, fees
        return parts


class Ranked(ABC):
    """Consumes the lot that ranks first; the ranking is the subclass's."""

    __slots__ = ("_came", "_fine", "cost_rest", "fees_rest")

    def __init__(self) -> None:
        self._came = 0
        self._fine = UNIT
        # Below one unit: taken out of lots and not yet passed on.
        self.cost_rest = self.fees_rest = 0

    def add(self, lot: Lot) -> None:
        self._came += 1
        self.place(OpenLot(lot, self._came, self._fine))

    def take(self, quantity: int) -> list[Slice]:
        slices: list[Slice] = []
        while quantity:
            lot = self.first()
            part = min(quantity, lot.left)
            quantity -= part
            cost, fees = lot.take(part)
            if not lot.left:
                self.drop_first()
            cost_units, self.cost_rest = divmod(cost + self.cost_rest, UNIT)
            fees_units, self.fees_rest = divmod(fees + self.fees_rest, UNIT)
            slices.append((lot.symbol, lot.fill_id, lot.time, part, cost_units, fees_units, lot.fact))
        return slices

    def refine(self) -> None:
        self._fine = 1

    def dump(self) -> list[list[Any]]:
        """The rests and how many lots came, then of each lot in the order they came: symbol, fill id, time, fact,
        number, quantity left, quantity, cost, fees, cost taken, fees taken."""
        rows = [
            [
                *(lot.symbol, lot.fill_id, lot.time, lot.fact, lot.number),
                *map(str, (lot.left, lot.size, lot.cost, lot.fees, lot.cost_taken, lot.fees_taken)),
            ]
            for lot in sorted(self.held(), key=attrgetter("number"))
        ]
        return [[str(self.cost_rest), str(self.fees_rest), self._came], *rows]

    def load(self, rows: list[list[Any]], scale: int) -> None:
        self.cost_rest, self.fees_rest, self._came = map(int, rows[0])
        for symbol, fill_id, time, fact, number, *amounts in rows[1:]:
            left, size, cost, fees, cost_taken, fees_taken = map(int, amounts)
            lot = OpenLot((symbol, fill_id, time, size, cost, fees, fact), number, 1)
            lot.left, lot.cost_taken, lot.fees_taken = left, cost_taken, fees_taken
            self.place(lot)
        self._fine = UNIT // scale

    @abstractmethod
    def place(self, lot: OpenLot) -> None:
        """Put a lot among the others."""

    @abstractmethod
    def first(self) -> OpenLot:
        """The lot that leaves next."""

    @abstractmethod
    def drop_first(self) -> object:
        """Forget that lot: nothing of it is left."""

    @abstractmethod
    def held(self) -> Iterable[OpenLot]:
        """All lots, in any order."""


class Lifo(Ranked):
    """Latest lot first, of those of one moment the last that came; each at its own cost."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        super().__init__()
        self._lots: list[OpenLot] = []

    def place(self, lot: OpenLot) -> None:
        lots = self._lots
        place = len(lots)
        while place and (lots[place - 1].time, lots[place - 1].number) > (lot.time, lot.number):
            place -= 1
        lots.insert(place, lot)

    def first(self) -> OpenLot:
        return self._lots[-1]

    def drop_first(self) -> None:
        self._lots.pop()

    def held(self) -> Iterable[OpenLot]:
        return self._lots


class Hifo(Ranked):
    """Costliest lot first, each at its own cost (fees apart)."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        super().__init__()
        # Before each its cost of one, negative and cut: most lots differ by it, and integers compare fastest.
        self._lots: list[tuple[int, OpenLot]] = []

    def place(self, lot: OpenLot) -> None:
        heappush(self._lots, (-(lot.cost // lot.size), lot))

    def first(self) -> OpenLot:
        return self._lots[0][1]

    def drop_first(self) -> None:
        heappop(self._lots)

    def held(self) -> Iterable[OpenLot]:
        return (lot for _, lot in self._lots)
