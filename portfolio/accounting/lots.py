"""Inventory of one open position: which lots an outflow consumes and what they cost.

A part [a, b) of a lot of quantity Q and cost C costs floor(C*b/Q) - floor(C*a/Q) units of 10**-18, entry fees alike:
the parts sum to the whole whatever way it is cut. Money comes in at the position's `scale`: it counts
10**-18 / scale, where scale is 1 (whole units, the common case, which needs no division) or `core.money.UNIT`
(products with a price); floors are of exact running totals, so the finer scale is never lost.

A new method is one class like these and a place in `METHODS`.
"""

from collections import deque
from typing import Any, Protocol

from core.money import UNIT

# A part of an entry fill that an outflow consumed: symbol, fill id, time, quantity, cost, fees (units).
Slice = tuple[str | None, str | None, int, int, int, int]


class Inventory(Protocol):
    """The lots of a position. `take` is asked for a positive quantity, never for more than was added."""

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None: ...

    def take(self, quantity: int) -> list[Slice]: ...

    def refine(self) -> None:
        """From now on money comes at scale UNIT; what is held is brought there."""
        ...

    def dump(self) -> list[list[Any]]: ...

    def load(self, rows: list[list[Any]], scale: int) -> None: ...


class Fifo:
    """Oldest lot first, each at its own cost."""

    __slots__ = ("_cost_rest", "_fees_rest", "_lots", "_scale")

    def __init__(self) -> None:
        # Each lot: symbol, fill id, time, quantity left, quantity, cost, fees, cost taken, fees taken.
        self._lots: deque[list[Any]] = deque()
        self._scale = 1
        # Below one unit, at scale UNIT: taken out of lots and not yet passed on.
        self._cost_rest = self._fees_rest = 0

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None:
        self._lots.append([symbol, fill_id, time, quantity, quantity, cost, fees, 0, 0])

    def take(self, quantity: int) -> list[Slice]:
        lots = self._lots
        slices: list[Slice] = []
        while quantity:
            lot = lots[0]
            symbol, fill_id, time, left, size, cost, fees, cost_taken, fees_taken = lot
            if quantity < left:
                lot[3] = left = left - quantity
                lot[7] = cost = cost * (size - left) // size
                lot[8] = fees = fees * (size - left) // size
                slices.append((symbol, fill_id, time, quantity, cost - cost_taken, fees - fees_taken))
                break
            lots.popleft()
            quantity -= left
            slices.append((symbol, fill_id, time, left, cost - cost_taken, fees - fees_taken))
        return slices if self._scale == 1 else self._whole(slices)

    def refine(self) -> None:
        self._scale = UNIT
        for lot in self._lots:
            quantity, cost, fees = lot[4], lot[5] * UNIT, lot[6] * UNIT
            taken = quantity - lot[3]
            cost_taken, fees_taken = cost * taken // quantity, fees * taken // quantity
            self._cost_rest += cost_taken - lot[7] * UNIT
            self._fees_rest += fees_taken - lot[8] * UNIT
            lot[5:] = cost, fees, cost_taken, fees_taken

    def dump(self) -> list[list[Any]]:
        rests = [str(self._cost_rest), str(self._fees_rest)]
        return [rests, *([*lot[:3], *map(str, lot[3:])] for lot in self._lots)]

    def load(self, rows: list[list[Any]], scale: int) -> None:
        self._scale = scale
        self._cost_rest, self._fees_rest = map(int, rows[0])
        self._lots = deque([*row[:3], *map(int, row[3:])] for row in rows[1:])

    def _whole(self, slices: list[Slice]) -> list[Slice]:
        """Slices in whole units: the floors of running totals."""
        whole = []
        for symbol, fill_id, time, quantity, cost, fees in slices:
            cost_units, self._cost_rest = divmod(cost + self._cost_rest, UNIT)
            fees_units, self._fees_rest = divmod(fees + self._fees_rest, UNIT)
            whole.append((symbol, fill_id, time, quantity, cost_units, fees_units))
        return whole


