"""Performance metrics of a period: the stored row where there is one, else the same figures from sums by day."""

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
from portfolio import metrics, own_flows, trade_days
from portfolio.accounting import lines
from portfolio.accounting.measure import Reason
from portfolio.accounting.periods import Period, PeriodKind, format_duration, parse_period
from portfolio.accounting.returns import DAYS_PER_YEAR
from portfolio.figures import Part as Measured
from portfolio.figures import figures, merge_equity
from portfolio.models import PerformanceMetric, PortfolioSnapshot, TradeDay

FLOWS: Final = (
    "Deposits, withdrawals and amounts nobody can explain are no performance: what comes in counts as there from its"
    " day's start, what goes out until its day's end."
)
FLOWS_OF_A_PART: Final = (
    "Realised net results of the day over the capital of the accounts at work that day; deposits and withdrawals move"
    " the capital only."
)
ONLY_OF_DAYS: Final = "only_of_days"
"""Why what is made on a day is null of a longer period."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the figures are drawn from."""

    trades: int
    """Closed in the period, of known cost."""
    r_multiple_trades: int
    """Of these, with a planned stop: the sample of `expectancy_r` and `sqn`."""
    valued_days: int
    """UTC days of the period with an equity."""
    return_days: int
    """Daily returns between them, flat days included: the sample of Sharpe, Sortino and volatility."""
    first_day: date | None
    """The returns begin at this day's end."""
    last_day: date | None
    currency: str
    time_zone: str
    days_per_year: int
    flows: str
    """How deposits and withdrawals are treated."""
    formula_version: int


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a period in `currency`; what is undefined is None, and `reasons` says why."""

    period: str
    period_start: datetime
    period_end: datetime
    exchange: str
    currency: str
    symbol: str | None
    strategy: str | None
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
    expectancy_r: Decimal | None
    """In multiples of the planned risk."""
    sqn: Decimal | None
    """System quality number: sqrt(min(n, 100)) x mean R / deviation of R."""
    average_risk_per_trade: Decimal | None
    roi_percentage: Decimal | None
    """Net result of trades / average capital."""
    average_capital: Decimal | None
    return_percentage: Decimal | None
    """Time-weighted (TWR)."""
    simple_return_percentage: Decimal | None
    """Money made / everything put in."""
    money_weighted_return_percentage: Decimal | None
    """Modified Dietz over the period, not annualised."""
    xirr_percentage: Decimal | None
    """Money-weighted, a year."""
    cagr: Decimal | None
    """Of the time-weighted index, a year."""
    volatility: Decimal | None
    """Of daily returns, a year, in percent."""
    exposure_percentage: Decimal | None
    """Of valued days, those with an open position or a closed trade."""
    total_fees: Decimal
    total_volume_traded: Decimal
    average_hold_duration: str | None
    max_drawdown: Decimal | None
    max_drawdown_amount: Decimal | None
    drawdown_peak_date: date | None
    drawdown_trough_date: date | None
    drawdown_recovery_date: date | None
    recovery_factor: Decimal | None
    """Money made / money lost in the deepest fall."""
    sharpe_ratio: Decimal | None
    sortino_ratio: Decimal | None
    calmar_ratio: Decimal | None
    total_portfolio_value: Decimal | None
    daily_pnl: Decimal | None
    daily_pnl_percent: Decimal | None
    valued_days: int
    """Days of the period with a snapshot: the sample of the return figures. `total_trades` is that of the trades."""
    sample: Sample
    reasons: dict[str, str]
    calculated_at: datetime


_FIGURES: Final = {field.name for field in fields(Performance)} & {
    field.name for field in PerformanceMetric._meta.concrete_fields
}
_SPECIAL: Final = {
    "period_start", "period_end", "exchange", "currency", "strategy", "average_hold_duration", "reasons",
    "calculated_at",
}  # fmt: skip
_FROM_RETURNS: Final = ("return_percentage", "total_portfolio_value")
_PLAIN: Final = sorted(_FIGURES - _SPECIAL)
_SAMPLE: Final = ("r_multiple_trades", "return_days", "first_valued_day", "last_valued_day")


@dataclass(frozen=True, slots=True)
class Part:
    """A symbol or a strategy ("" for trades without one), or both; None: all."""

    symbol: str | None = None
    strategy: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.symbol is None and self.strategy is None


WHOLE: Final = Part()


def period_for(text: str, *, scope: Scope, at: datetime) -> Period:
    """`?period=` of a scope: all time starts with its first fact. Raises Invalid."""
    first = first_day(scope=scope) if text.strip().upper() == PeriodKind.ALL_TIME else None
    return parse_period(text, at=at, first_fact=clock.day_start(first) if first else None)


def first_day(*, scope: Scope) -> date | None:
    """The UTC day of the scope's first valued day or trade."""
    ids = scope.account_ids
    valued = PortfolioSnapshot.objects.filter(account_id__in=ids).aggregate(day=Min("snapshot_date"))["day"]
    traded = TradeDay.objects.filter(account_id__in=ids).aggregate(day=Min("day"))["day"]
    return min((day for day in (valued, traded) if day is not None), default=None)


