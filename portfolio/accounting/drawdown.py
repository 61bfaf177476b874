"""Falls from the highest point so far, on the flow-adjusted index: a withdrawal is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Final

from core.money import CONTEXT, ZERO, quantize
from portfolio.accounting.measure import HUNDRED, RATIO_PLACES, Measure, Reason
from portfolio.accounting.returns import IndexPoint

_COMPARED: Final = Context(prec=40)


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


def series(points: Sequence[IndexPoint]) -> list[DrawdownPoint]:
    """The drawdown of each day, for a chart."""
    return [
        DrawdownPoint(point.day, quantize(CONTEXT.multiply(depth, HUNDRED), RATIO_PLACES))
        for point, depth, _ in _depths(points)
    ]


def deepest(points: Sequence[IndexPoint]) -> Drawdown:
    """The deepest fall of the index in percent (the first of equals), from the last day at its high."""
    if not any(point.change is not None for point in points):
        undefined = Measure.undefined(Reason.NO_RETURNS)
        return Drawdown(undefined, undefined)
    trough, depth, peak = max(_depths(points), key=lambda fall: fall[1])
    if not depth:
        return Drawdown(Measure.ratio(ZERO), Measure.money(ZERO))
    with localcontext(CONTEXT):
        lost = peak.profit - trough.profit
    return Drawdown(
        percent=Measure.ratio(CONTEXT.multiply(depth, HUNDRED)),
        amount=Measure.money(lost) if lost >= 0 else Measure.undefined(Reason.GAINED_DESPITE_FALL),
        peak_day=peak.day,
        trough_day=trough.day,
        recovery_day=next(
            (point.day for point in points if point.day > trough.day and _height(point) >= _height(peak)),
            None,
        ),
    )


def _depths(points: Sequence[IndexPoint]) -> list[tuple[IndexPoint, Decimal, IndexPoint]]:
    """Each point with its fraction below the peak before it, and that peak."""
    falls: list[tuple[IndexPoint, Decimal, IndexPoint]] = []
    peak: IndexPoint | None = None
    with localcontext(CONTEXT):
        for point in points:
            if peak is None or _height(point) >= _height(peak):
                peak = point
            height = _height(
                peak
            )  # zero only where the index begins after a total loss: nothing left to fall
            falls.append((point, 1 - _height(point) / height if height else ZERO, peak))
    return falls


def _height(point: IndexPoint) -> Decimal:
    """The index without the noise of its last digits, so that a high reached again is as high."""
    return _COMPARED.plus(point.index)