class Average:
    """Running weighted average. Lots are consumed oldest first in quantity only; each part costs the average.

    Between two entries the average stands: [0, b) of what was held after the last entry costs rest + C*b/Q, C at
    scale UNIT and `rest` what rounding left before it, rounded to the nearest unit. Rounding, not cutting: cutting C
    at an entry may leave a total one part in UNIT below a whole number of units, and must not lose a unit by it.
    """

    __slots__ = (
        "_cost", "_cost_base", "_cost_rest", "_cost_taken", "_fees", "_fees_base", "_fees_rest", "_fees_taken",
        "_fine", "_lots", "_quantity", "_taken", "_whole",
    )  # fmt: skip

    def __init__(self) -> None:
        # As it stood at the last entry, and what went out since (money in units).
        self._quantity = self._cost = self._fees = 0
        self._taken = self._cost_taken = self._fees_taken = 0
        self._cost_rest = self._fees_rest = 0
        self._fine = UNIT
        # Q*UNIT, and rest*Q plus one half of it, of cost and fees; 0 until an exit after an entry needs them.
        self._whole = self._cost_base = self._fees_base = 0
        # Each lot: symbol, fill id, time, quantity left.
        self._lots: deque[list[Any]] = deque()

    def add(self, symbol: str, fill_id: str, time: int, quantity: int, cost: int, fees: int) -> None:
        taken = self._taken
        if taken:
            size = self._quantity
            spent, used = self._cost * taken // size, self._fees * taken // size
            self._cost_rest += spent - self._cost_taken * UNIT
            self._fees_rest += used - self._fees_taken * UNIT
            self._quantity = size - taken
            self._cost -= spent
            self._fees -= used
            self._taken = self._cost_taken = self._fees_taken = 0
        self._quantity += quantity
        self._cost += cost * self._fine
        self._fees += fees * self._fine
        self._whole = 0
        self._lots.append([symbol, fill_id, time, quantity])

    def take(self, quantity: int) -> list[Slice]:
        if not self._whole:
            size = self._quantity
            self._whole = size * UNIT
            half = self._whole // 2
            self._cost_base, self._fees_base = self._cost_rest * size + half, self._fees_rest * size + half
        lots, whole, cost, fees = self._lots, self._whole, self._cost, self._fees
        taken, cost_taken, fees_taken = self._taken, self._cost_taken, self._fees_taken
        cost_base, fees_base = self._cost_base, self._fees_base
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
            cost_upto = (cost_base + cost * taken) // whole
            fees_upto = (fees_base + fees * taken) // whole if fees else fees_taken
            slices.append((symbol, fill_id, time, left, cost_upto - cost_taken, fees_upto - fees_taken))
            cost_taken, fees_taken = cost_upto, fees_upto
        self._taken, self._cost_taken, self._fees_taken = taken, cost_taken, fees_taken
        return slices

    def refine(self) -> None:
        self._fine = 1

    def dump(self) -> list[list[Any]]:
        amounts = (
            self._quantity, self._cost, self._fees, self._taken, self._cost_taken, self._fees_taken,
            self._cost_rest, self._fees_rest,
        )  # fmt: skip
        return [[*map(str, amounts)], *([*lot[:3], str(lot[3])] for lot in self._lots)]

    def load(self, rows: list[list[Any]], scale: int) -> None:
        self._quantity, self._cost, self._fees, self._taken, *rest = map(int, rows[0])
        self._cost_taken, self._fees_taken, self._cost_rest, self._fees_rest = rest
        self._fine = UNIT // scale
        self._lots = deque([*row[:3], int(row[3])] for row in rows[1:])


METHODS: dict[str, type[Inventory]] = {"average": Average, "fifo": Fifo}


class Pool:
    """Dust that closed positions left behind, in units, at its average cost."""

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
