"""Daily snapshots: an account at each UTC day's end, with its composition and how far it can be trusted.

Days up to the first report are reconstructed backwards from it (accounting.reconstruction); later days are what the
exchange reported last on that day. A day without a report is a gap, never a drop to zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from core import clock
from core.django import tenancy
from core.money import CONTEXT, ZERO, quantize
from credentials.models import ExchangeAccount
from marketdata import prices
from marketdata.prices import PricePoint
from portfolio.accounting.engine import ENGINE_VERSION
from portfolio.accounting.holdings import Holding, HoldingFacts
from portfolio.accounting.identity import residual
from portfolio.accounting.measure import percent
from portfolio.accounting.reconstruction import reconstruct
from portfolio.models import (
    AssetDay,
    AssetSnapshot,
    BookDay,
    Fee,
    Grade,
    PortfolioSnapshot,
    Trade,
    TradeKind,
    WalletBalance,
)
from portfolio.valuations import PriceNeed


@dataclass(frozen=True, slots=True)
class _Day:
    """A day's composition before it is valued against books and trades."""

    day: date
    holdings: tuple[Holding, ...]
    total: Decimal
    flows: Decimal
    unexplained: Decimal
    grade: str
    doubts: tuple[str, ...]
    is_reconstructed: bool


def refresh(*, user_id: UUID, account_id: UUID, at: datetime) -> int:
    """Bring an account's snapshots up to date; answers how many days were written. Opens its own door.

    The whole line follows from facts, reports and closes; days whose numbers stay the same are not written.
    """
    with tenancy.acting_as(user_id), localcontext(CONTEXT):
        account = ExchangeAccount.objects.select_related("user").get(id=account_id)
        reports = _reports(account)
        if not reports:
            return 0
        days, closes = _compose(account, reports, at)
        return _store(account, days, closes, at)


def price_needs(*, account: ExchangeAccount, at: datetime) -> list[PriceNeed]:
    """Daily candles that the account's snapshots want, from each asset's first day on. Needs an open door."""
    currency = account.user.reporting_currency
    firsts = dict(
        AssetDay.objects.filter(account=account).values_list("asset").annotate(first=Min("day")).order_by()
    )
    start = min(firsts.values(), default=clock.utc_day(at))
    held = WalletBalance.objects.filter(account=account).values_list("asset", flat=True).distinct()
    for asset in held:  # held without any fact: it may have been there all the time
        firsts.setdefault(asset, start)
    until = clock.day_end(clock.utc_day(at))
    return [
        PriceNeed(asset, currency, clock.day_start(first), until, "1d")
        for asset, first in sorted(firsts.items())
        if asset != currency
    ]


# Composition


def _compose(account: ExchangeAccount, reports: "_Amounts", at: datetime) -> "tuple[list[_Day], _Closes]":
    """Every day's holdings and flows, and the closes they are valued at."""
    today = clock.utc_day(at)
    first_report = min(reports)
    changes, paid_in, paid_out = _asset_days(account)
    assets = {asset for amounts in changes.values() for asset in amounts}
    assets |= {asset for amounts in reports.values() for asset in amounts}
    currency = account.user.reporting_currency
    first_day = min([*changes, first_report])
    closes = _Closes(assets, currency, first_day, today)
    past = reconstruct(
        HoldingFacts(
            reported=reports[first_report],
            reported_day=first_report,
            changes={day: amounts for day, amounts in changes.items() if day <= first_report},
            deposits={day: amounts for day, amounts in paid_in.items() if day <= first_report},
            withdrawals={day: amounts for day, amounts in paid_out.items() if day <= first_report},
        ),
        closes.price,
        currency=currency,
    )
    days = [
        _Day(
            day=row.day,
            holdings=row.holdings,
            total=row.total,
            flows=row.flows,
            unexplained=row.unexplained,
            grade=str(row.grade),
            doubts=tuple(str(doubt) for doubt in row.doubts),
            is_reconstructed=row.day < first_report,
        )
        for row in past.days
    ]
    facts = _Facts(changes, paid_in, paid_out)
    reported = [day for day in sorted(reports) if day >= first_report]
    days += [_reported_day(before, day, reports, facts, closes) for before, day in pairwise(reported)]
    return days, closes


@dataclass(frozen=True, slots=True)
class _Facts:
    """Amounts by day and asset: signed changes, deposits, withdrawals."""

    changes: "_Amounts"
    paid_in: "_Amounts"
    paid_out: "_Amounts"


