"""Which lot leaves first by each method, told a second time and in exact fractions for the tests' oracles."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

METHODS: Final = ("average", "fifo", "lifo", "hifo")


def leaving(lots: Sequence[Sequence[Fraction]], method: str) -> int:
    """The place of the lot that leaves first; lots in the order they came: quantity, cost of one, …"""
    if method == "lifo":
        return len(lots) - 1
    if method == "hifo":
        return max(range(len(lots)), key=lambda place: (lots[place][1], -place))
    return 0


def averaged(lots: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """All lots as one of their quantity and the averages of the rest."""
    held = sum((lot[0] for lot in lots), Fraction(0))
    means = [sum((lot[0] * lot[n] for lot in lots), Fraction(0)) / held for n in range(1, len(lots[0]))]
    return [held, *means]
