"""Performance metrics per period, account and over all live accounts: rows kept up to date, read as they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any, Final
from uuid import UUID

from core import clock
from core.django import tenancy
from core.money import CONTEXT, quantize
from credentials.models import DATA_SOURCES, ExchangeAccount, Mode
from exchanges.rows import MarketType
from portfolio.accounting.periods import CALENDAR_KINDS, Period, PeriodKind, period_of
from portfolio.accounting.returns import EquityDay, IndexPoint
from portfolio.accounting.trade_sums import TradeFact, TradeSums, sum_trades
from portfolio.figures import equity_day, figures, merge_equity, points_in
from portfolio.models import PerformanceMetric, PortfolioSnapshot, PositionSide, Trade, TradeKind

FORMULA_VERSION: Final = 1
_FIELDS: Final = {field.name for field in PerformanceMetric._meta.concrete_fields}
_IDENTITY: Final = ("user", "account", "period_type", "period_start", "strategy")
_WRITTEN: Final = sorted(_FIELDS - {"id", *_IDENTITY})


@dataclass(frozen=True, slots=True)
class _Scope:
    """One account, or all live ones."""

    account: ExchangeAccount | None
    exchange: str
    sums: Mapping[date, TradeSums]
    equity: Sequence[EquityDay]


def refresh(*, user_id: UUID, at: datetime) -> int:
    """Recompute a user's metrics; answers how many rows were written. Opens its own door."""
    with tenancy.acting_as(user_id), localcontext(CONTEXT):
        traded = ExchangeAccount.objects.exclude(exchange__in=DATA_SOURCES)
        accounts = list(traded.select_related("user").order_by("created_at"))
        if not accounts:
            return 0
        known = {
            (row.account_id, row.period_type, row.period_start, row.strategy): row
            for row in PerformanceMetric.objects.all()
        }
        rows = [
            row
            for scope in _scopes(accounts)
            for row in _rows(scope, user_id=user_id, currency=accounts[0].user.reporting_currency, at=at)
        ]
        changed = [row for row in rows if _differs(row, known.pop(_key(row), None))]
        PerformanceMetric.objects.filter(id__in=[row.id for row in known.values()]).delete()
        PerformanceMetric.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=list(_IDENTITY),
            update_fields=_WRITTEN,
            batch_size=500,
        )
        return len(changed)


def trade_facts(rows: Iterable[Mapping[str, Any]]) -> Iterator[TradeFact]:
    """Trades as the statistics take them, from `values()` of the columns in `TRADE_COLUMNS`."""
    for row in rows:
        yield TradeFact(
            exit_time=row["exit_time"],
            net=row["net_pnl"],
            gross=row["gross_pnl"],
            entry_fees=row["entry_fees"],
            exit_fees=row["exit_fees"],
            entry_value=row["cost"],
            exit_value=row["proceeds"],
            hold=row["hold_duration"],
            planned_risk=_planned_risk(row),
            cost_unknown=not row["exit_quantity"],
        )


TRADE_COLUMNS: Final = (
    "account_id", "exit_time", "net_pnl", "gross_pnl", "entry_fees", "exit_fees", "cost", "proceeds",
    "hold_duration", "exit_quantity", "entry_price", "stop_loss_price", "side", "market_type", "is_inverse",
)  # fmt: skip


def _planned_risk(row: Mapping[str, Any]) -> Decimal | None:
    """What the planned stop would have lost on the quantity that was closed; None without a stop on the losing side."""
    stop, entry = row["stop_loss_price"], row["entry_price"]
    is_long = row["side"] == PositionSide.LONG
    if stop is None or entry is None or (stop >= entry if is_long else stop <= entry):
        return None
    if row["market_type"] == MarketType.SPOT:
        risk: Decimal = (entry - stop) * row["exit_quantity"]
        return risk
    whole, part = (stop, entry) if row["is_inverse"] else (entry, stop)
    if not whole:
        return None
    ratio = CONTEXT.divide(part, whole)
    return quantize(abs(row["cost"] - CONTEXT.multiply(row["cost"], ratio)))


