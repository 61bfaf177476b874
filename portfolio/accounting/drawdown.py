"""Falls from the highest point so far, on the flow-adjusted index: a withdrawal is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Any, Final

import numpy as np

from core.money import CONTEXT, ZERO, quantize
from portfolio.accounting import lines, tables
from portfolio.accounting.columns import DEFINED, REASONS, Column, Estimate, choose, exact
from portfolio.accounting.lines import Stretch
from portfolio.accounting.measure import HUNDRED, RATIO_PLACES, Measure, Reason
from portfolio.accounting.returns import IndexPoint
from portfolio.accounting.tables import Table

_COMPARED: Final = Context(prec=40)
_EVEN: Final = 1e-12
"""Heights of an index in float64 this close to each other (as a fraction) are one."""


@dataclass(frozen=True, slots=True)
class DrawdownPoint:
    """How far below the highest index so far a day ended, in percent: 0 at a high, 100 at a total loss."""

    day: date
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall; the days are None where the index never fell, `recovery_day` also while it lasts."""

    percent: Measure
    amount: Measure
    """Money lost between the same peak and trough, flows taken out."""
    peak_day: date | None = None
    trough_day: date | None = None
    recovery_day: date | None = None


@dataclass(frozen=True, slots=True)
class Drawdowns:
    """The deepest fall of each of many stretches."""

    percent: Estimate
    amount: Column
    peak_day: list[date | None]
    trough_day: list[date | None]
    recovery_day: list[date | None]


def series(points: Sequence[IndexPoint]) -> list[DrawdownPoint]:
    """The drawdown of each day, for a chart."""
    falls: list[DrawdownPoint] = []
    peak = ZERO
    with localcontext(CONTEXT):
        for point in points:
            # Without the noise of its last digits, so that a high reached again is as high.
            height = _COMPARED.plus(point.index)
            peak = max(peak, height)
            # Zero only where the index begins after a total loss: nothing left to fall.
            depth = 1 - height / peak if peak else ZERO
            falls.append(DrawdownPoint(point.day, quantize(depth * HUNDRED, RATIO_PLACES)))
    return falls


def deepest(points: Sequence[IndexPoint]) -> Drawdown:
    """The deepest fall of the index in percent (the first of equals), from the last day at its high."""
    stretch = lines.whole(lines.of_points(points))
    found = deepest_of([stretch], tables.tabulate([stretch]))
    return Drawdown(
        percent=found.percent.column().measures()[0],
        amount=found.amount.measures()[0],
        peak_day=found.peak_day[0],
        trough_day=found.trough_day[0],
        recovery_day=found.recovery_day[0],
    )


def deepest_of(stretches: Sequence[Stretch], table: Table) -> Drawdowns:
    """The deepest fall of each stretch; `table` holds the same stretches."""
    index, rows = table.index, np.arange(len(stretches))
    places = np.arange(index.shape[1])
    high = np.maximum.accumulate(index, axis=1)
    depths = 1 - index / high
    depth = depths.max(axis=1)
    trough = (depths >= depth[:, None] - _EVEN).argmax(axis=1)
    top = high[rows, trough][:, None] * (1 - _EVEN)
    is_top, is_after = index >= top, places > trough[:, None]
    peak = np.where(is_top & ~is_after, places, 0).max(axis=1)
    is_up = is_top & is_after
    recovery = np.where(is_up.any(axis=1), is_up.argmax(axis=1), -1)
    codes = choose((table.count == 0, Reason.NO_RETURNS), size=len(stretches))
    depth = np.where(depth > _EVEN, depth, 0.0)
    falls = ((depth > 0) & (codes == DEFINED)).tolist()
    spans = zip(peak.tolist(), trough.tolist(), recovery.tolist(), strict=True)
    ends = [span if fell else None for fell, span in zip(falls, spans, strict=True)]
    return Drawdowns(
        Estimate(depth * 100, codes),
        exact(map(_lost, stretches, ends, codes.tolist())),
        *(
            [_day(stretch, each, which) for stretch, each in zip(stretches, ends, strict=True)]
            for which in range(3)
        ),
    )


def _lost(stretch: Stretch, ends: Sequence[int] | None, code: int) -> Any:
    """Money lost from peak to trough, or why there is no such figure."""
    if ends is None:
        return REASONS[code] or quantize(ZERO)
    line, start, _ = stretch
    lost = CONTEXT.subtract(line.profit[start + ends[0]], line.profit[start + ends[1]])
    return quantize(lost) if lost >= 0 else Reason.GAINED_DESPITE_FALL


def _day(stretch: Stretch, ends: Sequence[int] | None, which: int) -> date | None:
    if ends is None or ends[which] < 0:
        return None
    return date.fromordinal(stretch.line.days[stretch.start + ends[which]])
