"""Worked cases of other projects, by their names: those that our definitions answer, and those that they do not, with
the reason. Factual values of empyrical-reloaded (Apache-2.0), tests/test_stats.py at efe60664, and of freqtrade
(GPL-3.0), tests/data/test_btanalysis.py at c9ae5e1e; the first value of empyrical's series,
NaN, is the day before the returns.

empyrical annualises with 252 days, we with 365: what is annualised scales by sqrt(365 / 252).
"""

import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from portfolio.accounting import drawdown, ratios
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, IndexPoint, chain
from tests.portfolio.accounting.series import day, from_returns

MIXED: Final = ("0.01", "0.1", "-0.04", "0.02", "0.03", "0.02", "0.01", "-0.1")
NEGATIVE: Final = ("0", "-0.06", "-0.07", "-0.01", "-0.09", "-0.02", "-0.06", "-0.08", "-0.05")
ALL_NEGATIVE: Final = ("-0.02", *NEGATIVE[1:])
POSITIVE: Final = ("0.01", "0.02", *["0.01"] * 7)
ONE: Final = ("0.01",)
TO_365: Final = math.sqrt(365 / 252)
PROFITS: Final = (
    "0.01158", "0.010048", "0.01134", "0.012161", "0.010416", "0.010009", "0.020024", "-0.024662", "-0.02235",
    "0.020496", "-0.029859", "-0.030511", "0.010041", "0.010872", "-0.025782", "0.0104", "0.012374", "0.012467",
    "0.114741", "0.010303", "0.010088", "-0.033961", "0.01068", "0.010886", "-0.029274", "0.011178", "0.010693",
    "0.010711",
)  # fmt: skip
ROUNDED: Final = ("freqtrade_cagr", "empyrical_cum_returns")
"""Told to four decimals of a fraction."""
Figure = Callable[[], Measure]


def total(changes: tuple[str, ...]) -> Figure:
    return lambda: ratios.total_return(from_returns(changes))


def deepest(changes: tuple[str, ...]) -> Figure:
    return lambda: drawdown.deepest(from_returns(changes)).percent


def sharpe(changes: tuple[str, ...]) -> Figure:
    return lambda: ratios.sharpe([Decimal(change) for change in changes], min_days=1)


def sortino(changes: tuple[str, ...], target: str = "0") -> Figure:
    daily = [Decimal(change) for change in changes]
    return lambda: ratios.sortino(daily, target=Decimal(target), min_days=1)


def cagr(start: str, end: str, days: int) -> Figure:
    rows = [EquityDay(day(0), Decimal(start)), EquityDay(day(days), Decimal(end))]
    return lambda: ratios.cagr(chain(rows, dust=Decimal("0.001")))


def yearly(changes: tuple[str, ...]) -> Figure:
    return lambda: ratios.cagr(
        [
            IndexPoint(day(0) + timedelta(365 * n), Decimal(1), (1 + Decimal(changes[0])) ** n,
                       Decimal(changes[0]), Decimal(0),
                       Decimal(1), 365)
            for n in range(len(changes) + 1)
        ]
    )  # fmt: skip


def fall_in_money(start: str, profits: tuple[str, ...]) -> Figure:
    equity, days = Decimal(start), []
    for number, profit in enumerate(profits):
        equity += Decimal(profit)
        days.append(EquityDay(day(number), equity))
    points = chain(days, opening=Decimal(start), dust=Decimal(0))
    return lambda: drawdown.deepest(points).amount


def percent(fraction: float) -> Measure:
    return Measure.ratio(fraction * 100)


def annual(at_252: float) -> Measure:
    return Measure.ratio(at_252 * TO_365)


