"""Return figures over stretches of daily returns: risk-adjusted ratios, growth rate, volatility.

Every figure is computed for many stretches at once; one stretch is a batch of one. Returns, drawdown and ratios are
computed in float64 (they are estimates from a sample, not money) and rounded half-even to four decimals; amounts are
exact. A year has 365 days: the market never closes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from core.money import CONTEXT, quantize
from portfolio.accounting import columns, drawdown, lines, money_weighted, tables
from portfolio.accounting.columns import CODE, DEFINED, Codes, Column, Estimate, Floats, choose, exact
from portfolio.accounting.lines import Stretch
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import DAYS_PER_YEAR, MIN_GROWTH_DAYS, IndexPoint
from portfolio.accounting.tables import Table

MIN_DAYS: Final = 30
"""Fewer daily returns say nothing about their spread."""
MIN_VOLATILITY_DAYS: Final = 2
_YEARLY: Final = math.sqrt(DAYS_PER_YEAR)


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


@dataclass(frozen=True, slots=True)
class ReturnColumns:
    """`ReturnMetrics` of many stretches: figures, and what is no figure, by name."""

    figures: Mapping[str, Column]
    facts: Mapping[str, Sequence[Any]]

    def row(self, place: int) -> tuple[dict[str, Any], dict[str, Reason]]:
        """Values by name (None where undefined), and reasons by name."""
        values = {name: column.values[place] for name, column in self.figures.items()}
        values |= {name: fact[place] for name, fact in self.facts.items()}
        reasons = {
            name: reason
            for name, column in self.figures.items()
            if (reason := column.reasons[place]) is not None
        }
        return values, reasons


def measure(points: Sequence[IndexPoint], *, risk_free: Decimal = Decimal(0)) -> ReturnMetrics:
    """Every figure of a chain. `risk_free` is a return per day, as a fraction."""
    found = measure_all([lines.whole(lines.of_points(points))], risk_free=risk_free)
    row: dict[str, Any] = {name: column.measures()[0] for name, column in found.figures.items()}
    return ReturnMetrics(**row, **{name: fact[0] for name, fact in found.facts.items()})


def measure_all(stretches: Sequence[Stretch], *, risk_free: Decimal = Decimal(0)) -> ReturnColumns:
    """Every figure of each stretch, in the order given."""
    order: list[int] = []
    parts: list[ReturnColumns] = []
    for batch in columns.batches([stretch.stop - stretch.start for stretch in stretches]):
        order += batch
        # What float64 cannot hold is beyond measure, and said so.
        with np.errstate(over="ignore", invalid="ignore"):
            parts.append(_measure([stretches[place] for place in batch], float(risk_free)))
    if len(parts) == 1 and order == list(range(len(order))):
        return parts[0]
    return _ordered(parts or [_measure([], 0.0)], order)


def _ordered(parts: Sequence[ReturnColumns], order: Sequence[int]) -> ReturnColumns:
    places = sorted(range(len(order)), key=order.__getitem__)

    def joined(pieces: Sequence[Sequence[Any]]) -> list[Any]:
        cells = [cell for piece in pieces for cell in piece]
        return [cells[place] for place in places]

    return ReturnColumns(
        {
            name: Column(
                joined([part.figures[name].values for part in parts]),
                joined([part.figures[name].reasons for part in parts]),
            )
            for name in parts[0].figures
        },
        {name: joined([part.facts[name] for part in parts]) for name in parts[0].facts},
    )


def _measure(stretches: Sequence[Stretch], risk_free: float) -> ReturnColumns:
    table = tables.tabulate(stretches)
    fall = drawdown.deepest_of(stretches, table)
    weighted = money_weighted.measure_all(stretches)
    depth, growth = fall.percent.rounded(), _cagr(stretches, table).rounded()
    estimates = {
        "total_return_percentage": _total_return(table),
        "simple_return_percentage": weighted.simple,
        "money_weighted_return_percentage": weighted.modified_dietz,
        "xirr_percentage": weighted.xirr,
        "max_drawdown": depth,
        "sharpe_ratio": _sharpe(table, risk_free, MIN_DAYS),
        "sortino_ratio": _sortino(table, risk_free, MIN_DAYS),
        "calmar_ratio": _calmar(growth, depth),
        "recovery_factor": _recovery(stretches, fall.amount),
        "cagr": growth,
        "volatility": _volatility(table),
    }
    return ReturnColumns(
        figures={name: estimate.column() for name, estimate in estimates.items()}
        | {"max_drawdown_amount": fall.amount, "average_capital": exact(map(_average_capital, stretches))},
        facts={
            "drawdown_peak_date": fall.peak_day,
            "drawdown_trough_date": fall.trough_day,
            "drawdown_recovery_date": fall.recovery_day,
            "return_days": table.count.tolist(),
        },
    )


def total_return(points: Sequence[IndexPoint]) -> Measure:
    """Time-weighted return over the whole chain, in percent."""
    return _one(_total_return(tables.tabulate([lines.whole(lines.of_points(points))])))


def average_capital(points: Sequence[IndexPoint]) -> Measure:
    """Mean capital at work over the days that had any (above dust), a gap weighted by its length."""
    return exact([_average_capital(lines.whole(lines.of_points(points)))]).measures()[0]


def sharpe(daily: Sequence[Decimal], *, risk_free: Decimal = Decimal(0), min_days: int = MIN_DAYS) -> Measure:
    """mean(r - risk free) / standard deviation(r), ddof 1, times sqrt(365) (Sharpe 1994)."""
    return _one(_sharpe(_table(daily), float(risk_free), min_days))


def sortino(daily: Sequence[Decimal], *, target: Decimal = Decimal(0), min_days: int = MIN_DAYS) -> Measure:
    """mean(r - target) / sqrt(mean(min(r - target, 0)^2)) over all days, times sqrt(365)."""
    return _one(_sortino(_table(daily), float(target), min_days))


def volatility(daily: Sequence[Decimal]) -> Measure:
    """Annualised standard deviation (ddof 1) of daily returns, in percent."""
    return _one(_volatility(_table(daily)))


def cagr(points: Sequence[IndexPoint]) -> Measure:
    """Compound annual growth of the index in percent, over calendar days; undefined under 90 of them."""
    stretch = lines.whole(lines.of_points(points))
    return _one(_cagr([stretch], tables.tabulate([stretch])))


def calmar(growth: Measure, max_drawdown: Measure) -> Measure:
    """CAGR / deepest drawdown, both in percent."""
    return _one(_calmar(_estimate(growth), _estimate(max_drawdown)))


def _total_return(table: Table) -> Estimate:
    codes = choose((table.count == 0, Reason.NO_RETURNS), size=len(table.count))
    return Estimate((table.index[:, -1] - 1) * 100, codes)


def _average_capital(stretch: Stretch) -> Decimal | Reason:
    total, days = lines.capital(stretch)
    return quantize(CONTEXT.divide(total, days)) if days else Reason.NO_CAPITAL


def _sharpe(table: Table, risk_free: float, min_days: int) -> Estimate:
    mean, deviation = _moments(table)
    codes = choose(
        (table.count < max(min_days, 2), Reason.TOO_FEW_DAYS),
        (deviation <= tables.NOISE * np.maximum(1, np.abs(mean)), Reason.NO_VARIATION),
        size=len(mean),
    )
    return Estimate(_divide(mean - risk_free, deviation, codes) * _YEARLY, codes)


def _sortino(table: Table, target: float, min_days: int) -> Estimate:
    excess = (table.change - target) * table.counted
    below = np.minimum(excess, 0.0)
    codes = choose(
        (table.count < max(min_days, 1), Reason.TOO_FEW_DAYS),
        (below.min(axis=1) == 0, Reason.NO_DOWNSIDE),
        size=len(excess),
    )
    count = np.maximum(table.count, 1)
    downside = np.sqrt(np.einsum("ij,ij->i", below, below) / count)
    return Estimate(_divide(excess.sum(axis=1) / count, downside, codes) * _YEARLY, codes)


def _volatility(table: Table) -> Estimate:
    codes = choose((table.count < MIN_VOLATILITY_DAYS, Reason.TOO_FEW_DAYS), size=len(table.count))
    return Estimate(_moments(table)[1] * _YEARLY * 100, codes)


def _moments(table: Table) -> tuple[Floats, Floats]:
    """Mean and standard deviation (ddof 1) of the returns."""
    mean = table.change.sum(axis=1) / np.maximum(table.count, 1)
    away = (table.change - mean[:, None]) * table.counted
    return mean, np.sqrt(np.einsum("ij,ij->i", away, away) / np.maximum(table.count - 1, 1))


def _cagr(stretches: Sequence[Stretch], table: Table) -> Estimate:
    days = np.array([stretch.length for stretch in stretches], dtype=np.int64)
    codes = choose(
        (table.count == 0, Reason.NO_RETURNS), (days < MIN_GROWTH_DAYS, Reason.TOO_FEW_DAYS), size=len(days)
    )
    years = np.where(codes == DEFINED, days, DAYS_PER_YEAR) / DAYS_PER_YEAR
    return Estimate((table.index[:, -1] ** (1 / years) - 1) * 100, codes)


def _calmar(growth: Estimate, depth: Estimate) -> Estimate:
    codes = choose((depth.values == 0, Reason.NO_DRAWDOWN), size=len(depth.codes))
    codes = np.where(depth.codes == DEFINED, codes, depth.codes)
    codes = np.where(growth.codes == DEFINED, codes, growth.codes)
    return Estimate(_divide(growth.values, depth.values, codes), codes)


def _recovery(stretches: Sequence[Stretch], fall: Column) -> Estimate:
    """Money made / money lost in the deepest fall."""
    values, codes = np.zeros(len(stretches)), np.zeros(len(stretches), dtype=np.int64)
    for row, (stretch, lost, reason) in enumerate(zip(stretches, fall.values, fall.reasons, strict=True)):
        codes[row] = CODE[reason if reason or lost else Reason.NO_DRAWDOWN]
        if lost:
            values[row] = CONTEXT.divide(stretch.made, lost)
    return Estimate(values, codes)


def _divide(values: Floats, by: Floats, codes: Codes) -> Floats:
    """Where the quotient is defined; elsewhere anything."""
    return values / np.where(codes == DEFINED, by, 1.0)


def _table(daily: Sequence[Decimal]) -> Table:
    return tables.of_changes(np.array([[np.nan, *map(float, daily)]]))


def _estimate(figure: Measure) -> Estimate:
    return Estimate(np.array([float(figure.value or 0)]), np.array([CODE[figure.reason]]))


def _one(estimate: Estimate) -> Measure:
    return estimate.column().measures()[0]
