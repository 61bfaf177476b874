"""Performance metrics of a period: the stored row where there is one, else the same figures computed on reading."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final
from uuid import UUID

from django.db.models import Min

from core import clock
from core.money import CONTEXT
from credentials.scope import Scope
from portfolio import metrics
from portfolio.accounting.measure import Reason
from portfolio.accounting.periods import Period, PeriodKind, format_duration, parse_period
from portfolio.accounting.trade_sums import sum_trades
from portfolio.figures import figures, points_in
from portfolio.models import PerformanceMetric, PortfolioSnapshot, Trade, TradeKind
from portfolio.selectors import equity


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a period in `currency`; what is undefined is None, and `reasons` says why."""

    period: str
    period_start: datetime
    period_end: datetime
    exchange: str
    currency: str
    total_trades: int
    winning_trades: int
    losing_trades: int
    breakeven_trades: int
    cost_unknown_trades: int
    win_rate: Decimal | None
    total_gross_pnl: Decimal
    total_net_pnl: Decimal
    profit_factor: Decimal | None
    gross_profit: Decimal
    gross_loss: Decimal
    largest_win: Decimal | None
    largest_loss: Decimal | None
    average_pnl_per_trade: Decimal | None
    expectancy: Decimal | None
    average_risk_per_trade: Decimal | None
    roi_percentage: Decimal | None
    return_percentage: Decimal | None
    total_fees: Decimal
    total_volume_traded: Decimal
    average_hold_duration: str | None
    max_drawdown: Decimal | None
    max_drawdown_amount: Decimal | None
    sharpe_ratio: Decimal | None
    sortino_ratio: Decimal | None
    calmar_ratio: Decimal | None
    total_portfolio_value: Decimal | None
    daily_pnl: Decimal | None
    daily_pnl_percent: Decimal | None
    valued_days: int
    """Days of the period with a snapshot: the sample of the return figures. `total_trades` is that of the trades."""
    reasons: dict[str, str]
    calculated_at: datetime


_FIGURES: Final = {field.name for field in fields(Performance)} & {
    field.name for field in PerformanceMetric._meta.concrete_fields
}
_SPECIAL: Final = {"period_start", "period_end", "exchange", "currency", "average_hold_duration", "reasons"}
_FROM_RETURNS: Final = ("return_percentage", "total_portfolio_value")
_PLAIN: Final = sorted(_FIGURES - _SPECIAL - {"calculated_at"})


def period_for(text: str, *, scope: Scope, at: datetime) -> Period:
    """`?period=` of a scope: all time starts with its first fact. Raises Invalid."""
    first = first_day(scope=scope) if text.strip().upper() == PeriodKind.ALL_TIME else None
    return parse_period(text, at=at, first_fact=clock.day_start(first) if first else None)


def first_day(*, scope: Scope) -> date | None:
    """The UTC day of the scope's first valued day or trade."""
    ids = scope.account_ids
    valued = PortfolioSnapshot.objects.filter(account_id__in=ids).aggregate(day=Min("snapshot_date"))["day"]
    traded = Trade.objects.filter(account_id__in=ids, kind=TradeKind.TRADE).aggregate(at=Min("exit_time"))[
        "at"
    ]
    days = [day for day in (valued, traded and clock.utc_day(traded)) if day is not None]
    return min(days, default=None)


def performance(*, scope: Scope, period: Period, currency: str, at: datetime) -> Performance:
    """The metrics of a period over a scope; without trades zero counts and undefined figures with reasons."""
    row = _stored(scope, period)
    if row is None:
        return compute(scope=scope, period=period, currency=currency, at=at)
    values = {name: getattr(row, name) for name in _PLAIN}
    return _answer(
        scope,
        period,
        values,
        currency=row.currency,
        hold=row.average_hold_duration,
        reasons=row.reasons,
        at=row.calculated_at,
    )


def compute(*, scope: Scope, period: Period, currency: str, at: datetime) -> Performance:
    """The same figures as `portfolio.metrics` stores, for a scope or window without a row of its own."""
    trades = (
        Trade.objects.filter(
            account_id__in=scope.account_ids,
            kind=TradeKind.TRADE,
            exit_time__gte=period.start,
            exit_time__lt=period.end,
        )
        .order_by("exit_time", "id")
        .values(*metrics.TRADE_COLUMNS)
    )
    with localcontext(CONTEXT):
        sums = sum_trades(metrics.trade_facts(trades))
        line = equity.read(scope=scope, until=period.last_day).line
        points = points_in(line, period, {row.day: place for place, row in enumerate(line)})
        values, reasons = figures(period=period, sums=sums, points=points)
    return _answer(
        scope,
        period,
        {name: values.get(name) for name in _PLAIN},
        currency=currency,
        hold=values["average_hold_duration"],
        reasons=reasons,
        at=at,
    )


def _answer(
    scope: Scope,
    period: Period,
    values: Mapping[str, Any],
    *,
    currency: str,
    hold: timedelta | None,
    reasons: Mapping[str, str],
    at: datetime,
) -> Performance:
    missing = {"average_hold_duration": Reason.NO_TRADES} if hold is None else {}
    missing |= {name: Reason.NO_RETURNS for name in _FROM_RETURNS if values[name] is None}
    reasons = {**{name: reason.value for name, reason in missing.items()}, **reasons}
    return Performance(
        period=period.kind,
        period_start=period.start,
        period_end=period.last_second,
        exchange=scope.exchange_name,
        currency=currency,
        average_hold_duration=format_duration(hold) if hold is not None else None,
        reasons={name: reason for name, reason in sorted(reasons.items()) if name in _FIGURES},
        valued_days=_valued_days(scope, period),
        calculated_at=at,
        **values,
    )


def _stored(scope: Scope, period: Period) -> PerformanceMetric | None:
    """Kept rows: of one account, and of all live ones together."""
    account_id: UUID | None
    if scope.is_every_live:
        account_id = None
    elif len(scope.account_ids) == 1:
        account_id = scope.account_ids[0]
    else:
        return None
    if period.kind is PeriodKind.WINDOW:
        return None
    return PerformanceMetric.objects.filter(
        account_id=account_id,
        period_type=period.kind,
        strategy="",
        period_start=period.start,
        period_end=period.end,
    ).first()


def _valued_days(scope: Scope, period: Period) -> int:
    rows = PortfolioSnapshot.objects.filter(
        account_id__in=scope.account_ids,
        snapshot_date__gte=period.first_day,
        snapshot_date__lte=period.last_day,
    )
    return rows.values("snapshot_date").distinct().count()
