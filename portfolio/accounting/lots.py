"""Inventory of one open position: which lots an outflow consumes and what they cost.

A part [a, b) of a lot of quantity Q and cost C costs floor(C*b/Q) - floor(C*a/Q) units of 10**-18, entry fees alike:
the parts sum to the whole whatever way it is cut. Money comes in at the position's `scale`: it counts
10**-18 / scale, where scale is 1 (whole units, the common case, which needs no division) or `core.money.UNIT`
(products with a price); floors are of exact running totals, so the finer scale is never lost.

`ranked` holds the methods that consume another lot than the oldest first; `methods` lists all.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from core.money import UNIT

# An entry fill: symbol, fill id, time, quantity, cost, fees, fact.
Lot = tuple[str, str, int, int, int, int, int]
# A part of an entry fill that an outflow consumed: symbol, fill id, time, quantity, cost, fees (units), fact.
Slice = tuple[str | None, str | None, int, int, int, int, int | None]


def place_by_time(lots: Iterable[Lot], lot: Lot) -> int:
    """Where a lot got earlier than the last one belongs: a transfer carries coins with the time they were bought."""
    return sum(other[2] <= lot[2] for other in lots)


class Inventory(Protocol):
    """The lots of a position, by the time they were got.

    `take` is asked for a positive quantity, never for more than was added.
    """

    def add(self, lot: Lot) -> None: ...

    def take(self, quantity: int) -> list[Slice]: ...

    def refine(self) -> None:
        """From now on money comes at scale UNIT; what is held is brought there."""
        ...

    def dump(self) -> list[list[Any]]: ...

    def load(self, rows: list[list[Any]], scale: int) -> None: ...


class Fifo:
    """Oldest lot first, each at its own cost."""

    __slots__ = ("_cost_rest", "_fees_rest", "_scale", "cost_taken", "fees_taken", "left", "lots")

    def __init__(self) -> None:
        self.lots: deque[Lot] = deque()
        # What is left of the first lot, 0 if it is whole; the cost and fees that were taken from it.
        self.left = self.cost_taken = self.fees_taken = 0
        self._scale = 1
        # Below one unit, at scale UNIT: taken out of lots and not yet passed on.
        self._cost_rest = self._fees_rest = 0

    def add(self, lot: Lot) -> None:
        lots = self.lots
        if lots and lot[2] < lots[-1][2]:
            if self.left:
                symbol, fill_id, time, _, cost, fees, fact = lots[0]
                lots[0] = (
                    symbol,
                    fill_id,
                    time,
                    self.left,
                    cost - self.cost_taken,
                    fees - self.fees_taken,
                    fact,
                )
                self.left = self.cost_taken = self.fees_taken = 0
            lots.insert(place_by_time(lots, lot), lot)
        else:
            lots.append(lot)

    def take(self, quantity: int) -> list[Slice]:
        lots = self.lots
        slices: list[Slice] = []
        while quantity:
            symbol, fill_id, time, size, cost, fees, fact = lots[0]
            left = self.left or size
            part = min(quantity, left)
            quantity -= part
            left -= part
            if left:
                cost, fees = cost * (size - left) // size, fees * (size - left) // size
            else:
                lots.popleft()
            slices.append((symbol, fill_id, time, part, cost - self.cost_taken, fees - self.fees_taken, fact))
            self.left = left
            self.cost_taken, self.fees_taken = (cost, fees) if left else (0, 0)
        return slices if self._scale == 1 else self._whole(slices)

    def refine(self) -> None:
        self._scale = UNIT
        self.lots = deque((*lot[:4], lot[4] * UNIT, lot[5] * UNIT, lot[6]) for lot in self.lots)
        if self.left:
            _, _, _, size, cost, fees, _ = self.lots[0]
            taken = size - self.left
            cost_taken, fees_taken = cost * taken // size, fees * taken // size
            self._cost_rest += cost_taken - self.cost_taken * UNIT
            self._fees_rest += fees_taken - self.fees_taken * UNIT
            self.cost_taken, self.fees_taken = cost_taken, fees_taken

    def dump(self) -> list[list[Any]]:
        """The rests, then of each lot: symbol, fill id, time, fact, quantity left, quantity, cost, fees, cost taken,
        fees taken."""
        rows: list[list[Any]] = [
            [*lot[:3], lot[6], *map(str, (lot[3], *lot[3:6], 0, 0))] for lot in self.lots
        ]
        if self.left:
            rows[0][4], rows[0][8:] = str(self.left), [str(self.cost_taken), str(self.fees_taken)]
        return [[str(self._cost_rest), str(self._fees_rest)], *rows]

    def load(self, rows: list[list[Any]], scale: int) -> None:
        self._scale = scale
        self._cost_rest, self._fees_rest = map(int, rows[0])
        for symbol, fill_id, time, fact, *amounts in rows[1:]:
            left, size, cost, fees, cost_taken, fees_taken = map(int, amounts)
            if left < size:  # only of the first lot
                self.left, self.cost_taken, self.fees_taken = left, cost_taken, fees_taken
            self.lots.append((symbol, fill_id, time, size, cost, fees, fact))

    def _whole(self, slices: list[Slice]) -> list[Slice]:
        """Slices in whole units: the floors of running totals."""
        whole = []
        for symbol, fill_id, time, quantity, cost, fees, fact in slices:
            cost_units, self._cost_rest = divmod(cost + self._cost_rest, UNIT)
            fees_units, self._fees_rest = divmod(fees + self._fees_rest, UNIT)
            whole.append((symbol, fill_id, time, quantity, cost_units, fees_units, fact))
        return whole


class Average:
    """Running weighted average. Lots are consumed oldest first in quantity only; each part costs the average, and
    a lot's own cost and fees are never read.

    Between two entries the average stands: [0, b) of what was held after the last entry costs rest + C*b/Q, C at
    scale UNIT and `rest` what rounding left before it, rounded to the nearest unit. Rounding, not cutting: cutting C
    at an entry may leave a total one part in UNIT below a whole number of units, and must not lose a unit by it.
    """

    __slots__ = (
        "_cost", "_cost_base", "_cost_rest", "_fees", "_fees_base", "_fees_rest", "_fine", "_quantity", "_whole",
        "cost_taken", "fees_taken", "left", "lots", "taken",
    )  # fmt: skip

    def __init__(self) -> None:
        self.lots: deque[Lot] = deque()
        # What is left of the first lot, 0 if it is whole.
        self.left = 0
        # As it stood at the last entry, and what went out since (money in units).
        self._quantity = self._cost = self._fees = 0
        self.taken = self.cost_taken = self.fees_taken = 0
        self._cost_rest = self._fees_rest = 0
        self._fine = UNIT
        # Q*UNIT, and rest*Q plus one half of it, of cost and fees; 0 until an exit after an entry needs them.
        self._whole = self._cost_base = self._fees_base = 0

    def add(self, lot: Lot) -> None:
        lots = self.lots
        if lots and lot[2] < lots[-1][2]:
            if self.left:
                symbol, fill_id, time, _, _, _, fact = lots[0]
                lots[0] = symbol, fill_id, time, self.left, 0, 0, fact
                self.left = 0
            lots.insert(place_by_time(lots, lot), lot)
        else:
            lots.append(lot)
        self.raise_by(lot[3], lot[4], lot[5])

    def raise_by(self, quantity: int, cost: int, fees: int) -> None:
        """Begin a new average with what came in."""
        taken = self.taken
        if taken:
            size = self._quantity
            spent, used = self._cost * taken // size, self._fees * taken // size
            self._cost_rest += spent - self.cost_taken * UNIT
            self._fees_rest += used - self.fees_taken * UNIT
            self._quantity = size - taken
            self._cost -= spent
            self._fees -= used
            self.taken = self.cost_taken = self.fees_taken = 0
        self._quantity += quantity
        self._cost += cost * self._fine
        self._fees += fees * self._fine
        self._whole = 0

    def line(self) -> tuple[int, int, int, int, int]:
        """What [0, b) of the average costs: whole, c, C, f, F for cost (c + C*b) // whole, fees (f + F*b) // whole."""
        if not self._whole:
            size = self._quantity
            self._whole = size * UNIT
            half = self._whole // 2
            self._cost_base, self._fees_base = self._cost_rest * size + half, self._fees_rest * size + half
        return self._whole, self._cost_base, self._cost, self._fees_base, self._fees

    def take(self, quantity: int) -> list[Slice]:
        whole, cost_base, cost, fees_base, fees = self.line()
        lots = self.lots
        taken, cost_taken, fees_taken = self.taken, self.cost_taken, self.fees_taken
        slices: list[Slice] = []
        while quantity:
            symbol, fill_id, time, size, _, _, fact = lots[0]
            left = self.left or size
            part = min(quantity, left)
            quantity -= part
            self.left = left - part
            if not self.left:
                lots.popleft()
            taken += part
            cost_upto = (cost_base + cost * taken) // whole
            fees_upto = (fees_base + fees * taken) // whole if fees else fees_taken
            slices.append((symbol, fill_id, time, part, cost_upto - cost_taken, fees_upto - fees_taken, fact))
            cost_taken, fees_taken = cost_upto, fees_upto
        self.taken, self.cost_taken, self.fees_taken = taken, cost_taken, fees_taken
        return slices

    def refine(self) -> None:
        self._fine = 1

    def dump(self) -> list[list[Any]]:
        """The average, then of each lot: symbol, fill id, time, fact, quantity left."""
        amounts = (
            self._quantity, self._cost, self._fees, self.taken, self.cost_taken, self.fees_taken,
            self._cost_rest, self._fees_rest,
        )  # fmt: skip
        rows = [[*lot[:3], lot[6], str(lot[3])] for lot in self.lots]
        if self.left:
            rows[0][4] = str(self.left)
        return [[*map(str, amounts)], *rows]

    def load(self, rows: list[list[Any]], scale: int) -> None:
        self._quantity, self._cost, self._fees, self.taken, *rest = map(int, rows[0])
        self.cost_taken, self.fees_taken, self._cost_rest, self._fees_rest = rest
        self._fine = UNIT // scale
        self.lots.extend(
            (symbol, fill_id, time, int(left), 0, 0, fact) for symbol, fill_id, time, fact, left in rows[1:]
        )


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
