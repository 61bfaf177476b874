"""Histories of equity as columns, of which any period is a stretch: what figures of returns are drawn from.

The rules are those of `returns`: money paid in is at work from its day's start, money paid out until its day's end.
Money stays exact (`Decimal`); the growth from day to day stands beside it in float64, for ratios.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, localcontext
from itertools import accumulate, pairwise
from operator import add, mul, sub
from typing import Final, NamedTuple

import numpy as np

from core.money import CONTEXT, ZERO
from portfolio.accounting.columns import Floats
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import DUST, EquityDay, IndexPoint, paid_between


class Flow(NamedTuple):
    """External money between a point and the one before it, both >= 0."""

    paid_in: Decimal
    paid_out: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The valued days of a history, ascending; the first is a start, without a return of its own."""

    days: Sequence[int]
    """Proleptic ordinals (`date.toordinal`)."""
    equity: Sequence[Decimal]
    values: Floats
    """The equity once more."""
    profit: Sequence[Decimal]
    """Money made up to a point, from anywhere: only differences mean something."""
    growth: Floats
    """Of each point by its base; 0 is a total loss, nan where there is no return (the start, dust)."""
    flows: Mapping[int, Flow]
    """By the point that they come before."""
    gaps: Sequence[int] = field(default=())
    """Days that have an entry, and no equity."""

    def base(self, place: int) -> Decimal:
        """Capital at work towards a point: the equity before plus what was paid in."""
        before = self.equity[max(place - 1, 0)]
        return CONTEXT.add(before, self.flows[place].paid_in) if place in self.flows else before


class Stretch(NamedTuple):
    """The points from `start` up to, not including, `stop`: returns are those after the first."""

    line: Line
    start: int
    stop: int

    @property
    def days(self) -> Sequence[int]:
        return self.line.days[self.start : self.stop]

    @property
    def length(self) -> int:
        """In days, from the first point to the last."""
        return self.line.days[self.stop - 1] - self.line.days[self.start] if self.stop > self.start else 0

    @property
    def made(self) -> Decimal:
        """Money made over the stretch."""
        return CONTEXT.subtract(self.line.profit[self.stop - 1], self.line.profit[self.start])

    def flows(self) -> list[tuple[int, Flow]]:
        """Those after the first point."""
        flows = self.line.flows
        if not flows:
            return []
        if len(flows) > self.stop - self.start:
            return [(place, flows[place]) for place in range(self.start + 1, self.stop) if place in flows]
        return [(place, flow) for place, flow in flows.items() if self.start < place < self.stop]


NOTHING: Final = Line((), (), np.empty(0), (), np.empty(0), {})


def of_columns(
    days: Sequence[int],
    equity: Sequence[Decimal],
    values: Sequence[float],
    flows: Mapping[int, Flow],
    *,
    gaps: Sequence[int] = (),
    dust: Decimal = DUST,
) -> Line:
    """A line from its columns, days ascending; `values` is the equity as floats."""
    if not days:
        return NOTHING
    floats: Floats = np.array(values, dtype=np.float64)
    bases, ends, profit = floats[:-1], floats[1:], equity
    if flows:
        bases, ends = bases.copy(), ends.copy()
        with localcontext(CONTEXT):
            for place, flow in flows.items():
                bases[place - 1] = float(equity[place - 1] + flow.paid_in)
                ends[place - 1] = float(equity[place] + flow.paid_out)
            net = [ZERO] * len(days)
            for place, flow in flows.items():
                net[place] = flow.paid_out - flow.paid_in
            profit = list(map(add, equity, accumulate(net)))
    growth = np.full(len(days), np.nan)
    np.divide(ends, bases, out=growth[1:], where=bases >= float(dust))
    return Line(days, equity, floats, profit, np.maximum(growth, 0.0), flows, gaps)


