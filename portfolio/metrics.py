"""Performance metrics per period: rows kept for every account, over all live ones, and for each strategy over those.

A refresh looks at the days whose trades or equity changed (the database itself notes them), and rewrites the periods
these lie in, the present ones and all time, from sums by day; no trade of another day is read. From zero gives the
same rows.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import localcontext
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from core import clock
from core.django import tenancy
from core.money import CONTEXT
from credentials.models import DATA_SOURCES, ExchangeAccount, Mode
from orders.models import OwnTransfer
from portfolio import own_flows, trade_days
from portfolio.accounting import lines
from portfolio.accounting.lines import Line
from portfolio.accounting.periods import CALENDAR_KINDS, Period, PeriodKind, period_of
from portfolio.accounting.returns import EquityDay
from portfolio.accounting.trade_sums import TradeSums, merge
from portfolio.figures import Part, equity_day, figures, merge_equity
from portfolio.models import MetricMark, PerformanceMetric, PortfolioSnapshot

FORMULA_VERSION: Final = 3
_FIELDS: Final = {field.name for field in PerformanceMetric._meta.concrete_fields}
_IDENTITY: Final = ("user", "account", "period_type", "period_start", "strategy")
_WRITTEN: Final = sorted(_FIELDS - {"id", *_IDENTITY})
_Place = tuple[str, datetime]
"""Kind and start of a period."""


@dataclass(frozen=True, slots=True)
class Equity:
    """An account's days with a snapshot, and those of them that ended with an open position."""

    days: Mapping[date, EquityDay]
    exposed: Collection[date]


@dataclass(frozen=True, slots=True)
class _Scope:
    """One account, or all live ones; all of their trades, or those of a strategy."""

    account: ExchangeAccount | None
    exchange: str
    strategy: str
    sums: Mapping[date, TradeSums]
    line: Line
    """Of a strategy what it made on the capital of all."""
    valued: Sequence[date]
    """Days with an entry in the line, priced or not."""
    exposed: Collection[int]
    """Ordinals of days with a position, or a trade."""


def refresh(*, user_id: UUID, at: datetime, from_zero: bool = False) -> int:
    """Bring a user's metrics up to date; answers how many rows were written or removed. Opens its own door.

    Everything is drawn anew `from_zero`, the first time, with another version of the formulas or another currency.
    """
    with tenancy.acting_as(user_id), localcontext(CONTEXT):
        traded = ExchangeAccount.objects.exclude(exchange__in=DATA_SOURCES)
        accounts = list(traded.select_related("user").order_by("created_at"))
        if not accounts:
            return 0
        mark = _locked(user_id)
        currency, today = accounts[0].user.reporting_currency, clock.utc_day(at)
        is_whole = from_zero or (mark.formula_version, mark.currency) != (FORMULA_VERSION, currency)
        changed = trade_days.take(user_id=user_id)
        trade_days.sum_days(
            user_id=user_id, days=trade_days.every_day(user_id=user_id) if is_whole else changed.traded
        )
        equity = read_equity(account_ids=[account.id for account in accounts])
        touched = {*_touched(changed, equity, mark.drawn_to or today, today), *_paired_days()}
        places = None if is_whole else _places(touched)
        drawn = [
            (scope, period) for scope in _scopes(accounts, equity) for period in _periods(scope, at, places)
        ]
        rows = _rows(drawn, user_id=user_id, currency=currency, at=at)
        written = _store(rows, places)
        mark.formula_version, mark.currency, mark.drawn_to = FORMULA_VERSION, currency, today
        if written or changed.traded or changed.valued:
            mark.changed_at, mark.changes = at, mark.changes + 1
        mark.save()
        return written


