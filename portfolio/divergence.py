"""When report and facts of an asset parted: the first interval between two reports over which they did.

The end of every day with a report is held against the days' sums; within the day that diverged, the reports themselves
are bisected. Needs an open door.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Final

from django.db.models import Min

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from orders import facts
from portfolio.comparison import closest
from portfolio.models import WalletBalance
from portfolio.reports import IN_FLIGHT, DayFacts

_MARGIN: Final = 2 * IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Interval:
    """`since`: report and facts agreed last (None: never as far as is known); `until`: by then they did not."""

    since: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True)
class _Point:
    """An asset in all wallets at a report."""

    at: datetime
    total: Decimal


def find(
    *,
    account: ExchangeAccount,
    asset: str,
    known: DayFacts,
    step: Decimal,
    until: datetime,
    accepted: Sequence[Decimal] = (),
) -> Interval:
    """Where the difference began that stands at `until`, the last report; differences in `accepted` count as none."""
    points = _points(account, asset)
    line = _Line(account, asset, known, (ZERO, *accepted), step)
    ends = list({clock.utc_day(point.at): point for point in points}.values())
    last = line.last_good(ends)
    if last is not None:
        good, bad = ends[last], ends[last + 1].at if last + 1 < len(ends) else until
    elif points and line.agrees(points[0]):
        good, bad = points[0], ends[0].at
    else:
        first = points[0].at if points else until
        return Interval(None, line.below_zero_by(first) or first)
    between = [good, *(point for point in points if good.at < point.at <= bad)]
    if len(between) == 1:
        return Interval(good.at, until)
    place = line.first_bad(between)
    return Interval(between[place - 1].at, between[place].at)


def _points(account: ExchangeAccount, asset: str) -> list[_Point]:
    """Every report that is kept something of. What it says nothing of stands as before; before it was named for the
    first time it was at zero, since that wallet is told at all."""
    told = WalletBalance.objects.filter(account=account)
    rows = told.filter(asset=asset).order_by("reported_at", "id")
    changes: dict[datetime, dict[str, Decimal]] = defaultdict(dict)
    first = None
    for at, wallet, available, locked in rows.values_list("reported_at", "wallet", "available", "locked"):
        first = first or wallet
        changes[at][wallet] = available + locked
    if first is not None:
        told = told.filter(reported_at__gte=told.filter(wallet=first).aggregate(at=Min("reported_at"))["at"])
    wallets: dict[str, Decimal] = {}
    points = []
    for at in told.order_by("reported_at").values_list("reported_at", flat=True).distinct():
        wallets |= changes.get(at, {})
        points.append(_Point(at, sum(wallets.values(), ZERO)))
    return points


class _Line:
    """The asset by facts, and how far a report is from it."""

    def __init__(
        self, account: ExchangeAccount, asset: str, known: DayFacts, agreed: Sequence[Decimal], step: Decimal
    ) -> None:
        self._account, self._asset, self._agreed, self._step = account, asset, agreed, step
        changes = {day: amounts[asset] for day, amounts in known.changes.items() if asset in amounts}
        self._days = sorted(changes)
        self._sums = list(accumulate((changes[day] for day in self._days), initial=ZERO))

    def last_good(self, ends: Sequence[_Point]) -> int | None:
        """The last of the days' ends that agreed, where the line does not agree later any more."""
        difference = ZERO
        found = None
        around = self._around(ends)
        for place, point in enumerate(ends):
            difference = self._difference(point, around, expected=difference)
            if self._is_good(difference):
                found = place
        return found

    def first_bad(self, points: Sequence[_Point]) -> int:
        """By bisection: the first of the points is taken for good, the last for bad."""
        low, high = 1, len(points) - 1
        while low < high:
            middle = (low + high) // 2
            if self.agrees(points[middle]):
                low = middle + 1
            else:
                high = middle
        return low

    def agrees(self, point: _Point) -> bool:
        around = self._around([point])
        return any(self._is_good(self._difference(point, around, expected=one)) for one in self._agreed)

    def below_zero_by(self, first: datetime) -> datetime | None:
        """The end of the first day before `first` at which facts alone give less than nothing: what is missing came
        before it."""
        for day, total in zip(self._days, self._sums[1:], strict=True):
            if clock.day_end(day) > first:
                return None
            if total < -self._step:
                return clock.day_end(day)
        return None

    def _is_good(self, difference: Decimal) -> bool:
        return any(abs(difference - each) <= self._step for each in self._agreed)

    def _computed(self, day: date) -> Decimal:
        return self._sums[bisect_right(self._days, day)]

    def _difference(
        self, point: _Point, around: dict[date, tuple[Decimal, Decimal]], *, expected: Decimal
    ) -> Decimal:
        day = clock.utc_day(point.at)
        return closest(point.total, self._computed(day), *around[day], expected)

    def _around(self, points: Sequence[_Point]) -> dict[date, tuple[Decimal, Decimal]]:
        """What facts changed around and after each point until its day's end; at most one point a day."""
        moments = {(self._asset, clock.utc_day(point.at)): point.at - IN_FLIGHT for point in points}
        found = facts.changes_after(account_id=self._account.id, moments=moments, margin=_MARGIN)
        around: dict[date, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
        return around | {day: sums for (_, day), sums in found.items()}
