"""Holdings of past days, worked out backwards from what the exchange reports now.

    holding at the end of day d = reported - sum of changes after d

What the facts cannot explain stays visible. Where more is reported than they add up to, the difference was
held before the first fact: an opening flow on the first day. Where less is reported, it is kept out of the
past and leaves on the reported day as `unexplained`. A holding that facts would drive below zero is cut at
zero, marked, and the cut is `unexplained` too.

Everything of a day is valued at its close, also that day's flows: an asset paid in during the day then makes
no profit or loss of its own, and the accounting identity closes. A missing close is replaced by the last one
known (stale); an asset without any stays unpriced, outside the total, and the day is partial.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

from core import clock
from core.money import CONTEXT, ZERO, quantize
from portfolio.accounting.holdings import (
    Doubt,
    DoubtKind,
    Grade,
    Holding,
    HoldingFacts,
    Quantities,
    ReconstructedDay,
    Reconstruction,
)

ClosePrice = Callable[[str, date], Decimal | None]
"""Price of an asset at the end of a UTC day in the reporting currency; None where nobody knows it."""

TOLERANCE: Final = Decimal("0.01")
"""Value in the reporting currency up to which a difference does not lower a day's grade."""
_NOTHING: Final[Quantities] = {}


def reconstruct(
    facts: HoldingFacts, close: ClosePrice, *, currency: str, tolerance: Decimal = TOLERANCE
) -> Reconstruction:
    """Holdings, value and flows of every day from the first fact to the reported day.

    `currency` is the reporting currency, worth 1. Where the market has no close, `close` may answer with the
    account's last fill price.
    """
    with localcontext(CONTEXT):
        prices = _Prices(close, currency)
        tracks = _tracks(facts, prices, tolerance)
        days = tuple(_close_day(facts, tracks, prices, day, tolerance) for day in _days(facts))
    return Reconstruction(days, {track.asset: track.difference for track in tracks if track.difference})


@dataclass(slots=True)
class _Track:
    """One asset on its way through the days."""

    asset: str
    difference: Decimal
    """Reported minus computed."""
    material: bool
    computed: Decimal
    """By facts and opening alone; may be below zero."""
    quantity: Decimal = ZERO
    unpriced: bool = False

    @property
    def opening(self) -> Decimal:
        return max(self.difference, ZERO)


@dataclass(slots=True, kw_only=True)
class _AssetDay:
    """One asset's share of a day, flows valued."""

    holding: Holding | None
    opening: Decimal
    paid_in: Decimal
    paid_out: Decimal
    unexplained: Decimal
    doubts: list[Doubt]


class _Prices:
    """Closes, carried forward over days without one."""

    def __init__(self, close: ClosePrice, currency: str) -> None:
        self._close = close
        self._currency = currency
        self._last: dict[str, tuple[Decimal, date]] = {}

    def at(self, asset: str, day: date) -> tuple[Decimal | None, date | None]:
        """The price and the day it is of."""
        if asset == self._currency:
            return Decimal(1), day
        price = self._close(asset, day)
        if price is not None:
            self._last[asset] = (price, day)
        return self._last.get(asset, (None, None))

    def is_material(self, asset: str, quantity: Decimal, day: date, tolerance: Decimal) -> bool:
        """Whether an amount is worth more than the tolerance; without a price it may be."""
        price = Decimal(1) if asset == self._currency else self._close(asset, day)
        return bool(quantity) and (price is None or abs(quantity) * price > tolerance)


def _days(facts: HoldingFacts) -> Iterator[date]:
    for offset in range((facts.reported_day - facts.first_day).days + 1):
        yield facts.first_day + clock.DAY * offset


def _tracks(facts: HoldingFacts, prices: _Prices, tolerance: Decimal) -> list[_Track]:
    computed: dict[str, Decimal] = dict.fromkeys(facts.reported, ZERO)
    for changes in facts.changes.values():
        for asset, change in changes.items():
            computed[asset] = computed.get(asset, ZERO) + change
    tracks = []
    for asset in sorted(computed):
        difference = facts.reported.get(asset, ZERO) - computed[asset]
        material = prices.is_material(asset, difference, facts.reported_day, tolerance)
        tracks.append(_Track(asset, difference, material, computed=max(difference, ZERO)))
    return tracks


