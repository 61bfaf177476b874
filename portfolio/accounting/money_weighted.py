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


class Returns(NamedTuple):
    """In percent; `simple` and `modified_dietz` over the period, `xirr` a year."""

    simple: Measure
    modified_dietz: Measure
    xirr: Measure


def measure(points: Sequence[IndexPoint]) -> Returns:
    """All three of a chain."""
    if len(points) < 2:
        return Returns(*[Measure.undefined(Reason.NO_RETURNS)] * 3)
    length = (points[-1].day - points[0].day).days
    with localcontext(CONTEXT):
        flows = cash_flows(points)
        made = points[-1].profit - points[0].profit
        return Returns(
            simple=_simple(points, made),
            modified_dietz=_modified_dietz(flows, made, length),
            xirr=Measure.undefined(Reason.TOO_FEW_DAYS) if length < MIN_GROWTH_DAYS else internal_rate(flows),
        )


def cash_flows(points: Sequence[IndexPoint]) -> list[CashFlow]:
    """What an owner paid and got who held exactly this: opening equity, flows, closing equity; zeros left out."""
    first = points[0].day
    flows = [CashFlow(0, -points[0].equity)]
    with localcontext(CONTEXT):
        for before, point in pairwise(points):
            paid_in, paid_out = paid_between(before, point)
            if paid_in:
                flows.append(CashFlow((before.day - first).days, -paid_in))
            if paid_out:
                flows.append(CashFlow((point.day - first).days, paid_out))
    flows.append(CashFlow((points[-1].day - first).days, points[-1].equity))
    return [flow for flow in flows if flow.amount]


def _simple(points: Sequence[IndexPoint], made: Decimal) -> Measure:
    """Money made as a share of everything put in: opening equity and all that was paid in later."""
    put_in = points[0].equity + sum((point.base - before.equity for before, point in pairwise(points)), ZERO)
    return percent(made, put_in) if put_in >= DUST else Measure.undefined(Reason.NO_CAPITAL)


def _modified_dietz(flows: Sequence[CashFlow], made: Decimal, length: int) -> Measure:
    """Money made / (opening equity + each flow x the part of the time it was there) (Dietz 1966, as GIPS writes it)."""
    at_work = sum((-flow.amount * (length - flow.day) for flow in flows), ZERO) / length
    return percent(made, at_work) if at_work >= DUST else Measure.undefined(Reason.NO_CAPITAL)


def internal_rate(cash: Sequence[CashFlow]) -> Measure:
    """XIRR: the yearly rate at which all that was paid in grew to all that came out, in percent, the root of
    sum(flow / (1 + rate)^(days / 365)). Undefined where several rates solve it, or none."""
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
