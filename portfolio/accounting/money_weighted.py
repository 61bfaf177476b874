"""Returns that weigh each amount by how long it was at work, beside the time-weighted one of `returns`.

All read the same points and place flows as `returns` does: what is paid in is there from its day's start, what is paid
out until its day's end. Amounts are added up exactly; rates are solved in float64: they are roots, not money.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

import numpy as np

from core.money import CONTEXT, ZERO
from portfolio.accounting import columns, lines
from portfolio.accounting.columns import DEFINED, Estimate, Flags, Floats, choose
from portfolio.accounting.lines import Stretch
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import DAYS_PER_YEAR, DUST, MIN_GROWTH_DAYS, IndexPoint

_LOWEST: Final = -0.999999
_HIGHEST: Final = 1e6
_GRID: Final = np.linspace(np.log1p(_LOWEST), np.log1p(_HIGHEST), 241)
"""Logarithms of 1 + rate at which the sign of the present value is looked at."""
_EXACT: Final = 1e-13
_STEPS: Final = 200


class CashFlow(NamedTuple):
    """From the owner's pocket: paid in < 0, taken out > 0; `day` counts from the first point."""

    day: int
    amount: Decimal


class Returns(NamedTuple):
    """In percent; `simple` and `modified_dietz` over the period, `xirr` a year."""

    simple: Measure
    modified_dietz: Measure
    xirr: Measure


class ReturnColumns(NamedTuple):
    simple: Estimate
    modified_dietz: Estimate
    xirr: Estimate


def measure(points: Sequence[IndexPoint]) -> Returns:
    """All three of a chain."""
    found = measure_all([lines.whole(lines.of_points(points))])
    return Returns(*(each.column().measures()[0] for each in found))


def measure_all(stretches: Sequence[Stretch]) -> ReturnColumns:
    """All three of each stretch."""
    size = len(stretches)
    lengths = np.array([stretch.length for stretch in stretches], dtype=np.int64)
    nothing = lengths == 0
    with localcontext(CONTEXT):
        amounts = [
            _amounts(stretch) if length else (0.0, 0.0, 0.0)
            for stretch, length in zip(stretches, lengths.tolist(), strict=True)
        ]
    made, put_in, at_work = np.array(amounts, dtype=np.float64).reshape(size, 3).T
    rates, codes = (
        np.zeros(size),
        choose((nothing, Reason.NO_RETURNS), (lengths < MIN_GROWTH_DAYS, Reason.TOO_FEW_DAYS), size=size),
    )
    long = [row for row, code in enumerate(codes.tolist()) if code == DEFINED]
    rates[long], codes[long] = _rates([_flows(stretches[row]) for row in long])
    return ReturnColumns(
        _share(made, put_in, nothing), _share(made, at_work, nothing), Estimate(rates, codes)
    )


def _amounts(stretch: Stretch) -> tuple[float, float, float]:
    """Money made, all that was put in, and the mean of what was at work: opening equity + each flow x the part of the
    time it was there (Dietz 1966, as GIPS writes it)."""
    flows = stretch.flows()
    if not flows:
        opening = float(stretch.line.values[stretch.start])
        return float(stretch.made), opening, opening
    put_in = sum((flow.paid_in for _, flow in flows), stretch.line.equity[stretch.start])
    length = stretch.length
    weighed = sum((-flow.amount * (length - flow.day) for flow in cash_flows(stretch)), ZERO)
    return float(stretch.made), float(put_in), float(weighed / length)


def _share(made: Floats, whole: Floats, nothing: Flags) -> Estimate:
    """In percent of a whole above dust."""
    dust = whole < float(DUST)
    codes = choose((nothing, Reason.NO_RETURNS), (dust, Reason.NO_CAPITAL), size=len(made))
    return Estimate(100 * made / np.where(dust, 1.0, whole), codes)