def _between(amounts: "_Amounts", after: date, last: date) -> dict[str, Decimal]:
    """Sum by asset over the days in (after, last]: a gap's facts count on the day that ends it."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for offset in range(1, (last - after).days + 1):
        for asset, amount in amounts.get(after + clock.DAY * offset, {}).items():
            total[asset] += amount
    return total


def _reported_day(before: date, day: date, reports: "_Amounts", facts: _Facts, closes: "_Closes") -> _Day:
    """A day after the first report: what the exchange said last that day, against the report before."""
    holdings = []
    doubts = []
    for asset, quantity in sorted(reports[day].items()):
        if not quantity:
            continue
        price = closes.price(asset, day)
        if price is None:
            doubts.append(f"unpriced:{asset}")
        value = None if price is None else quantize(quantity * price)
        holdings.append(Holding(asset, quantity, price, day if price is not None else None, value))
    appeared = defaultdict(Decimal, reports[day])
    for asset, amount in [*reports[before].items(), *_between(facts.changes, before, day).items()]:
        appeared[asset] -= amount
    paid_in, paid_out = (_between(amounts, before, day) for amounts in (facts.paid_in, facts.paid_out))
    return _Day(
        day=day,
        holdings=tuple(holdings),
        total=sum((holding.value for holding in holdings if holding.value is not None), ZERO),
        flows=_value(paid_in, closes, day) - _value(paid_out, closes, day),
        unexplained=_value(appeared, closes, day),
        grade=Grade.PARTIAL if doubts else Grade.COMPLETE,
        doubts=tuple(doubts),
        is_reconstructed=False,
    )


def _value(amounts: Mapping[str, Decimal], closes: "_Closes", day: date) -> Decimal:
    return sum(
        (quantize(amount * (closes.price(asset, day) or ZERO)) for asset, amount in amounts.items()), ZERO
    )


class _Closes:
    """Daily closes of all assets, and where each is from; the last known price stands in on the present day."""

    def __init__(self, assets: Iterable[str], currency: str, first: date, today: date) -> None:
        self._currency = currency
        wanted = [asset for asset in assets if asset != currency]
        self._points = prices.daily_closes(assets=wanted, currency=currency, first=first, last=today)
        self._points |= {
            (asset, today): point for asset, point in prices.latest(assets=wanted, currency=currency).items()
        }

    def price(self, asset: str, day: date) -> Decimal | None:
        if asset == self._currency:
            return Decimal(1)
        point = self._points.get((asset, day))
        return point.price if point else None

    def source(self, asset: str, day: date) -> str:
        point: PricePoint | None = self._points.get((asset, day))
        return point.source if point else ""


def _reports(account: ExchangeAccount) -> dict[date, dict[str, Decimal]]:
    """By UTC day with a report: total of every asset as last reported up to the end of that day."""
    rows = (
        WalletBalance.objects.filter(account=account)
        .order_by("reported_at", "id")
        .values_list("reported_at", "asset", "available", "locked")
    )
    standing: dict[str, Decimal] = {}
    reports: dict[date, dict[str, Decimal]] = {}
    for reported_at, asset, available, locked in rows:
        day = clock.utc_day(reported_at)
        standing[asset] = available + locked
        reports[day] = standing if day in reports else dict(standing)
        standing = reports[day]
    return reports


_Amounts = dict[date, dict[str, Decimal]]


def _asset_days(account: ExchangeAccount) -> tuple[_Amounts, _Amounts, _Amounts]:
    """Signed changes, deposits and withdrawals by day and asset."""
    changes: _Amounts = defaultdict(dict)
    paid_in: _Amounts = defaultdict(dict)
    paid_out: _Amounts = defaultdict(dict)
    rows = AssetDay.objects.filter(account=account).order_by("day")
    for asset, day, traded, deposited, withdrawn, fees in rows.values_list(
        "asset", "day", "traded", "deposited", "withdrawn", "withdrawal_fees"
    ):
        changes[day][asset] = traded + deposited - withdrawn - fees
        if deposited:
            paid_in[day][asset] = deposited
        if withdrawn:
            paid_out[day][asset] = withdrawn
    return dict(changes), dict(paid_in), dict(paid_out)


# Books and trades beside it


class _BookRow(NamedTuple):
    """A book on a day it changed."""

    asset: str
    quantity: Decimal
    cost: Decimal
    gross: Decimal
    moved_quantity: Decimal
    moved_cost: Decimal


def _book_days(account: ExchangeAccount) -> dict[date, list[_BookRow]]:
    rows: dict[date, list[_BookRow]] = defaultdict(list)
    columns = ("book__asset", "quantity", "cost", "gross_pnl", "moved_quantity", "moved_cost")
    for day, *row in BookDay.objects.filter(account=account).order_by("day").values_list("day", *columns):
        rows[day].append(_BookRow._make(row))
    return rows


def _trade_days(account: ExchangeAccount) -> dict[date, dict[str, Any]]:
    """Sums of the day's trades with known cost; coins spent on fees are no trades."""
    rows = (
        Trade.objects.filter(account=account, kind=TradeKind.TRADE, exit_quantity__gt=0)
        .annotate(day=TruncDate("exit_time"))
        .values("day")
        .annotate(
            net=Sum("net_pnl"),
            count=Count("id"),
            wins=Count("id", filter=Q(net_pnl__gt=0)),
            losses=Count("id", filter=Q(net_pnl__lt=0)),
            best=Max("net_pnl"),
            worst=Min("net_pnl"),
        )
        .order_by("day")
    )
    return {row["day"]: dict(row) for row in rows}


