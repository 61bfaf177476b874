"""Time-weighted daily returns and the equity index: what the trading made, whatever was paid in or out.

Flow timing (equity at the moment of a flow is not known): money paid in counts as there from the day's start,
money paid out as there until its end.

    return = (equity at the end + paid out) / (equity at the end of the day before + paid in) - 1

Days without a snapshot make no return; the next valued day carries the change since the last one, with all
flows between. Where the base is dust a new sub-period begins and the index stands still.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

from core import clock
from core.money import CONTEXT, ZERO, quantize

DUST: Final = Decimal(1)
"""In units of the reporting currency: a return on less than this says nothing."""
DAYS_PER_YEAR: Final = 365
MIN_GROWTH_DAYS: Final = 90
"""A shorter stretch blown up to a year is a fantasy."""
ONE: Final = Decimal(1)
CHANGE_PLACES: Final = 30
"""Decimals kept of a daily return: far below any price's, and equal returns stay equal."""


@dataclass(frozen=True, slots=True)
class EquityDay:
    """Equity at the day's end (None: no trustworthy snapshot) and the day's external flows, both >= 0."""

    day: date
    equity: Decimal | None
    paid_in: Decimal = ZERO
    paid_out: Decimal = ZERO

    @classmethod
    def of_flow(cls, day: date, equity: Decimal | None, flow: Decimal) -> "EquityDay":
        """From a net flow: deposits minus withdrawals."""
        return cls(day, equity, paid_in=max(flow, ZERO), paid_out=max(-flow, ZERO))


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """One valued day on the flow-adjusted equity index."""

    day: date
    equity: Decimal
    index: Decimal
    """1 at the first point, before any return; 0 after a total loss, for good."""
    change: Decimal | None
    """The return since the point before (0.01 = 1 %); None at the start and where the base is dust."""
    profit: Decimal
    """Money made since the first point: change in equity less flows."""
    base: Decimal
    """Capital at work: equity before plus what was paid in."""
    span: int
    """Days since the point before: 1, or more after a gap; 0 at the start."""


def chain(
    days: Iterable[EquityDay], *, opening: Decimal | None = None, dust: Decimal = DUST
) -> list[IndexPoint]:
    """Link daily returns into an index, one point per valued day, ascending.

    `opening` is the equity at the end of the day before the first (0 for a whole history): a first point is
    put there. Without it the first valued day is the starting point, flows up to it are not counted. Equity
    below zero counts as a total loss. Raises ValueError when days repeat or go back.
    """
    points: list[IndexPoint] = []
    paid_in = paid_out = ZERO
    previous_day: date | None = None
    with localcontext(CONTEXT):
        for row in days:
            if previous_day is not None and row.day <= previous_day:
                raise ValueError(f"Days must ascend: {row.day} follows {previous_day}.")
            if previous_day is None and opening is not None:
                points.append(_start(row.day - clock.DAY, opening))
            previous_day = row.day
            paid_in += row.paid_in
            paid_out += row.paid_out
            if row.equity is None:
                continue
            if points:
                points.append(_step(points[-1], row.day, row.equity, paid_in, paid_out, dust))
            else:
                points.append(_start(row.day, row.equity))
            paid_in = paid_out = ZERO
    return points


def _start(day: date, equity: Decimal) -> IndexPoint:
    return IndexPoint(day, equity, index=ONE, change=None, profit=ZERO, base=equity, span=0)


def _step(
    before: IndexPoint, day: date, equity: Decimal, paid_in: Decimal, paid_out: Decimal, dust: Decimal
) -> IndexPoint:
    base = before.equity + paid_in
    growth = max((equity + paid_out) / base, ZERO) if base >= dust else None
    return IndexPoint(
        day=day,
        equity=equity,
        index=before.index if growth is None else before.index * growth,
        change=None if growth is None else quantize(growth - 1, CHANGE_PLACES),
        profit=before.profit + equity - before.equity - paid_in + paid_out,
        base=base,
        span=(day - before.day).days,
    )


def paid_between(before: IndexPoint, point: IndexPoint) -> tuple[Decimal, Decimal]:
    """What was paid in and out between two neighbours of a chain. Amounts keep all their digits in `money.CONTEXT`."""
    paid_in = point.base - before.equity
    return paid_in, (point.profit - before.profit) - (point.equity - before.equity) + paid_in


def changes(points: Iterable[IndexPoint]) -> list[Decimal]:
    """The returns of a chain, flat days included, starts and dust left out."""
    return [point.change for point in points if point.change is not None]
