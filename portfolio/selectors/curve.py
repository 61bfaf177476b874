"""The equity curve: balance, realised and unrealised PnL, drawdown and flows by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from core.money import CONTEXT, ZERO
from credentials.scope import Scope
from marketdata import prices
from portfolio import own_flows
from portfolio.accounting import drawdown, money_weighted, ratios, returns
from portfolio.accounting.benchmark import Benchmark, hold
from portfolio.accounting.measure import percent
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.returns import IndexPoint
from portfolio.models import Grade
from portfolio.selectors import equity


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A UTC day's end. `realized_pnl` is net and sums up from the window's first day, that day included."""

    date: date
    balance: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    drawdown_percent: Decimal
    """Below the highest point of the window so far, deposits and withdrawals taken out; 0 at a high."""
    return_percent: Decimal
    """Time-weighted: of a window since the first point; of a calendar period since the day before it, of all time with
    nothing then."""
    flows: Decimal
    """Deposits less withdrawals of the day."""
    deposits: Decimal
    """Of the day, by account less its withdrawals; marked on the chart."""
    withdrawals: Decimal
    benchmark_balance: Decimal | None
    """What the same deposits and withdrawals would be worth in the benchmark; null without one."""
    unexplained: Decimal
    """Value that came or went without a fact: counted like a flow."""
    funding: Decimal
    """Of contracts on the day, received less paid; inside the realised PnL of the trades it belongs to."""
    grade: str
    grade_reason: str
    is_reconstructed: bool
    is_final: bool


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """Days without a snapshot are left out. None where there are no points, or no return can be made."""

    data_points: list[CurvePoint]
    initial_balance: Decimal | None
    current_balance: Decimal | None
    total_return_percentage: Decimal | None
    """Time-weighted: deposits and withdrawals are neutral. Of a calendar period and of all time the first day counts,
    as in the metrics."""
    simple_return_percentage: Decimal | None
    """Money made since the first point as a share of its balance and all that was paid in since."""
    money_weighted_return_percentage: Decimal | None
    """Modified Dietz over the period, not annualised."""
    xirr_percentage: Decimal | None
    """Money-weighted, a year; from 90 days on."""
    benchmark: str | None
    """The asset that the curve is compared with, if asked for."""
    benchmark_return_percentage: Decimal | None
    """How its price changed: beside the time-weighted return."""
    benchmark_balance: Decimal | None
    """What the same deposits and withdrawals would be worth in it now."""
    total_flows: Decimal
    """Deposits less withdrawals after the first point, what is unexplained included."""
    max_drawdown: Decimal | None
    max_drawdown_amount: Decimal | None
    period_start: datetime
    period_end: datetime
    reasons: dict[str, str]
    """Why a null is null, by field."""


def equity_curve(
    *, scope: Scope, period: Period, currency: str = "", benchmark: str | None = None
) -> EquityCurve:
    """A period's curve over the scope, beside an asset that the same money could have been in."""
    with localcontext(CONTEXT):
        since = None if period.kind is PeriodKind.ALL_TIME else period.first_day
        days = equity.read(account_ids=scope.account_ids, since=since, until=period.last_day)
        index, shown = _chain(days, period)
        fall = drawdown.deepest(index)
        total = ratios.total_return(index)
        simple, weighted, yearly = money_weighted.measure(index)
        held = _held(index if days.opening else shown, benchmark, currency) if benchmark else None
        measures = {
            "total_return_percentage": total,
            "simple_return_percentage": simple,
            "money_weighted_return_percentage": weighted,
            "xirr_percentage": yearly,
            **({"benchmark_return_percentage": held.change} if held else {}),
            "max_drawdown": fall.percent,
            "max_drawdown_amount": fall.amount,
        }
        return EquityCurve(
            data_points=_points(shown, days, held, drawdown.series(index)),
            initial_balance=shown[0].equity if shown else None,
            current_balance=shown[-1].equity if shown else None,
            total_return_percentage=total.value,
            simple_return_percentage=simple.value,
            money_weighted_return_percentage=weighted.value,
            xirr_percentage=yearly.value,
            benchmark=benchmark,
            benchmark_return_percentage=held.change.value if held else None,
            benchmark_balance=held.worth[-1] if held and held.worth else None,
            total_flows=_flows(shown),
            max_drawdown=fall.percent.value,
            max_drawdown_amount=fall.amount.value,
            period_start=period.start,
            period_end=period.last_second,
            reasons={
                **{name: str(figure.reason) for name, figure in measures.items() if figure.reason},
                **({"benchmark_balance": str(held.reason)} if held and held.reason else {}),
            },
        )