def _fee_days(account: ExchangeAccount) -> dict[date, Decimal]:
    rows = (
        Fee.objects.filter(account=account, value__isnull=False)
        .exclude(fee_type="FUNDING")
        .annotate(day=TruncDate("fee_timestamp"))
        .values_list("day")
        .annotate(value=Sum("value"))
        .order_by("day")
    )
    return dict(rows)


def _open_counts(account: ExchangeAccount, days: Sequence[date]) -> dict[date, int]:
    """How many positions were open at each day's end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.day, count(p.id) FROM unnest(%s::date[]) AS d (day) LEFT JOIN portfolio_position p"
            " ON p.account_id = %s AND p.entered_quantity > 0"
            " AND p.opened_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'"
            " AND (p.closed_at IS NULL OR p.closed_at >= (d.day + 1)::timestamp AT TIME ZONE 'UTC') GROUP BY d.day",
            [list(days), account.id],
        )
        return dict(cursor.fetchall())


class _Line:
    """Walks an account's days in order and makes each day's row from everything up to it."""

    def __init__(self, account: ExchangeAccount, days: Sequence[_Day], at: datetime) -> None:
        self._account = account
        self._at = at
        self._books = _book_days(account)
        self._trades = _trade_days(account)
        self._fees = _fee_days(account)
        self._open = _open_counts(account, [day.day for day in days])
        self._standing: dict[str, tuple[Decimal, Decimal]] = {}
        self._pending_days = sorted({*self._books, *self._trades, *self._fees})
        self._equity: Decimal | None = None
        self._unrealised = ZERO
        self._net = self._all_fees = ZERO
        self._counts = {"count": 0, "wins": 0, "losses": 0}
        self._best: Decimal | None = None
        self._worst: Decimal | None = None

    def row(self, day: _Day) -> PortfolioSnapshot:
        prices_now = {holding.asset: holding.price for holding in day.holdings}
        gross = moved_gain = net = fees = ZERO
        while self._pending_days and self._pending_days[0] <= day.day:
            passed = self._pending_days.pop(0)
            for book in self._books.get(passed, ()):
                self._standing[book.asset] = (book.quantity, book.cost)
                gross += book.gross
                if book.moved_quantity:
                    worth = quantize(book.moved_quantity * (prices_now.get(book.asset) or ZERO))
                    moved_gain += worth - book.moved_cost
            fees += self._fees.get(passed, ZERO)
            net += self._add_trades(passed)
        self._net += net
        self._all_fees += fees
        unrealised, value = self._mark(prices_now)
        before = self._equity if self._equity is not None else ZERO
        rest = residual(
            equity_before=before,
            equity_after=day.total,
            flows=day.flows,
            gross_realised=gross + moved_gain,
            unrealised_before=self._unrealised,
            unrealised_after=unrealised,
            fees=fees,
        )
        self._equity, self._unrealised = day.total, unrealised
        return self._snapshot(
            day, value=value, unrealised=unrealised, gross=gross, net=net, fees=fees, rest=rest
        )

    def _add_trades(self, day: date) -> Decimal:
        trades = self._trades.get(day)
        if trades is None:
            return ZERO
        for name in self._counts:
            self._counts[name] += trades[name]
        if trades["best"] > 0:
            self._best = max(self._best or ZERO, trades["best"])
        if trades["worst"] < 0:
            self._worst = min(self._worst or ZERO, trades["worst"])
        net: Decimal = trades["net"]
        return net

    def _mark(self, prices_now: Mapping[str, Decimal | None]) -> tuple[Decimal, Decimal]:
        """Unrealised PnL and value of all open inventory at the day's closes; unpriced inventory is left out."""
        unrealised = value = ZERO
        for asset, (quantity, cost) in self._standing.items():
            price = prices_now.get(asset)
            if quantity and price is not None:
                worth = quantize(quantity * price)
                value += worth
                unrealised += worth - cost
        return unrealised, value

    def _snapshot(
        self,
        day: _Day,
        *,
        value: Decimal,
        unrealised: Decimal,
        gross: Decimal,
        net: Decimal,
        fees: Decimal,
        rest: Decimal,
    ) -> PortfolioSnapshot:
        decided = self._counts["wins"] + self._counts["losses"]
        count = self._counts["count"]
        return PortfolioSnapshot(
            user_id=self._account.user_id,
            account=self._account,
            exchange=self._account.exchange,
            snapshot_date=day.day,
            currency=self._account.user.reporting_currency,
            total_balance=day.total,
            total_positions_value=value,
            unrealized_pnl=unrealised,
            open_positions_count=self._open.get(day.day, 0),
            realized_pnl=net,
            gross_pnl=gross,
            fees=fees,
            flows=day.flows,
            unexplained=day.unexplained,
            residual=quantize(rest),
            total_realized_pnl=self._net,
            total_trades_count=count,
            winning_trades_count=self._counts["wins"],
            losing_trades_count=self._counts["losses"],
            win_rate=percent(Decimal(self._counts["wins"]), Decimal(decided)).value if decided else None,
            total_fees_paid=self._all_fees,
            average_trade_pnl=quantize(self._net / count) if count else None,
            largest_win=self._best,
            largest_loss=self._worst,
            is_reconstructed=day.is_reconstructed,
            is_final=day.day < clock.utc_day(self._at),
            grade=day.grade,
            grade_reason=", ".join(day.doubts)[:300],
            engine_version=ENGINE_VERSION,
            computed_at=self._at,
        )


