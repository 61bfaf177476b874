"""What the exchange reported and what the facts say, by UTC day: the two sources a day is composed from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from orders import facts
from portfolio.balances import untold
from portfolio.models import AssetDay, WalletBalance

Amounts = dict[date, dict[str, Decimal]]

IN_FLIGHT: Final = timedelta(minutes=1)
"""A fact this close after a report may be in it already: the report's moment is ours, the fact's the exchange's."""


@dataclass(frozen=True, slots=True)
class Report:
    """An asset as last reported up to the end of a day."""

    available: Decimal
    locked: Decimal
    at: datetime

    @property
    def total(self) -> Decimal:
        return self.available + self.locked


Reports = dict[date, dict[str, Report]]


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Amounts by day and asset: signed changes; what came from and went outside among them, both >= 0: deposits and
    withdrawals, and what was moved from and to wallets that are not read."""

    changes: Amounts
    paid_in: Amounts
    paid_out: Amounts


def read_reports(account: ExchangeAccount) -> Reports:
    """Every asset by UTC day with a report; one that a day says nothing of stands as before."""
    rows = (
        WalletBalance.objects.filter(account=account)
        .order_by("reported_at", "id")
        .values_list("reported_at", "asset", "wallet", "available", "locked")
    )
    wallets: dict[str, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
    standing: dict[str, Report] = {}
    reports: Reports = {}
    for reported_at, asset, wallet, available, locked in rows:
        day = clock.utc_day(reported_at)
        if day not in reports:
            reports[day] = standing = dict(standing)
        held = wallets[asset]
        held[wallet] = available, locked
        standing[asset] = (
            Report(available, locked, reported_at)
            if len(held) == 1
            else _together(held.values(), reported_at)
        )
    return reports


def _together(wallets: Iterable[tuple[Decimal, Decimal]], at: datetime) -> Report:
    """An asset in all wallets."""
    available, locked = zip(*wallets, strict=True)
    return Report(sum(available, ZERO), sum(locked, ZERO), at)


def read_facts(account: ExchangeAccount, *, only: date | None = None) -> DayFacts:
    """What facts changed, of all days or of one; days whose facts were taken back are left out."""
    read = DayFacts(defaultdict(dict), defaultdict(dict), defaultdict(dict))
    rows = AssetDay.objects.filter(account=account).order_by("day")
    if only is not None:
        rows = rows.filter(day=only)
    for asset, day, deposited, withdrawn, fees, moved, *earned in rows.values_list(
        *("asset", "day", "deposited", "withdrawn", "withdrawal_fees", "moved"),
        *("traded", "settled", "funding", "income"),
    ):
        if deposited or withdrawn or fees or moved or any(earned):
            read.changes[day][asset] = sum(earned, ZERO) + deposited - withdrawn - fees + moved
        if paid_in := deposited + max(moved, ZERO):
            read.paid_in[day][asset] = paid_in
        if paid_out := withdrawn + max(-moved, ZERO):
            read.paid_out[day][asset] = paid_out
    for _, day, asset, amount in untold(account_ids=[account.id]):
        if only not in (None, day):
            continue
        read.changes[day][asset] = read.changes[day].get(asset, ZERO) + amount
    return DayFacts(dict(read.changes), dict(read.paid_in), dict(read.paid_out))


class DayEnds:
    """What was held at the end of days with a report: the report, moved on by the facts that came after it."""

    def __init__(self, account: ExchangeAccount, reports: Reports, changes: Amounts) -> None:
        self._reported = {day: _with_unreported(day, reports, changes) for day in reports}
        self._after = facts.changes_after(
            account_id=account.id,
            moments={
                (asset, day): report.at
                for day, reported in self._reported.items()
                for asset, report in reported.items()
                if asset in changes.get(day, {}) and clock.utc_day(report.at) == day
            },
            margin=IN_FLIGHT,
        )

    def at(self, day: date, expected: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Totals by asset. A fact around the moment of the report is taken as being in it or not, whichever gives
        what was `expected` from the day before; where neither does, the report decides."""
        return {
            asset: self._settle(asset, day, report.total, expected.get(asset, ZERO))
            for asset, report in self._reported[day].items()
        }

    def _settle(self, asset: str, day: date, reported: Decimal, expected: Decimal) -> Decimal:
        after, late = self._after.get((asset, day), (ZERO, ZERO))
        return expected if expected in (reported, reported + after) else reported + late


def _with_unreported(day: date, reports: Reports, changes: Amounts) -> dict[str, Report]:
    """A day's report with the assets that facts touched and it does not name: they were at zero."""
    at = max(report.at for report in reports[day].values())
    return {asset: Report(ZERO, ZERO, at) for asset in changes.get(day, {})} | reports[day]