def read_equity(*, account_ids: Sequence[UUID], until: date | None = None) -> dict[UUID, Equity]:
    """Of each account, from its first snapshot on."""
    days: dict[UUID, dict[date, EquityDay]] = {account_id: {} for account_id in account_ids}
    exposed: dict[UUID, set[date]] = {account_id: set() for account_id in account_ids}
    rows = PortfolioSnapshot.objects.filter(account_id__in=account_ids).order_by("snapshot_date")
    if until is not None:
        rows = rows.filter(snapshot_date__lte=until)
    columns = ("total_balance", "flows", "unexplained", "grade_reason", "open_positions_count")
    for account_id, day, total, flows, unexplained, doubts, is_open in rows.values_list(
        "account_id", "snapshot_date", *columns
    ):
        days[account_id][day] = equity_day(
            day=day, total=total, flows=flows, unexplained=unexplained, doubts=doubts
        )
        if is_open:
            exposed[account_id].add(day)
    return {account_id: Equity(days[account_id], exposed[account_id]) for account_id in account_ids}


def _locked(user_id: UUID) -> MetricMark:
    """One refresh of a user at a time: each sees all that the one before it did."""
    MetricMark.objects.bulk_create([MetricMark(user_id=user_id)], ignore_conflicts=True)
    return MetricMark.objects.select_for_update().get()


def _touched(
    changed: trade_days.Changed, equity: Mapping[UUID, Equity], drawn_to: date, today: date
) -> set[date]:
    """Days whose periods may say something else now.

    A day's equity also decides the change of the next valued one, and stands for the account until then. Whatever was
    the present day since the last refresh is one no more.
    """
    found = {day for days in changed.traded.values() for day in days}
    found.update(_every(min(drawn_to, today), today))
    for account_id, days in changed.valued.items():
        valued = sorted(equity[account_id].days) if account_id in equity else []
        for day in days:
            place = bisect_left(valued, day + clock.DAY)
            found.update(_every(day, valued[place] if place < len(valued) else max(day, today)))
    return found


def _paired_days() -> set[date]:
    """Days with transfers that may be between own accounts: whether they are may have been said meanwhile."""
    pairs = OwnTransfer.objects.values_list("incoming__occurred_at", flat=True)
    return {clock.utc_day(at) for at in pairs.distinct()}


def _every(first: date, last: date) -> Iterator[date]:
    return (first + clock.DAY * number for number in range((last - first).days + 1))


def _places(days: Iterable[date]) -> set[_Place]:
    """The calendar periods that some days lie in; all time is always among what is drawn."""
    kinds = [kind for kind in CALENDAR_KINDS if kind is not PeriodKind.ALL_TIME]
    return {(str(kind), period_of(kind, clock.day_start(day)).start) for day in days for kind in kinds}


def _scopes(accounts: Sequence[ExchangeAccount], equity: Mapping[UUID, Equity]) -> Iterator[_Scope]:
    traded = trade_days.by_strategy_and_day(account_ids=[account.id for account in accounts])
    for account in accounts:
        mine = [sums for (account_id, _), sums in traded.items() if account_id == account.id]
        own = equity[account.id]
        yield _scope(account, account.exchange, "", mine, list(own.days.values()), own.exposed)
    live = {account.id for account in accounts if account.mode == Mode.LIVE}
    line = merge_equity([equity[account_id].days for account_id in live], own_flows.inside(account_ids=live))
    exposed = {day for account_id in live for day in equity[account_id].exposed}
    theirs = {key: sums for key, sums in traded.items() if key[0] in live}
    yield _scope(None, "all", "", list(theirs.values()), line, exposed)
    for strategy in sorted({strategy for _, strategy in theirs if strategy}):
        parts = [sums for (_, named), sums in theirs.items() if named == strategy]
        yield _scope(None, "all", strategy, parts, line, ())