_COMPARED = [
    field.attname
    for field in PortfolioSnapshot._meta.concrete_fields
    if field.name not in ("id", "user", "account", "snapshot_date", "computed_at")
]
_REWRITTEN = [*_COMPARED, "computed_at"]


def _store(account: ExchangeAccount, days: Sequence[_Day], closes: "_Closes", at: datetime) -> int:
    """Write the days that differ from what is stored, with their composition; the last day always."""
    known = {row.snapshot_date: row for row in PortfolioSnapshot.objects.filter(account=account)}
    line = _Line(account, days, at)
    rows = [(line.row(day), day) for day in days]
    last = days[-1].day
    changed = [
        (row, day)
        for row, day in rows
        if day.day == last or day.day not in known or _differs(row, known[day.day])
    ]
    gone = known.keys() - {day.day for day in days}
    _delete(account, gone)
    stored = PortfolioSnapshot.objects.bulk_create(
        [row for row, _ in changed],
        update_conflicts=True,
        unique_fields=["account", "snapshot_date"],
        update_fields=_REWRITTEN,
        batch_size=500,
    )
    AssetSnapshot.objects.filter(snapshot__in=stored).delete()
    AssetSnapshot.objects.bulk_create(
        [
            AssetSnapshot(
                user_id=account.user_id,
                account=account,
                snapshot=row,
                asset=holding.asset,
                quantity=holding.quantity,
                price=holding.price,
                price_source=closes.source(holding.asset, holding.price_day or day.day),
                value=holding.value,
            )
            for row, (_, day) in zip(stored, changed, strict=True)
            for holding in day.holdings
        ],
        batch_size=2000,
    )
    return len(changed)


def _differs(row: PortfolioSnapshot, known: PortfolioSnapshot) -> bool:
    return any(getattr(row, name) != getattr(known, name) for name in _COMPARED)


def _delete(account: ExchangeAccount, days: Iterable[date]) -> None:
    """Days that facts no longer reach."""
    gone = PortfolioSnapshot.objects.filter(account=account, snapshot_date__in=list(days))
    AssetSnapshot.objects.filter(snapshot__in=gone).delete()
    gone.delete()