def _scopes(accounts: Sequence[ExchangeAccount]) -> Iterator[_Scope]:
    sums: dict[UUID, dict[date, list[TradeFact]]] = defaultdict(lambda: defaultdict(list))
    trades = Trade.objects.filter(kind=TradeKind.TRADE).order_by("exit_time", "id").values(*TRADE_COLUMNS)
    for row, fact in zip(trades, trade_facts(trades), strict=True):
        sums[row["account_id"]][clock.utc_day(fact.exit_time)].append(fact)
    days: dict[UUID, dict[date, EquityDay]] = defaultdict(dict)
    for account_id, row in _equity_days():
        days[account_id][row.day] = row
    per_account = {
        account.id: {day: sum_trades(facts) for day, facts in sums[account.id].items()}
        for account in accounts
    }
    for account in accounts:
        equity = [days[account.id][day] for day in sorted(days[account.id])]
        yield _Scope(account, account.exchange, per_account[account.id], equity)
    live = [account.id for account in accounts if account.mode == Mode.LIVE]
    together: dict[date, TradeSums] = {}
    for account_id in live:
        for day, total in per_account[account_id].items():
            together[day] = together[day] + total if day in together else total
    yield _Scope(None, "all", together, merge_equity([days[account_id] for account_id in live]))


def _equity_days() -> Iterator[tuple[UUID, EquityDay]]:
    rows = PortfolioSnapshot.objects.order_by("snapshot_date").values_list(
        "account_id", "snapshot_date", "total_balance", "flows", "unexplained", "grade_reason"
    )
    for account_id, day, total, flows, unexplained, doubts in rows:
        yield (
            account_id,
            equity_day(day=day, total=total, flows=flows, unexplained=unexplained, doubts=doubts),
        )


def _rows(scope: _Scope, *, user_id: UUID, currency: str, at: datetime) -> Iterator[PerformanceMetric]:
    places = {row.day: place for place, row in enumerate(scope.equity)}
    for period in _periods(scope, at):
        sums = _sum_period(scope.sums, period)
        points = points_in(scope.equity, period, places)
        yield _row(scope, period, sums, points, user_id=user_id, currency=currency, at=at)


def _periods(scope: _Scope, at: datetime) -> Iterator[Period]:
    """Every calendar period with a trade or a valued day, the present ones, and all time."""
    days = sorted({*scope.sums, *(row.day for row in scope.equity), clock.utc_day(at)})
    first_fact = clock.day_start(days[0])
    seen = set()
    for kind in CALENDAR_KINDS:
        for day in [clock.utc_day(at)] if kind is PeriodKind.ALL_TIME else days:
            moment = at if kind is PeriodKind.ALL_TIME else clock.day_start(day)
            period = period_of(kind, moment, first_fact=first_fact)
            if (kind, period.start) not in seen:
                seen.add((kind, period.start))
                yield period


def _sum_period(sums: Mapping[date, TradeSums], period: Period) -> TradeSums:
    if period.kind is PeriodKind.ALL_TIME:
        wanted: Iterable[date] = sums
    else:
        wanted = (day for day in period.days() if day in sums)
    total = sum_trades([])
    for day in wanted:
        total = total + sums[day]
    return total


def _row(
    scope: _Scope,
    period: Period,
    sums: TradeSums,
    points: Sequence[IndexPoint],
    *,
    user_id: UUID,
    currency: str,
    at: datetime,
) -> PerformanceMetric:
    columns, reasons = figures(period=period, sums=sums, points=points)
    return PerformanceMetric(
        user_id=user_id,
        account=scope.account,
        exchange=scope.exchange,
        currency=currency,
        period_type=period.kind,
        period_start=period.start,
        period_end=period.end,
        reasons={name: reason for name, reason in reasons.items() if name in _FIELDS},
        formula_version=FORMULA_VERSION,
        calculated_at=at,
        **{name: value for name, value in columns.items() if name in _FIELDS},
    )


def _key(row: PerformanceMetric) -> tuple[Any, ...]:
    return row.account_id, str(row.period_type), row.period_start, row.strategy


def _differs(row: PerformanceMetric, known: PerformanceMetric | None) -> bool:
    return known is None or any(
        getattr(row, name) != getattr(known, name) for name in _WRITTEN if name != "calculated_at"
    )