def of_days(rows: Iterable[EquityDay], *, is_whole: bool = True, dust: Decimal = DUST) -> Line:
    """A line from daily equity. A whole history begins with nothing on the day before its first entry.

    Raises ValueError when days repeat or go back.
    """
    days: list[int] = []
    equity: list[Decimal] = []
    gaps: list[int] = []
    flows: dict[int, Flow] = {}
    paid_in = paid_out = ZERO
    last = 0
    with localcontext(CONTEXT):
        for row in rows:
            day = row.day.toordinal()
            if day <= last:
                raise ValueError(f"Days must ascend: {row.day} follows another.")
            last = day
            if is_whole and not days:
                days.append(day - 1)
                equity.append(ZERO)
            if row.paid_in or row.paid_out:
                paid_in, paid_out = paid_in + row.paid_in, paid_out + row.paid_out
            if row.equity is None:
                gaps.append(day)
                continue
            if paid_in or paid_out:
                flows[len(days)] = Flow(paid_in, paid_out)
                paid_in = paid_out = ZERO
            days.append(day)
            equity.append(row.equity)
    flows.pop(0, None)  # what came up to the starting point is not counted
    return of_columns(days, equity, list(map(float, equity)), flows, gaps=gaps, dust=dust)


def of_points(points: Sequence[IndexPoint]) -> Line:
    """A line from a chain."""
    if not points:
        return NOTHING
    growth = [np.nan if point.change is None else 1 + float(point.change) for point in points]
    with localcontext(CONTEXT):
        paid = enumerate((Flow(*paid_between(*pair)) for pair in pairwise(points)), start=1)
        flows = {place: flow for place, flow in paid if any(flow)}
    return Line(
        [point.day.toordinal() for point in points],
        [point.equity for point in points],
        np.array([float(point.equity) for point in points]),
        [point.profit for point in points],
        np.array([np.nan, *growth[1:]]),
        flows,
    )


def attribute(line: Line, made: Mapping[date, Decimal]) -> Line:
    """The line of a part (a symbol, a strategy) that made so much on each day, on the capital of the whole.

    return = what the part made / capital at work. Days up to the first point's are left out.
    """
    gains = [ZERO] * len(line.days)
    with localcontext(CONTEXT):
        for day, gain in made.items():
            place = bisect_left(line.days, day.toordinal())
            if 0 < place < len(gains):
                gains[place] += gain
        growth = np.where(np.isnan(line.growth), np.nan, 1.0)
        for place, gain in enumerate(gains):
            if gain and growth[place] == 1:
                growth[place] = max(float(1 + gain / line.base(place)), 0.0)
        return replace(line, profit=list(accumulate(gains)), growth=growth)


def whole(line: Line) -> Stretch:
    return Stretch(line, 0, len(line.days))


def stretch_in(line: Line, period: Period) -> Stretch:
    """A period out of a whole history.

    A calendar period is measured from the valued day before it (nothing, if it holds the first of all), a window
    from its own first day, as its curve is.
    """
    first, last = period.first_day.toordinal(), period.last_day.toordinal()
    # The first point is the nothing that a whole history begins with.
    start = min(bisect_left(line.days, first, lo=1), len(line.days)) if line.days else 0
    stop = bisect_right(line.days, last, lo=start)
    is_in_gap = any(first <= day <= last for day in line.gaps)
    if start == stop and not is_in_gap:
        return Stretch(line, 0, 0)
    if period.kind is not PeriodKind.WINDOW and not any(
        line.days[start - 1] < day < first for day in line.gaps
    ):
        start -= 1
    return Stretch(line, start, stop)


def capital(stretch: Stretch) -> tuple[Decimal, int]:
    """The sum of capital at work over all days that had any (above dust), and how many these are."""
    line, start, stop = stretch
    steps = stop - start - 1
    if steps < 1:
        return ZERO, 0
    before, works = line.equity[start : stop - 1], line.growth[start + 1 : stop] >= 0
    with localcontext(CONTEXT):
        if steps == line.days[stop - 1] - line.days[start] and works.all():
            return sum((flow.paid_in for _, flow in stretch.flows()), sum(before, ZERO)), steps
        spans = map(sub, stretch.days[1:], stretch.days)
        weights = [span if counts else 0 for span, counts in zip(spans, works.tolist(), strict=True)]
        paid = (flow.paid_in * weights[place - start - 1] for place, flow in stretch.flows())
        return sum(paid, sum(map(mul, before, weights), ZERO)), sum(weights)