def cash_flows(stretch: Stretch) -> list[CashFlow]:
    """What an owner paid and got who held exactly this: opening equity, flows, closing equity; zeros left out."""
    days, equity = stretch.line.days, stretch.line.equity
    first = days[stretch.start]
    flows = [CashFlow(0, -equity[stretch.start])]
    for place, (paid_in, paid_out) in stretch.flows():
        flows.append(CashFlow(days[place - 1] - first, -paid_in))
        flows.append(CashFlow(days[place] - first, paid_out))
    flows.append(CashFlow(days[stretch.stop - 1] - first, equity[stretch.stop - 1]))
    return [flow for flow in flows if flow.amount]


def internal_rate(cash: Sequence[CashFlow]) -> Measure:
    """XIRR of some flows (see `internal_rates`)."""
    return internal_rates([cash]).column().measures()[0]


def internal_rates(cash: Sequence[Sequence[CashFlow]]) -> Estimate:
    """XIRR of each set of flows: the yearly rate at which all that was paid in grew to all that came out, in percent,
    the root of sum(flow / (1 + rate)^(days / 365)). Undefined where several rates solve it, or none."""
    return _rates([[(flow.day, float(flow.amount)) for flow in flows] for flows in cash])


def _flows(stretch: Stretch) -> list[tuple[int, float]]:
    """Day and amount, as a rate is solved from."""
    if stretch.line.flows:
        return [(flow.day, float(flow.amount)) for flow in cash_flows(stretch)]
    values = stretch.line.values
    return [(0, -values[stretch.start]), (stretch.length, values[stretch.stop - 1])]


def _rates(cash: Sequence[Sequence[tuple[int, float]]]) -> Estimate:
    rates, codes = np.zeros(len(cash)), np.zeros(len(cash), dtype=np.int64)
    for batch in columns.batches([len(flows) for flows in cash], width=len(_GRID)):
        rates[batch], codes[batch] = _solve([cash[row] for row in batch])
    return Estimate(rates, codes)


def _solve(cash: Sequence[Sequence[tuple[int, float]]]) -> Estimate:
    width = max(1, *map(len, cash))
    filled = np.array([[*flows, *[(0, 0.0)] * (width - len(flows))] for flows in cash], dtype=np.float64)
    years, amounts = filled[:, :, 0] / DAYS_PER_YEAR, filled[:, :, 1]
    values = np.zeros((len(cash), len(_GRID)))
    for time, amount in zip(years.T, amounts.T, strict=True):
        values += amount[:, None] * np.exp(-time[:, None] * _GRID)
    left, right = values[:, :-1], values[:, 1:]
    turns = (left == 0) | (left * right < 0)
    count, place = turns.sum(axis=1), turns.argmax(axis=1)
    paid: Flags = np.any(amounts < 0, axis=1)
    taken: Flags = np.any(amounts > 0, axis=1)
    codes = choose(
        (~paid, Reason.NO_CAPITAL), (paid & ~taken, Reason.NO_RATE), (count == 0, Reason.NO_RATE),
        (count > 1, Reason.SEVERAL_RATES), size=len(cash),
    )  # fmt: skip
    rates = np.zeros(len(cash))
    one = codes == DEFINED
    rates[one] = np.expm1(_refine(years[one], amounts[one], _GRID[place[one]], _GRID[place[one] + 1])) * 100
    lost = paid & ~taken
    rates[lost], codes[lost] = -100.0, DEFINED
    return Estimate(rates, codes)


def _refine(years: Floats, amounts: Floats, low: Floats, high: Floats) -> Floats:
    """Newton's steps in the logarithm of 1 + rate, and a bisection whenever one would leave the bracket."""
    falls = (amounts * np.exp(-years * low[:, None])).sum(axis=1) > 0
    at = (low + high) / 2
    for _ in range(_STEPS):
        terms = amounts * np.exp(-years * at[:, None])
        value, slope = terms.sum(axis=1), -(years * terms).sum(axis=1)
        is_left = (value > 0) == falls
        low, high = np.where(is_left, at, low), np.where(is_left, high, at)
        step = at - value / np.where(slope == 0, np.inf, slope)
        is_found = np.abs(step - at) <= _EXACT * (1 + np.abs(at))
        at = np.where(is_found | (low < step) & (step < high), step, (low + high) / 2)
        if is_found.all():
            break
    return at