def measured(*, account_ids: Sequence[UUID], period: Period) -> list[IndexPoint]:
    """The index that a period's returns and falls are told from."""
    since = None if period.kind is PeriodKind.ALL_TIME else period.first_day
    return _chain(equity.read(account_ids=account_ids, since=since, until=period.last_day), period)[0]


def _chain(days: equity.Days, period: Period) -> tuple[list[IndexPoint], list[IndexPoint]]:
    """What is measured, and the points of it that are shown. As metrics are (`lines.stretch_in`): calendar periods from
    the day before, or from nothing where nothing is older; a window from its own first day."""
    opening = days.opening
    if not days.line or period.kind is PeriodKind.WINDOW or (opening and opening.equity is None):
        index = returns.chain(days.line)
        return index, index
    older = [] if opening is None else [opening]
    index = returns.chain([*older, *days.line], opening=None if older else ZERO)
    return index, index[1:]


def _flows(points: Sequence[IndexPoint]) -> Decimal:
    """External money that came after the first point."""
    if not points:
        return ZERO
    first, last = points[0], points[-1]
    return last.equity - first.equity - (last.profit - first.profit)


def _held(index: Sequence[IndexPoint], asset: str, currency: str) -> Benchmark:
    if not index:
        return hold(index, {})
    first, last = index[0].day, index[-1].day
    closes = prices.daily_closes(assets=[asset], currency=currency, first=first, last=last)
    return hold(index, {day: point.price for (_, day), point in closes.items()})


def _points(
    points: Sequence[IndexPoint],
    days: equity.Days,
    held: Benchmark | None,
    depths: Sequence[drawdown.DrawdownPoint],
) -> list[CurvePoint]:
    """Accounts without a snapshot on a day stand as they last did, and the day says that it is partial."""
    falls = {fall.day: fall.percent for fall in depths}
    standing = dict(days.before)
    realized = ZERO
    rows = []
    worth = held.worth[-len(points) :] if held and points else ()
    for place, point in enumerate(points):
        here = days.by_day[point.day]
        deposits, withdrawals = own_flows.external(
            sum((max(row.flows, ZERO) for row in here.values()), ZERO),
            sum((max(-row.flows, ZERO) for row in here.values()), ZERO),
            point.day,
            days.sent,
        )
        missing = [account_id for account_id in standing if account_id not in here]
        standing |= here
        realized += sum((row.realized_pnl for row in here.values()), ZERO)
        grades = [row.grade for row in standing.values()] + [Grade.PARTIAL.value] * bool(missing)
        reasons = [row.grade_reason for row in here.values() if row.grade_reason]
        reasons += [f"no_snapshot:{account_id}" for account_id in missing]
        rows.append(
            CurvePoint(
                date=point.day,
                balance=point.equity,
                realized_pnl=realized,
                unrealized_pnl=sum((row.unrealized_pnl for row in standing.values()), ZERO),
                drawdown_percent=falls[point.day],
                return_percent=percent(point.index - 1, Decimal(1)).value or ZERO,
                flows=sum((row.flows for row in here.values()), ZERO),
                deposits=deposits,
                withdrawals=withdrawals,
                benchmark_balance=worth[place] if worth else None,
                unexplained=sum((row.unexplained for row in here.values()), ZERO),
                funding=sum((row.funding for row in here.values()), ZERO),
                grade=equity.worst_grade(grades),
                grade_reason=", ".join(reasons),
                is_reconstructed=any(row.is_reconstructed for row in here.values()),
                is_final=all(row.is_final for row in here.values()),
            )
        )
    return rows
