import math
from collections.abc import Callable
from decimal import Decimal

import pytest

from portfolio.accounting import ratios
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, IndexPoint, chain
from tests.portfolio.accounting.series import balances, day, from_returns

# Series and values of empyrical-reloaded (Apache-2.0), tests/test_stats.py. It annualises with 252 days, we
# with 365: its Sharpe, Sortino and volatility scale by sqrt(365 / 252).
MIXED = [Decimal(change) for change in ("0.01", "0.1", "-0.04", "0.02", "0.03", "0.02", "0.01", "-0.1")]
POSITIVE = [Decimal(change) for change in ("0.01", "0.02", *["0.01"] * 7)]
NEGATIVE = [
    Decimal(change)
    for change in ("0", "-0.06", "-0.07", "-0.01", "-0.09", "-0.02", "-0.06", "-0.08", "-0.05")
]
TO_365 = math.sqrt(365 / 252)


def _growth(start: str, end: str, days: int) -> list[IndexPoint]:
    rows = [EquityDay(day(0), Decimal(start)), EquityDay(day(days), Decimal(end))]
    return chain(rows, dust=Decimal("0.001"))


@pytest.mark.parametrize(
    ("daily", "at_252"),
    [(MIXED, 1.7238613961706866), (POSITIVE, 52.915026221291804), (NEGATIVE, -24.406808633910085)],
)
def test_sharpe_agrees_with_empyrical(daily: list[Decimal], at_252: float) -> None:
    assert ratios.sharpe(daily, min_days=2) == Measure.ratio(at_252 * TO_365)


@pytest.mark.parametrize(("daily", "at_252"), [(MIXED, 2.605531251673693), (NEGATIVE, -13.5327430750434)])
def test_sortino_agrees_with_empyrical(daily: list[Decimal], at_252: float) -> None:
    assert ratios.sortino(daily, min_days=2) == Measure.ratio(at_252 * TO_365)


def test_volatility_agrees_with_empyrical() -> None:
    assert ratios.volatility(MIXED) == Measure.ratio(0.9136465399704637 * TO_365 * 100)


def test_a_risk_free_rate_lowers_sharpe() -> None:
    shifted = [change - Decimal("0.005") for change in MIXED]
    assert ratios.sharpe(MIXED, risk_free=Decimal("0.005"), min_days=2) == ratios.sharpe(shifted, min_days=2)


@pytest.mark.parametrize("ratio", [ratios.sharpe, ratios.sortino])
def test_29_days_are_too_few(ratio: Callable[[list[Decimal]], Measure]) -> None:
    daily = [Decimal("0.01"), Decimal("-0.01")] * 15
    assert ratio(daily[:29]) == Measure.undefined(Reason.TOO_FEW_DAYS)
    assert ratio(daily).value == 0


def test_flat_days_count() -> None:
    busy = [Decimal("0.01"), Decimal("-0.005")] * 20
    with_rest = [*busy, *[Decimal(0)] * 40]
    assert ratios.sharpe(with_rest) != ratios.sharpe(busy)


def test_equal_returns_have_no_sharpe() -> None:
    points = from_returns(["0.003"] * 40, opening="777")
    assert ratios.measure(points).sharpe_ratio == Measure.undefined(Reason.NO_VARIATION)


def test_sortino_needs_a_bad_day() -> None:
    daily = [Decimal("0.01"), Decimal(0)] * 20
    assert ratios.sortino(daily) == Measure.undefined(Reason.NO_DOWNSIDE)


# freqtrade (GPL-3.0, factual values), tests/data/test_btanalysis.py, test_calculate_cagr; there to four
# decimals of a fraction.
@pytest.mark.parametrize(
    ("start", "end", "days", "percent"),
    [
        ("64900", "176000", 1095, "39.45"),
        ("1000", "1000", 365, "0"),
        ("1000", "1500", 365, "50"),
        ("0.01", "0.01762792", 120, "460.87"),
    ],
)
def test_cagr_agrees_with_freqtrade(start: str, end: str, days: int, percent: str) -> None:
    growth = ratios.cagr(_growth(start, end, days)).value
    assert growth is not None
    assert round(growth, 2) == Decimal(percent)


def test_89_days_have_no_yearly_growth() -> None:
    assert ratios.cagr(_growth("1000", "1100", 89)) == Measure.undefined(Reason.TOO_FEW_DAYS)
    assert ratios.cagr(_growth("1000", "1100", 90)).value is not None


def test_ruin_is_minus_100_percent_a_year() -> None:
    assert ratios.cagr(_growth("1000", "0", 100)) == Measure.ratio(Decimal(-100))


@pytest.mark.parametrize(
    ("growth", "fall", "expected"),
    [
        (Measure.ratio(Decimal(50)), Measure.ratio(Decimal(25)), Measure.ratio(Decimal(2))),
        (
            Measure.ratio(Decimal(50)),
            Measure.ratio(Decimal(0)),
            Measure.undefined(Reason.NO_DRAWDOWN),
        ),
        (
            Measure.undefined(Reason.TOO_FEW_DAYS),
            Measure.ratio(Decimal(25)),
            Measure.undefined(Reason.TOO_FEW_DAYS),
        ),
    ],
)
def test_calmar(growth: Measure, fall: Measure, expected: Measure) -> None:
    assert ratios.calmar(growth, fall) == expected


def test_all_figures_of_a_short_chain() -> None:
    figures = ratios.measure(chain(balances(["1000", "1100", "990"])))
    assert (figures.total_return_percentage.value, figures.max_drawdown.value) == (Decimal(-1), Decimal(10))
    assert (figures.max_drawdown_amount.value, figures.drawdown_peak_date) == (Decimal(110), day(1))
    assert figures.sharpe_ratio.reason == figures.cagr.reason == Reason.TOO_FEW_DAYS
    assert figures.return_days == 2


def test_nothing_is_known_of_an_empty_chain() -> None:
    figures = ratios.measure([])
    assert figures.total_return_percentage == Measure.undefined(Reason.NO_RETURNS)
    assert figures.average_capital == Measure.undefined(Reason.NO_CAPITAL)