def _close_day(
    facts: HoldingFacts, tracks: list[_Track], prices: _Prices, day: date, tolerance: Decimal
) -> ReconstructedDay:
    parts = [_close_asset(facts, track, prices, day, tolerance) for track in tracks]
    doubts = tuple(doubt for part in parts for doubt in part.doubts)
    holdings = tuple(part.holding for part in parts if part.holding)
    return ReconstructedDay(
        day=day,
        holdings=holdings,
        total=sum((holding.value for holding in holdings if holding.value is not None), ZERO),
        opening=sum((part.opening for part in parts), ZERO),
        paid_in=sum((part.paid_in for part in parts), ZERO),
        paid_out=sum((part.paid_out for part in parts), ZERO),
        unexplained=sum((part.unexplained for part in parts), ZERO),
        grade=_grade(doubts),
        doubts=doubts,
    )


def _grade(doubts: tuple[Doubt, ...]) -> Grade:
    if any(doubt.kind is DoubtKind.BELOW_ZERO for doubt in doubts):
        return Grade.UNRELIABLE
    return Grade.PARTIAL if doubts else Grade.COMPLETE


def _close_asset(
    facts: HoldingFacts, track: _Track, prices: _Prices, day: date, tolerance: Decimal
) -> _AssetDay:
    """Move one asset to a day's end and value what it did."""
    asset, before = track.asset, track.quantity
    change = facts.changes.get(day, _NOTHING).get(asset, ZERO)
    opening = track.opening if day == facts.first_day else ZERO
    deposited = facts.deposits.get(day, _NOTHING).get(asset, ZERO)
    withdrawn = facts.withdrawals.get(day, _NOTHING).get(asset, ZERO)
    track.computed += change
    is_reported = day == facts.reported_day
    track.quantity = facts.reported.get(asset, ZERO) if is_reported else max(track.computed, ZERO)
    touched = any((before, track.quantity, change, deposited, withdrawn))
    price, price_day = prices.at(asset, day)  # also on idle days: it may have to stand in for a later one
    appeared = track.quantity - before - change - opening
    if track.unpriced and price is not None:
        # Until now it stood outside the total; its first price is no profit.
        appeared += before
    track.unpriced = touched and price is None
    return _AssetDay(
        holding=_holding(track, price, price_day),
        opening=_value(opening, price),
        paid_in=_value(deposited, price),
        paid_out=_value(withdrawn, price),
        unexplained=_value(appeared, price),
        doubts=list(_doubts(facts, track, day, price, price_day, tolerance)) if touched else [],
    )


def _holding(track: _Track, price: Decimal | None, price_day: date | None) -> Holding | None:
    if not track.quantity:
        return None
    value = None if price is None else _value(track.quantity, price)
    return Holding(track.asset, track.quantity, price, price_day, value)


def _value(quantity: Decimal, price: Decimal | None) -> Decimal:
    """Value to the 18 decimals that are kept; without a price nothing, and the day's doubts say so."""
    return quantize(quantity * price) if quantity and price is not None else ZERO


def _doubts(
    facts: HoldingFacts,
    track: _Track,
    day: date,
    price: Decimal | None,
    price_day: date | None,
    tolerance: Decimal,
) -> Iterator[Doubt]:
    is_past = day < facts.reported_day
    if track.material and track.difference > 0 and (is_past or day == facts.first_day):
        yield Doubt(DoubtKind.OPENING_BALANCE, track.asset)
    if track.material and track.difference < 0:
        yield Doubt(DoubtKind.FACTS_EXCEED_REPORT, track.asset)
    if is_past and track.computed < 0 and (price is None or -track.computed * price > tolerance):
        yield Doubt(DoubtKind.BELOW_ZERO, track.asset)
    if price is None:
        yield Doubt(DoubtKind.UNPRICED, track.asset)
    elif price_day != day:
        yield Doubt(DoubtKind.STALE_PRICE, track.asset)
