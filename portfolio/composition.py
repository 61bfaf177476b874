"""What an account held at each UTC day's end, valued at the day's closes.

Days up to the first report are worked out backwards from it (accounting.reconstruction). Later days are what the
exchange reported last on that day; a day between without a report stands as the day before, moved on by its facts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from core import clock
from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from marketdata import prices
from portfolio.accounting.holdings import DoubtKind, Holding, HoldingFacts, ReconstructedDay
from portfolio.accounting.reconstruction import reconstruct
from portfolio.models import Grade
from portfolio.reports import DayEnds, DayFacts, Reports

NO_REPORT: Final = "no_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day's composition before it is held against books and trades."""

    day: date
    holdings: tuple[Holding, ...]
    total: Decimal
    locked: Decimal | None
    """Worth of what orders hold back; None where no report says."""
    flows: Decimal
    unexplained: Decimal
    grade: str
    doubts: tuple[str, ...]
    is_reconstructed: bool

    @property
    def available(self) -> Decimal | None:
        return None if self.locked is None else self.total - self.locked


class Closes:
    """Daily closes of assets in the reporting currency, and where each is from; the present day closes at the
    newest price for now."""

    def __init__(
        self, assets: Iterable[str], currency: str, first: date, last: date, *, exchange: str
    ) -> None:
        self._currency = currency
        wanted = [asset for asset in assets if asset != currency]
        self._points = prices.daily_closes(
            assets=wanted, currency=currency, first=first, last=last, also=[exchange]
        )
        self._days: dict[str, list[date]] = defaultdict(list)
        for asset, day in sorted(self._points):
            self._days[asset].append(day)

    def close(self, asset: str, day: date) -> Decimal | None:
        """The close of that very day."""
        if asset == self._currency:
            return Decimal(1)
        point = self._points.get((asset, day))
        return point.price if point else None

    def standing(self, asset: str, day: date) -> tuple[Decimal | None, date | None]:
        """The newest close up to a day, and the day it is of: an outage is no drop to zero."""
        if asset == self._currency:
            return Decimal(1), day
        days = self._days.get(asset, [])
        place = bisect_right(days, day)
        return (self._points[asset, days[place - 1]].price, days[place - 1]) if place else (None, None)

    def price(self, asset: str, day: date) -> Decimal | None:
        return self.standing(asset, day)[0]

    def source(self, asset: str, day: date) -> str:
        point = self._points.get((asset, day))
        return point.source if point else ""


def read_closes(
    account: ExchangeAccount, facts: DayFacts, reports: Reports, last: date, *, also: Iterable[str] = ()
) -> Closes:
    """Closes of everything that was ever held, and of `also`, from the first day on."""
    assets = set(also)
    assets |= {asset for amounts in facts.changes.values() for asset in amounts}
    assets |= {asset for reported in reports.values() for asset in reported}
    first = min([*facts.changes, *reports])
    return Closes(assets, account.user.reporting_currency, first, last, exchange=account.exchange)


def compose(account: ExchangeAccount, facts: DayFacts, reports: Reports, closes: Closes) -> list[Day]:
    """Every day from the first fact to the last report."""
    ends = DayEnds(account, reports, facts.changes)
    first_report = min(reports)
    days = list(_past(account, facts, reports, closes, ends))
    held = {holding.asset: holding.quantity for holding in days[-1].holdings}
    for offset in range(1, (max(reports) - first_report).days + 1):
        day = first_report + clock.DAY * offset
        days.append(_next_day(day, held, facts, reports, closes, ends))
        held = {holding.asset: holding.quantity for holding in days[-1].holdings}
    return days


def _past(
    account: ExchangeAccount, facts: DayFacts, reports: Reports, closes: Closes, ends: DayEnds
) -> Iterator[Day]:
    """The days up to the first report's, that one included."""
    first_report = min(reports)
    changes = {day: amounts for day, amounts in facts.changes.items() if day <= first_report}
    computed: dict[str, Decimal] = defaultdict(Decimal)
    for amounts in changes.values():
        for asset, amount in amounts.items():
            computed[asset] += amount
    past = reconstruct(
        HoldingFacts(
            reported=ends.at(first_report, computed),
            reported_day=first_report,
            changes=changes,
            deposits={day: amounts for day, amounts in facts.paid_in.items() if day <= first_report},
            withdrawals={day: amounts for day, amounts in facts.paid_out.items() if day <= first_report},
        ),
        closes.close,
        currency=account.user.reporting_currency,
    )
    for row in past.days:
        is_reported = row.day == first_report
        yield _reconstructed(row, _locked(reports, row.day, closes) if is_reported else None)


def _reconstructed(row: ReconstructedDay, locked: Decimal | None) -> Day:
    return Day(
        day=row.day,
        holdings=row.holdings,
        total=row.total,
        locked=locked,
        flows=row.flows,
        unexplained=row.unexplained,
        grade=str(row.grade),
        doubts=tuple(str(doubt) for doubt in row.doubts),
        is_reconstructed=locked is None,
    )


def _next_day(
    day: date,
    before: Mapping[str, Decimal],
    facts: DayFacts,
    reports: Reports,
    closes: Closes,
    ends: DayEnds,
) -> Day:
    """A day after the first report: as reported, else as its facts moved the day before on."""
    expected: dict[str, Decimal] = defaultdict(Decimal, before)
    for asset, amount in facts.changes.get(day, {}).items():
        expected[asset] += amount
    is_reported = day in reports
    held = ends.at(day, expected) if is_reported else {a: max(q, ZERO) for a, q in expected.items()}
    appeared = {asset: held.get(asset, ZERO) - expected[asset] for asset in held.keys() | expected.keys()}
    for asset, quantity in before.items():
        if closes.price(asset, day - clock.DAY) is None:
            # Until now it stood outside the total; its first price is no profit.
            appeared[asset] += quantity
    holdings = tuple(_holding(asset, held[asset], day, closes) for asset in sorted(held) if held[asset])
    doubts = tuple(_doubts(holdings, day)) + (() if is_reported else (NO_REPORT,))
    return Day(
        day=day,
        holdings=holdings,
        total=sum((holding.value for holding in holdings if holding.value is not None), ZERO),
        locked=_locked(reports, day, closes) if is_reported else None,
        flows=_worth(facts.paid_in.get(day, {}), closes, day)
        - _worth(facts.paid_out.get(day, {}), closes, day),
        unexplained=_worth(appeared, closes, day),
        grade=Grade.PARTIAL if doubts else Grade.COMPLETE,
        doubts=doubts,
        is_reconstructed=not is_reported,
    )


def _holding(asset: str, quantity: Decimal, day: date, closes: Closes) -> Holding:
    price, price_day = closes.standing(asset, day)
    return Holding(asset, quantity, price, price_day, None if price is None else quantize(quantity * price))


def _doubts(holdings: Iterable[Holding], day: date) -> Iterator[str]:
    for holding in holdings:
        if holding.price_day is None:
            yield f"{DoubtKind.UNPRICED}:{holding.asset}"
        elif holding.price_day != day:
            yield f"{DoubtKind.STALE_PRICE}:{holding.asset}"


def _locked(reports: Reports, day: date, closes: Closes) -> Decimal:
    return _worth({asset: report.locked for asset, report in reports[day].items()}, closes, day)


def _worth(amounts: Mapping[str, Decimal], closes: Closes, day: date) -> Decimal:
    """At the day's closes; what has no price counts nothing, and the day says so."""
    return sum(
        (quantize(amount * (closes.price(asset, day) or ZERO)) for asset, amount in amounts.items()), ZERO
    )
