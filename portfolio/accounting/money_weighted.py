"""Returns that weigh each amount by how long it was at work, beside the time-weighted one of `returns`.

All read the same index points and place flows as `returns` does: what is paid in is there from its day's start, what is
paid out until its day's end. The annual rate is solved in float64: it is a root, not money.
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Final, NamedTuple

from core.money import CONTEXT, ZERO
from portfolio.accounting.measure import Measure, Reason, percent
from portfolio.accounting.returns import DAYS_PER_YEAR, DUST, MIN_GROWTH_DAYS, IndexPoint, paid_between

_LOWEST: Final = -0.999999
_HIGHEST: Final = 1e6
_STEPS: Final = 240
"""Places on a logarithmic grid between the two at which the sign of the present value is looked at."""
_EXACT: Final = 1e-12


class CashFlow(NamedTuple):
    """From the owner's pocket: paid in < 0, taken out > 0; `day` counts from the first point."""

    day: int
    amount: Decimal


def cash_flows(points: Sequence[IndexPoint]) -> list[CashFlow]:
    """What an owner paid and got who held exactly this: opening equity, flows, closing equity; zeros left out."""
    first = points[0].day
    flows = [CashFlow(0, -points[0].equity)]
    for before, point in pairwise(points):
        paid_in, paid_out = paid_between(before, point)
        flows += [
            CashFlow((before.day - first).days, -paid_in),
            CashFlow((point.day - first).days, paid_out),
        ]
    flows.append(CashFlow((points[-1].day - first).days, points[-1].equity))
    return [flow for flow in flows if flow.amount]


def simple_return(points: Sequence[IndexPoint]) -> Measure:
    """Money made as a share of everything put in: opening equity and all that was paid in later, in percent."""
    if len(points) < 2:
        return Measure.undefined(Reason.NO_RETURNS)
    with localcontext(CONTEXT):
        put_in = points[0].equity + sum((paid_between(*pair)[0] for pair in pairwise(points)), ZERO)
        if put_in < DUST:
            return Measure.undefined(Reason.NO_CAPITAL)
        return percent(points[-1].profit - points[0].profit, put_in)


def modified_dietz(points: Sequence[IndexPoint]) -> Measure:
    """Money made ÷ (opening equity + each flow x the part of the time it was there), in percent; over the period, not
    annualised (Dietz 1966, as GIPS writes it)."""
    if len(points) < 2:
        return Measure.undefined(Reason.NO_RETURNS)
    flows = cash_flows(points)
    length = (points[-1].day - points[0].day).days
    with localcontext(CONTEXT):
        at_work = sum((-flow.amount * (length - flow.day) for flow in flows), ZERO) / length
        if at_work < DUST:
            return Measure.undefined(Reason.NO_CAPITAL)
        return percent(points[-1].profit - points[0].profit, at_work)


def xirr(points: Sequence[IndexPoint]) -> Measure:
    """The yearly rate at which all that was paid in grew to all that came out, in percent: the root of
    sum(flow / (1 + rate)^(days / 365)).

    Undefined under 90 days as every yearly figure, and where several rates solve it.
    """
    if len(points) < 2:
        return Measure.undefined(Reason.NO_RETURNS)
    if (points[-1].day - points[0].day).days < MIN_GROWTH_DAYS:
        return Measure.undefined(Reason.TOO_FEW_DAYS)
    return internal_rate(cash_flows(points))


def internal_rate(cash: Sequence[CashFlow]) -> Measure:
    """The yearly rate at which some cash flows are worth nothing together, in percent."""
    flows = [(flow.day / DAYS_PER_YEAR, float(flow.amount)) for flow in cash]
    if not any(amount < 0 for _, amount in flows):
        return Measure.undefined(Reason.NO_CAPITAL)
    if not any(amount > 0 for _, amount in flows):
        return Measure.ratio(Decimal(-100))
    roots = list(_roots(flows))
    if len(roots) != 1:
        return Measure.undefined(Reason.SEVERAL_RATES if roots else Reason.NO_RATE)
    return Measure.ratio(roots[0] * 100)


def _roots(flows: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Rates where the present value changes sign, each refined; a grid in 1 + rate shows how many there are."""
    low, high = math.log1p(_LOWEST), math.log1p(_HIGHEST)
    grid = [math.expm1(low + (high - low) * step / _STEPS) for step in range(_STEPS + 1)]
    values = [_present_value(flows, rate) for rate in grid]
    for left, right, at_left, at_right in zip(grid, grid[1:], values, values[1:], strict=False):
        if at_left == 0:
            yield left
        elif at_left * at_right < 0:
            yield _refine(flows, left, right)


def _refine(flows: Sequence[tuple[float, float]], low: float, high: float) -> float:
    """Newton's steps, and a bisection whenever one would leave the bracket."""
    falls = _present_value(flows, low) > 0
    rate = (low + high) / 2
    for _ in range(200):
        value = _present_value(flows, rate)
        low, high = (rate, high) if (value > 0) == falls else (low, rate)
        slope = math.fsum(-years * amount * (1 + rate) ** (-years - 1) for years, amount in flows)
        step = rate - value / slope if slope else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - rate) <= _EXACT * (1 + abs(rate)):
            return following
        rate = following
    return rate


def _present_value(flows: Sequence[tuple[float, float]], rate: float) -> float:
    return math.fsum(amount * (1 + rate) ** -years for years, amount in flows)
