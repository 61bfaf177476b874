"""What the same money would be worth in one asset: bought with the opening equity, with each deposit, sold for each
withdrawal."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from core.money import CONTEXT, ZERO, quantize
from portfolio.accounting.measure import Measure, Reason, percent
from portfolio.accounting.returns import IndexPoint, paid_between


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`worth`: of each point, at the asset's last close up to it; None where it cannot be told, `reason` says why."""

    worth: tuple[Decimal | None, ...]
    change: Measure
    """Of the asset's price from the first point to the last, in percent: beside a time-weighted return."""
    reason: Reason | None


def hold(points: Sequence[IndexPoint], closes: Mapping[date, Decimal]) -> Benchmark:
    """Flows are placed as returns place them: in at the close before the day, out at the day's close.

    Once withdrawals took more than the asset was worth there is nothing left to compare with.
    """
    prices = [_standing(sorted(closes), closes, point.day) for point in points]
    known = [price for price in prices if price]
    if len(known) < len(points) or len(points) < 2:
        reason = Reason.NO_RETURNS if len(points) < 2 else Reason.NO_PRICE
        return Benchmark((None,) * len(points), Measure.undefined(reason), reason)
    worth: list[Decimal | None] = [points[0].equity]
    with localcontext(CONTEXT):
        units = points[0].equity / known[0]
        for place in range(1, len(points)):
            paid_in, paid_out = paid_between(points[place - 1], points[place])
            units += paid_in / known[place - 1] - paid_out / known[place]
            if units < 0:
                break
            worth.append(quantize(units * known[place]))
        change = percent(known[-1] - known[0], known[0])
    is_used_up = len(worth) < len(points)
    worth += [None] * (len(points) - len(worth))
    return Benchmark(tuple(worth), change, Reason.USED_UP if is_used_up else None)


def _standing(days: Sequence[date], closes: Mapping[date, Decimal], day: date) -> Decimal:
    """The newest close up to a day; zero if there is none."""
    place = bisect_right(days, day)
    return closes[days[place - 1]] if place else ZERO
