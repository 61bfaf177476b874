"""Stretches side by side as a table of float64: a row each, a point a column, shorter ones filled up at their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from portfolio.accounting.columns import Codes, Flags, Floats
from portfolio.accounting.lines import Stretch

NOISE: Final = 1e-13
"""A change smaller than this is what a division in float64 leaves of none."""


@dataclass(frozen=True, slots=True)
class Table:
    change: Floats
    """The return of each day as a fraction; 0 where there is none."""
    counted: Flags
    """Where there is a return."""
    index: Floats
    """1 at the first point, linked by the returns; what is filled up stands still."""
    count: Codes
    """Returns of each row."""


def tabulate(stretches: Sequence[Stretch]) -> Table:
    width = max((stretch.stop - stretch.start for stretch in stretches), default=0)
    growth: Floats = np.full((len(stretches), max(width, 1)), np.nan)
    for row, (line, start, stop) in zip(growth, stretches, strict=True):
        row[1 : stop - start] = line.growth[start + 1 : stop]
    return of_changes(growth - 1)


def of_changes(change: Floats) -> Table:
    """A table of returns; nan where there is none."""
    counted = ~np.isnan(change)
    returns: Floats = np.where(counted, change, 0.0)
    returns[np.abs(returns) < NOISE] = 0.0
    index: Floats = np.cumprod(1 + returns, axis=1, dtype=np.float64)
    return Table(returns, counted, index, counted.sum(axis=1))
