"""Inventory of one open position: which lots an exit consumes and what they cost.

Cost and entry fees of a part [a, b) of something of quantity Q and cost C are floor(C*b/Q) - floor(C*a/Q):
the parts sum to the whole whatever way it is cut. A new method is one class with `add`, `take`, `dump` and
a place in `METHODS`.
"""

from collections import deque
from typing import Any, Protocol

# A part of an entry fill that an outflow consumed: symbol, fill id, time, quantity, cost, fees (scale 36).
Slice = tuple[str | None, str | None, int, int, int, int]


class Inventory(Protocol):
    """The lots of a position. `take` is asked for no more than was added."""

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None: ...

    def take(self, quantity: int) -> list[Slice]: ...

    def dump(self) -> list[list[Any]]: ...

    def load(self, rows: list[list[Any]]) -> None: ...


class Fifo:
    """Oldest lot first, each at its own cost."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        # Each lot: symbol, fill id, time, quantity, cost, fees, and how much of its quantity is taken.
        self._lots: deque[list[Any]] = deque()

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None:
        self._lots.append([symbol, fill_id, time, quantity, cost, fees, 0])

    def take(self, quantity: int) -> list[Slice]:
        lots = self._lots
        slices: list[Slice] = []
        while quantity:
            lot = lots[0]
            symbol, fill_id, time, size, cost, fees, taken = lot
            upto = taken + quantity
            if upto < size:
                lot[6] = upto
                part = cost * upto // size
                fee = fees * upto // size if fees else 0
                sold, quantity = quantity, 0
            else:
                lots.popleft()
                part, fee = cost, fees
                sold = size - taken
                quantity -= sold
            if taken:
                part -= cost * taken // size
                fee -= fees * taken // size if fees else 0
            slices.append((symbol, fill_id, time, sold, part, fee))
        return slices

    def dump(self) -> list[list[Any]]:
        return [[*lot[:3], *map(str, lot[3:])] for lot in self._lots]

    def load(self, rows: list[list[Any]]) -> None:
        self._lots = deque([*row[:3], *map(int, row[3:])] for row in rows)


class Average:
    """Running weighted average. Lots are consumed oldest first in quantity only; each part costs the
    average.
    """

    __slots__ = ("_cost", "_cost_taken", "_fees", "_fees_taken", "_lots", "_quantity", "_taken")

    def __init__(self) -> None:
        # Quantity, cost and fees as they stood at the last entry, and how much of each went out since.
        self._quantity = self._cost = self._fees = 0
        self._taken = self._cost_taken = self._fees_taken = 0
        # Each lot: symbol, fill id, time, quantity left.
        self._lots: deque[list[Any]] = deque()

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None:
        self._quantity += quantity - self._taken
        self._cost += cost - self._cost_taken
        self._fees += fees - self._fees_taken
        self._taken = self._cost_taken = self._fees_taken = 0
        self._lots.append([symbol, fill_id, time, quantity])

    def take(self, quantity: int) -> list[Slice]:
        lots, size, cost, fees = self._lots, self._quantity, self._cost, self._fees
        taken, cost_taken, fees_taken = self._taken, self._cost_taken, self._fees_taken
        slices: list[Slice] = []
        while quantity:
            lot = lots[0]
            symbol, fill_id, time, left = lot
            if quantity < left:
                lot[3] = left - quantity
                left, quantity = quantity, 0
            else:
                lots.popleft()
                quantity -= left
            taken += left
            cost_upto = cost * taken // size
            fees_upto = fees * taken // size
            slices.append((symbol, fill_id, time, left, cost_upto - cost_taken, fees_upto - fees_taken))
            cost_taken, fees_taken = cost_upto, fees_upto
        self._taken, self._cost_taken, self._fees_taken = taken, cost_taken, fees_taken
        return slices

    def dump(self) -> list[list[Any]]:
        anchor = [str(self._quantity), str(self._cost), str(self._fees), str(self._taken)]
        return [anchor, *([*lot[:3], str(lot[3])] for lot in self._lots)]

    def load(self, rows: list[list[Any]]) -> None:
        self._quantity, self._cost, self._fees, self._taken = map(int, rows[0])
        self._cost_taken = self._fees_taken = 0
        if self._taken:
            self._cost_taken = self._cost * self._taken // self._quantity
            self._fees_taken = self._fees * self._taken // self._quantity
        self._lots = deque([*row[:3], int(row[3])] for row in rows[1:])


METHODS: dict[str, type[Inventory]] = {"average": Average, "fifo": Fifo}


class Pool:
    """Dust that closed positions left behind, at its average cost."""

    __slots__ = ("_cost", "_quantity", "_taken")

    def __init__(self, quantity: int = 0, cost: int = 0, taken: int = 0) -> None:
        self._quantity, self._cost, self._taken = quantity, cost, taken

    @property
    def quantity(self) -> int:
        return self._quantity - self._taken

    @property
    def cost(self) -> int:
        return self._cost - self._upto(self._taken)

    def add(self, quantity: int, cost: int) -> None:
        self._quantity, self._cost, self._taken = self.quantity + quantity, self.cost + cost, 0

    def take(self, quantity: int) -> int:
        """The cost of the part taken out."""
        before, self._taken = self._upto(self._taken), self._taken + quantity
        return self._upto(self._taken) - before

    def dump(self) -> tuple[int, int, int]:
        return self._quantity, self._cost, self._taken

    def _upto(self, taken: int) -> int:
        return self._cost * taken // self._quantity if taken else 0
