"""Return figures over a chain of daily returns: risk-adjusted ratios, growth rate, volatility.

Sharpe, Sortino and volatility are computed in float64 (they are estimates from a sample, not money) and
rounded half-even to four decimals; everything else is Decimal until rounded. A year has 365 days: the market
never closes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

from core.money import CONTEXT
from portfolio.accounting import drawdown, money_weighted, returns
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import DAYS_PER_YEAR, MIN_GROWTH_DAYS, IndexPoint

MIN_DAYS: Final = 30
"""Fewer daily returns say nothing about their spread."""
MIN_VOLATILITY_DAYS: Final = 2


@dataclass(frozen=True, slots=True)
class ReturnMetrics:
    """Percentages and ratios with four decimals; the drawdown's fields as in `drawdown.Drawdown`."""

    total_return_percentage: Measure
    simple_return_percentage: Measure
    money_weighted_return_percentage: Measure
    xirr_percentage: Measure
    max_drawdown: Measure
    max_drawdown_amount: Measure
    drawdown_peak_date: date | None
    drawdown_trough_date: date | None
    drawdown_recovery_date: date | None
    sharpe_ratio: Measure
    sortino_ratio: Measure
    calmar_ratio: Measure
    recovery_factor: Measure
    cagr: Measure
    volatility: Measure
    average_capital: Measure
    return_days: int
    """Number of daily returns the figures are drawn from."""


def measure(points: Sequence[IndexPoint], *, risk_free: Decimal = Decimal(0)) -> ReturnMetrics:
    """Every figure of a chain. `risk_free` is a return per day, as a fraction."""
    daily = returns.changes(points)
    fall = drawdown.deepest(points)
    growth = cagr(points)
    weighted = money_weighted.measure(points)
    return ReturnMetrics(
        total_return_percentage=returns.total_return(points),
        simple_return_percentage=weighted.simple,
        money_weighted_return_percentage=weighted.modified_dietz,
        xirr_percentage=weighted.xirr,
        max_drawdown=fall.percent,
        max_drawdown_amount=fall.amount,
        drawdown_peak_date=fall.peak_day,
        drawdown_trough_date=fall.trough_day,
        drawdown_recovery_date=fall.recovery_day,
        sharpe_ratio=sharpe(daily, risk_free=risk_free),
        sortino_ratio=sortino(daily, target=risk_free),
        calmar_ratio=calmar(growth, fall.percent),
        recovery_factor=recovery(points, fall.amount),
        cagr=growth,
        volatility=volatility(daily),
        average_capital=returns.average_capital(points),
        return_days=len(daily),
    )


def sharpe(daily: Sequence[Decimal], *, risk_free: Decimal = Decimal(0), min_days: int = MIN_DAYS) -> Measure:
    """mean(r - risk free) / standard deviation(r), ddof 1, times sqrt(365) (Sharpe 1994)."""
    if len(daily) < max(min_days, 2):
        return Measure.undefined(Reason.TOO_FEW_DAYS)
    excess = [float(change - risk_free) for change in daily]
    if min(excess) == max(excess):
        return Measure.undefined(Reason.NO_VARIATION)
    return Measure.ratio(_mean(excess) / _deviation(excess) * math.sqrt(DAYS_PER_YEAR))


def sortino(daily: Sequence[Decimal], *, target: Decimal = Decimal(0), min_days: int = MIN_DAYS) -> Measure:
    """mean(r - target) / sqrt(mean(min(r - target, 0)^2)) over all days, times sqrt(365)."""
    if len(daily) < max(min_days, 1):
        return Measure.undefined(Reason.TOO_FEW_DAYS)
    excess = [float(change - target) for change in daily]
    if min(excess) >= 0:
        return Measure.undefined(Reason.NO_DOWNSIDE)
    downside = math.sqrt(_mean([min(change, 0.0) ** 2 for change in excess]))
    return Measure.ratio(_mean(excess) / downside * math.sqrt(DAYS_PER_YEAR))


def volatility(daily: Sequence[Decimal]) -> Measure:
    """Annualised standard deviation (ddof 1) of daily returns, in percent."""
    if len(daily) < MIN_VOLATILITY_DAYS:
        return Measure.undefined(Reason.TOO_FEW_DAYS)
    return Measure.ratio(_deviation([float(change) for change in daily]) * math.sqrt(DAYS_PER_YEAR) * 100)


def cagr(points: Sequence[IndexPoint]) -> Measure:
    """Compound annual growth of the index in percent, over calendar days; undefined under 90 of them."""
    if not any(point.change is not None for point in points):
        return Measure.undefined(Reason.NO_RETURNS)
    days = (points[-1].day - points[0].day).days
    if days < MIN_GROWTH_DAYS:
        return Measure.undefined(Reason.TOO_FEW_DAYS)
    with localcontext(CONTEXT):
        growth = points[-1].index / points[0].index
        return Measure.ratio((growth ** (Decimal(DAYS_PER_YEAR) / days) - 1) * 100)


def calmar(growth: Measure, max_drawdown: Measure) -> Measure:
    """CAGR / deepest drawdown, both in percent."""
    if growth.value is None:
        return growth
    if max_drawdown.value is None:
        return max_drawdown
    if not max_drawdown.value:
        return Measure.undefined(Reason.NO_DRAWDOWN)
    return Measure.ratio(CONTEXT.divide(growth.value, max_drawdown.value))


def recovery(points: Sequence[IndexPoint], fall: Measure) -> Measure:
    """Money made / money lost in the deepest fall."""
    if fall.value is None:
        return fall
    if not fall.value:
        return Measure.undefined(Reason.NO_DRAWDOWN)
    return Measure.ratio(CONTEXT.divide(points[-1].profit - points[0].profit, fall.value))


def _mean(sample: Sequence[float]) -> float:
    return math.fsum(sample) / len(sample)


def _deviation(sample: Sequence[float]) -> float:
    mean = _mean(sample)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in sample) / (len(sample) - 1))