def performance(
    *, scope: Scope, period: Period, currency: str, at: datetime, part: Part = WHOLE
) -> Performance:
    """The metrics of a period over a scope; without trades zero counts and undefined figures with reasons."""
    row = _stored(scope, period, part)
    if row is None:
        return compute(scope=scope, period=period, currency=currency, at=at, part=part)
    values = {name: getattr(row, name) for name in (*_PLAIN, *_SAMPLE)}
    return _answer(
        scope,
        period,
        part,
        values,
        currency=row.currency,
        hold=row.average_hold_duration,
        reasons=row.reasons,
        at=row.calculated_at,
    )


def compute(*, scope: Scope, period: Period, currency: str, at: datetime, part: Part = WHOLE) -> Performance:
    """The same figures as `portfolio.metrics` stores, for a scope, part or window without a row of its own."""
    names = {"symbol": part.symbol, "strategy": part.strategy}
    with localcontext(CONTEXT):
        sums = trade_days.total(account_ids=scope.account_ids, period=period, **names)
        traded = trade_days.by_day(account_ids=scope.account_ids, **names)
        equity = metrics.read_equity(account_ids=scope.account_ids, until=period.last_day)
        sent = own_flows.inside(account_ids=scope.account_ids)
        line = lines.of_days(merge_equity([each.days for each in equity.values()], sent))
        if not part.is_whole:
            line = lines.attribute(line, {day: made.net for day, made in traded.items()})
        exposed = {*traded, *(day for each in equity.values() for day in each.exposed)}
        measured = Measured(
            period=period,
            sums=sums,
            stretch=lines.stretch_in(line, period),
            exposed={day.toordinal() for day in exposed},
            is_part=not part.is_whole,
        )
        ((values, reasons),) = figures([measured])
    return _answer(
        scope,
        period,
        part,
        {name: values.get(name) for name in (*_PLAIN, *_SAMPLE)},
        currency=currency,
        hold=values["average_hold_duration"],
        reasons=reasons,
        at=at,
    )


def strategies(*, scope: Scope, period: Period, currency: str, at: datetime) -> list[Performance]:
    """Every strategy that traded in the period side by side, by net result; trades without a strategy are one ("")."""
    traded = TradeDay.objects.filter(
        account_id__in=scope.account_ids, day__gte=period.first_day, day__lte=period.last_day
    )
    names = sorted(set(traded.values_list("strategy", flat=True).order_by().distinct()))
    rows = [
        performance(scope=scope, period=period, currency=currency, at=at, part=Part(strategy=name))
        for name in names
    ]
    return sorted(rows, key=lambda row: (-row.total_net_pnl, row.strategy or ""))


def _answer(
    scope: Scope,
    period: Period,
    part: Part,
    values: Mapping[str, Any],
    *,
    currency: str,
    hold: timedelta | None,
    reasons: Mapping[str, str],
    at: datetime,
) -> Performance:
    missing = {"average_hold_duration": Reason.NO_TRADES} if hold is None else {}
    missing |= {name: Reason.NO_RETURNS for name in _FROM_RETURNS if values[name] is None}
    of_days = Reason.NO_RETURNS.value if period.kind is PeriodKind.DAILY else ONLY_OF_DAYS
    daily = {name: of_days for name in ("daily_pnl", "daily_pnl_percent") if values[name] is None}
    reasons = {**{name: reason.value for name, reason in missing.items()}, **daily, **reasons}
    return Performance(
        period=period.kind,
        period_start=period.start,
        period_end=period.last_second,
        exchange=scope.exchange_name,
        currency=currency,
        symbol=part.symbol,
        strategy=part.strategy,
        average_hold_duration=format_duration(hold) if hold is not None else None,
        sample=Sample(
            trades=values["total_trades"],
            r_multiple_trades=values["r_multiple_trades"],
            valued_days=values["valued_days"],
            return_days=values["return_days"],
            first_day=values["first_valued_day"],
            last_day=values["last_valued_day"],
            currency=currency,
            time_zone="UTC",
            days_per_year=DAYS_PER_YEAR,
            flows=FLOWS if part.is_whole else FLOWS_OF_A_PART,
            formula_version=metrics.FORMULA_VERSION,
        ),
        reasons={name: reason for name, reason in sorted(reasons.items()) if name in _FIGURES},
        calculated_at=at,
        **{name: values[name] for name in _PLAIN},
    )


def _stored(scope: Scope, period: Period, part: Part) -> PerformanceMetric | None:
    """Kept rows: of one account, and of all live ones together, also by strategy."""
    account_id: UUID | None
    if scope.is_every_live:
        account_id = None
    elif len(scope.account_ids) == 1 and part.strategy is None:
        account_id = scope.account_ids[0]
    else:
        return None
    if period.kind is PeriodKind.WINDOW or part.symbol is not None or part.strategy == "":
        return None
    return PerformanceMetric.objects.filter(
        account_id=account_id,
        period_type=period.kind,
        strategy=part.strategy or "",
        formula_version=metrics.FORMULA_VERSION,
        period_start=period.start,
        period_end=period.end,
    ).first()