def _scope(
    account: ExchangeAccount | None,
    exchange: str,
    strategy: str,
    parts: Sequence[Mapping[date, TradeSums]],
    line: Sequence[EquityDay],
    exposed: Collection[date],
) -> _Scope:
    by_day: dict[date, list[TradeSums]] = defaultdict(list)
    for part in parts:
        for day, sums in part.items():
            by_day[day].append(sums)
    together = {day: merge(by_day[day]) for day in sorted(by_day)}
    whole = lines.of_days(line)
    if strategy:
        whole = lines.attribute(whole, {day: sums.net for day, sums in together.items()})
    return _Scope(
        account,
        exchange,
        strategy,
        sums=together,
        line=whole,
        valued=[row.day for row in line],
        exposed={day.toordinal() for day in (*exposed, *together)},
    )


def _periods(scope: _Scope, at: datetime, places: set[_Place] | None) -> Iterator[Period]:
    """Of `places` (None: of all) those with a trade or a valued day; the present ones, and all time."""
    today = clock.utc_day(at)
    # A strategy's rows are of the periods it traded in.
    days = sorted({*scope.sums, *(() if scope.strategy else scope.valued), today})
    yield period_of(PeriodKind.ALL_TIME, at, first_fact=clock.day_start(min([days[0], *scope.valued[:1]])))
    kinds = [kind for kind in CALENDAR_KINDS if kind is not PeriodKind.ALL_TIME]
    found = {period_of(kind, clock.day_start(day)) for day in days for kind in kinds}
    yield from (period for period in found if places is None or (str(period.kind), period.start) in places)


def _rows(
    drawn: Sequence[tuple[_Scope, Period]], *, user_id: UUID, currency: str, at: datetime
) -> list[PerformanceMetric]:
    """All of them measured in one pass."""
    parts = [
        Part(
            period=period,
            sums=_sums(scope, period),
            stretch=lines.stretch_in(scope.line, period),
            exposed=scope.exposed,
            is_part=bool(scope.strategy),
        )
        for scope, period in drawn
    ]
    return [
        PerformanceMetric(
            user_id=user_id,
            account=scope.account,
            exchange=scope.exchange,
            strategy=scope.strategy,
            currency=currency,
            period_type=period.kind,
            period_start=period.start,
            period_end=period.end,
            reasons={name: reason for name, reason in reasons.items() if name in _FIELDS},
            formula_version=FORMULA_VERSION,
            calculated_at=at,
            **{name: value for name, value in columns.items() if name in _FIELDS},
        )
        for (scope, period), (columns, reasons) in zip(drawn, figures(parts), strict=True)
    ]


def _sums(scope: _Scope, period: Period) -> TradeSums:
    if period.kind is PeriodKind.ALL_TIME:
        return merge([TradeSums(), *scope.sums.values()])
    return merge([TradeSums(), *(scope.sums[day] for day in period.days() if day in scope.sums)])


def _store(rows: Sequence[PerformanceMetric], places: set[_Place] | None) -> int:
    """Write what differs, delete what no longer follows, of `places` and all time; answers how many were written."""
    stored = PerformanceMetric.objects.all()
    if places is not None:
        starts = {start for _, start in places}
        stored = stored.filter(Q(period_type=PeriodKind.ALL_TIME) | Q(period_start__in=starts))
    known = {
        _key(row): row
        for row in stored
        if places is None
        or row.period_type == PeriodKind.ALL_TIME
        or (row.period_type, row.period_start) in places
    }
    changed = [row for row in rows if _differs(row, known.pop(_key(row), None))]
    PerformanceMetric.objects.filter(id__in=[row.id for row in known.values()]).delete()
    PerformanceMetric.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=list(_IDENTITY),
        update_fields=_WRITTEN,
        batch_size=500,
    )
    return len(changed) + len(known)


def _key(row: PerformanceMetric) -> tuple[Any, ...]:
    return row.account_id, str(row.period_type), row.period_start, row.strategy


def _differs(row: PerformanceMetric, known: PerformanceMetric | None) -> bool:
    return known is None or any(
        getattr(row, name) != getattr(known, name) for name in _WRITTEN if name != "calculated_at"
    )