FITTING: Final[dict[str, tuple[Figure, Measure]]] = {
    "empyrical_cum_returns_final_1": (total(ONE), percent(0.01)),
    "empyrical_cum_returns_final_3": (total(MIXED), percent(0.038931)),
    "empyrical_cum_returns_final_4": (total(NEGATIVE), percent(-0.3659)),
    "empyrical_max_drawdown_1": (deepest(ONE), percent(0)),
    "empyrical_max_drawdown_3": (deepest(MIXED), percent(0.1)),
    "empyrical_max_drawdown_4": (deepest(POSITIVE), percent(0)),
    "empyrical_max_drawdown_6": (deepest(ALL_NEGATIVE), percent(0.378589157)),
    "empyrical_annual_volatility_1": (
        lambda: ratios.volatility([Decimal(change) for change in MIXED]), annual(91.36465399704637),
    ),
    "empyrical_sharpe_ratio_0": (sharpe(()), Measure.undefined(Reason.TOO_FEW_DAYS)),
    "empyrical_sharpe_ratio_1": (sharpe(ONE), Measure.undefined(Reason.TOO_FEW_DAYS)),
    "empyrical_sharpe_ratio_3": (sharpe(MIXED), annual(1.7238613961706866)),
    "empyrical_sharpe_ratio_5": (sharpe(POSITIVE), annual(52.915026221291804)),
    "empyrical_sharpe_ratio_6": (sharpe(NEGATIVE), annual(-24.406808633910085)),
    "empyrical_sortino_1": (sortino(ONE), Measure.undefined(Reason.NO_DOWNSIDE)),
    "empyrical_sortino_3": (sortino(MIXED), annual(2.605531251673693)),
    "empyrical_sortino_4": (sortino(MIXED, target="0.01"), annual(-1.3934779588919977)),
    "empyrical_sortino_6": (sortino(NEGATIVE), annual(-13.5327430750434)),
    "empyrical_calmar_0": (lambda: ratios.measure([]).calmar_ratio, Measure.undefined(Reason.NO_RETURNS)),
    "empyrical_cagr_0": (lambda: ratios.cagr([]), Measure.undefined(Reason.NO_RETURNS)),
    "empyrical_cagr_4": (yearly(("0.03",) * 3), percent(0.03)),
    "freqtrade_cagr_0": (cagr("64900", "176000", 1095), percent(0.3945)),
    "freqtrade_cagr_2": (cagr("1000", "1000", 365), percent(0)),
    "freqtrade_cagr_3": (cagr("1000", "1500", 365), percent(0.5)),
    "freqtrade_cagr_5": (cagr("0.01", "0.01762792", 120), percent(4.6087)),
    "freqtrade_max_drawdown_2": (fall_in_money("0.2", PROFITS), Measure.money(Decimal("0.091755"))),
    "freqtrade_max_drawdown_abs_1": (
        fall_in_money("1000", ("0", "-500", "500", "10000", "-1000")), Measure.money(Decimal(500)),
    ),
}  # fmt: skip

_LADDER = "The ladder of values is the index itself; its end is checked as the final return."
_YEAR_OF_252 = (
    "Annualised from eight days as a part of 252; we annualise growth by the calendar, from 90 days on."
)
_NOT_DAILY = "Weekly, monthly or yearly returns; ours are daily ones, annualised by 365."
_NOT_SHIPPED = "The figure is not among ours."
_INSIDE = "Downside deviation is a part of Sortino and no figure of its own."
LEFT_OUT: Final[dict[str, str]] = {
    **dict.fromkeys([f"empyrical_cum_returns_{n}" for n in (0, 2, 3)], _LADDER),
    "empyrical_annual_ret_0": _YEAR_OF_252,
    "empyrical_annual_ret_1": _NOT_DAILY,
    "empyrical_annual_volatility_3": _NOT_DAILY,
    "empyrical_calmar_2": _YEAR_OF_252,
    "empyrical_calmar_4": _NOT_DAILY,
    **dict.fromkeys([f"empyrical_omega_{n}" for n in (0, 2, 4, 5, 7)], _NOT_SHIPPED),
    **dict.fromkeys([f"empyrical_downside_risk_{n}" for n in (0, 2, 3)], _INSIDE),
    **dict.fromkeys([f"empyrical_downside_risk_{n}" for n in (5, 7, 8)], _NOT_DAILY),
    "empyrical_sortino_8": _NOT_DAILY,
    "empyrical_sortino_9": _NOT_DAILY,
    "empyrical_tail_ratio_1": _NOT_SHIPPED,
    "empyrical_cagr_1": _YEAR_OF_252,
    "freqtrade_max_drawdown_all_losses": "Its first peak stands after the first trade; ours before it: 0.055545.",
    "freqtrade_golden_backtest_179": (
        "Sharpe, Sortino and Calmar from returns per trade, not per day; its drawdown leaves out the starting balance."
    ),
}


@pytest.mark.parametrize("name", FITTING)
def test_the_case_comes_out_as_told(name: str) -> None:
    figure, told = FITTING[name]
    found = figure()
    if name.startswith(ROUNDED) and found.value is not None and told.value is not None:
        assert round(found.value, 2) == round(told.value, 2)
    else:
        assert found == told


def test_every_case_is_answered_or_left_out_for_a_reason() -> None:
    assert (len(FITTING), len(LEFT_OUT), FITTING.keys() & LEFT_OUT.keys()) == (26, 25, set())
