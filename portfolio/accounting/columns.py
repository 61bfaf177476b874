"""Figures of many accounts and periods at once: one column per figure, each value with the reason where there is none.

Ratios are estimated in float64 and rounded half-even to four decimals; money is exact and is never an array.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from portfolio.accounting.measure import RATIO_PLACES, Measure, Reason

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

REASONS: Final = (None, *Reason)
"""By code: 0 is a figure that is defined."""
CODE: Final = {reason: code for code, reason in enumerate(REASONS)}
DEFINED: Final = CODE[None]
_SCALE: Final = 10.0**RATIO_PLACES
_STEP: Final = Decimal(1).scaleb(-RATIO_PLACES)
_NOISE_PLACES: Final = 6
"""Of the last decimal kept: what float64 may be off by must not push an exact half to either side."""
_LIMIT: Final = _SCALE * 1e20
_CELLS: Final = 1 << 18
"""Of a batch: its arrays stay within a processor's cache, or near it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row; `values` and `reasons` (None: defined) are equally long."""

    values: list[Any]
    reasons: list[Reason | None]

    def measures(self) -> list[Measure]:
        return [Measure(value, reason) for value, reason in zip(self.values, self.reasons, strict=True)]


class Estimate(NamedTuple):
    """A column before it is rounded; values without a meaning where a code is not `DEFINED`."""

    values: Floats
    codes: Codes

    def rounded(self) -> "Estimate":
        """To four decimals, half-even; still floats, to be reckoned with."""
        values, codes = self._scaled()
        return Estimate(values / _SCALE, codes)

    def column(self) -> Column:
        values, codes = (cells.tolist() for cells in self._scaled())
        return Column(
            [None if code else int(value) * _STEP for value, code in zip(values, codes, strict=True)],
            [REASONS[code] for code in codes],
        )

    def _scaled(self) -> "Estimate":
        """In units of the last decimal kept."""
        scaled = self.values * _SCALE
        fits = np.abs(scaled) < _LIMIT
        codes = np.where(fits | (self.codes != DEFINED), self.codes, CODE[Reason.BEYOND_MEASURE])
        return Estimate(np.rint(np.round(np.where(fits, scaled, 0.0), _NOISE_PLACES)), codes)


def choose(*cases: tuple[Flags, Reason], size: int) -> Codes:
    """Of each row the code of the first case that is true, else `DEFINED`."""
    codes = np.full(size, DEFINED)
    for holds, reason in reversed(cases):
        codes[holds] = CODE[reason]
    return codes


def exact(values: Iterable[Decimal | Reason]) -> Column:
    """A column of money, rounded already, or the reasons why there is none."""
    cells = list(values)
    return Column(
        [None if isinstance(cell, Reason) else cell for cell in cells],
        [cell if isinstance(cell, Reason) else None for cell in cells],
    )


def batches(sizes: Sequence[int], *, width: int = 1) -> Iterator[list[int]]:
    """Rows put together so that little of a table with a row for each and the widest one's columns stays empty.

    `width`: of what is computed for each cell.
    """
    batch: list[int] = []
    for place in sorted(range(len(sizes)), key=sizes.__getitem__):
        if batch and (
            sizes[place] > 2 * sizes[batch[0]] + 8 or max(sizes[place], width) * len(batch) >= _CELLS
        ):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
