from datetime import timedelta
from decimal import Decimal

import pytest

from portfolio.accounting import measure as measures
from portfolio.accounting import statistics
from portfolio.accounting.drawdown import deepest
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, chain
from portfolio.accounting.statistics import TradeMetrics
from portfolio.accounting.trade_sums import TradeFact, TradeSums, sum_trades
from tests.portfolio.accounting.series import day
from tests.portfolio.accounting.trades import CLOSED_AT, trade

# A freqtrade backtest on real ETH/USDT candles (saucisson1sauvage/trading-evolution-system at 4e530eb8b936,
# backtest 1bab7ca3): amount, entry price, exit price, minutes held, days from 2024-08-15 to the exit, and
# freqtrade's own net profit. Fees are 0.1 % a side, the starting balance is 1000 USDT.
BACKTEST = [
    ("0.0375", "2661.21", "2584.43", 9530, 6, "-3.0759615"),
    ("0.0385", "2594.7", "2636.61", 2865, 8, "1.41212957"),
    ("0.0374", "2668.0", "2463.59", 6135, 12, "-7.83685547"),
    ("0.0407", "2451.25", "2462.94", 9340, 19, "0.27577547"),
    ("0.0406", "2458.2", "2314.22", 455, 20, "-6.03934825"),
    ("0.042", "2378.62", "2400.79", 15205, 30, "0.73040478"),
    ("0.0414", "2410.23", "2602.24", 23310, 47, "7.74169774"),
]


def _backtest() -> list[TradeFact]:
    trades = []
    for amount, entry_price, exit_price, minutes, _, net in BACKTEST:
        entry, leave = Decimal(amount) * Decimal(entry_price), Decimal(amount) * Decimal(exit_price)
        fees = entry / 1000, leave / 1000
        # freqtrade writes 8 decimals.
        assert abs(leave - entry - sum(fees) - Decimal(net)) <= Decimal("5e-9")
        hold = timedelta(minutes=minutes)
        trades.append(TradeFact(CLOSED_AT, Decimal(net), leave - entry, *fees, entry, leave, hold))
    return trades


def _measure(*trades: TradeFact, capital: str | None = None) -> TradeMetrics:
    average = None if capital is None else Decimal(capital)
    return statistics.measure(sum_trades(trades), average_capital=average)


def test_a_backtest_agrees_with_freqtrade() -> None:
    figures = _measure(*_backtest(), capital="1000")
    assert (figures.total_trades, figures.winning_trades, figures.losing_trades) == (7, 4, 3)
    assert figures.total_net_pnl == Decimal("-6.79215766")
    assert figures.profit_factor == Measure.ratio(0.5993339156471483)
    assert figures.win_rate == Measure.ratio(57.14285714285714)
    assert figures.expectancy.value == Decimal("-0.970308237142857143")
    assert figures.average_hold_duration is not None
    # freqtrade writes whole minutes.
    assert round(figures.average_hold_duration / timedelta(minutes=1)) == 572940 / 60
    assert figures.roi_percentage == Measure.ratio(-0.679215766)
    # freqtrade's total volume adds each side's fee.
    assert figures.total_volume_traded + figures.total_fees == Decimal("1393.449721664")
    assert (figures.largest_win.value, figures.largest_loss.value) == (
        Decimal("7.74169774"),
        Decimal("-7.83685547"),
    )


def test_a_backtests_drawdown_agrees_with_freqtrade() -> None:
    equity, days = Decimal(1000), []
    for *_, number, net in BACKTEST:
        equity += Decimal(str(net))
        days.append(EquityDay(day(int(number)), equity))
    fall = deepest(chain(days, opening=Decimal(1000)))
    assert fall.amount.value == Decimal("15.26426018")
    assert fall.percent == Measure.ratio(100 * 0.01526426017999995)
    assert fall.trough_day == day(20)


def test_every_trade_column_of_a_small_set() -> None:
    figures = _measure(trade("10"), trade("-4"), trade("0"), capital="200")
    assert measures.split(figures) == (
        {
            "total_trades": 3,
            "winning_trades": 1,
            "losing_trades": 1,
            "breakeven_trades": 1,
            "win_rate": Decimal(50),
            "total_gross_pnl": Decimal("6.6"),
            "total_net_pnl": Decimal(6),
            "average_pnl_per_trade": Decimal(2),
            "largest_win": Decimal(10),
            "largest_loss": Decimal(-4),
            "gross_profit": Decimal(10),
            "gross_loss": Decimal(4),
            "profit_factor": Decimal("2.5"),
            "total_fees": Decimal("0.6"),
            "average_risk_per_trade": None,
            "average_hold_duration": timedelta(hours=2),
            "total_volume_traded": Decimal("606.6"),
            "roi_percentage": Decimal(3),
            "expectancy": Decimal(3),
            "expectancy_r": None,
            "sqn": None,
            "unknown_cost_trades": 0,
            "fee_exits": 0,
        },
        {
            "average_risk_per_trade": "no_planned_risk",
            "expectancy_r": "no_planned_risk",
            "sqn": "no_planned_risk",
        },
    )


def test_profit_factor_without_losses_is_undefined_not_0() -> None:
    assert _measure(trade("10")).profit_factor == Measure.undefined(Reason.NO_LOSSES)


def test_profit_factor_without_wins_is_0() -> None:
    assert _measure(trade("-10")).profit_factor == Measure.ratio(Decimal(0))


def test_largest_win_of_no_wins_is_undefined_not_infinite() -> None:
    assert _measure(trade("-10")).largest_win == Measure.undefined(Reason.NO_WINS)


def test_largest_loss_of_no_losses_is_undefined() -> None:
    assert _measure(trade("10")).largest_loss == Measure.undefined(Reason.NO_LOSSES)


def test_without_trades_every_average_is_undefined() -> None:
    values, reasons = measures.split(statistics.measure(TradeSums(), average_capital=Decimal(100)))
    assert {name for name, reason in reasons.items() if reason == "no_trades"} == {
        "win_rate",
        "average_pnl_per_trade",
        "largest_win",
        "largest_loss",
        "profit_factor",
        "average_risk_per_trade",
        "expectancy",
        "expectancy_r",
        "sqn",
    }
    assert (values["total_trades"], values["total_net_pnl"], values["roi_percentage"]) == (0, 0, 0)


def test_trades_that_all_broke_even_have_no_win_rate() -> None:
    figures = _measure(trade("0"))
    assert figures.win_rate == figures.expectancy == Measure.undefined(Reason.NO_DECIDED_TRADES)
    assert figures.average_pnl_per_trade == Measure.money(Decimal(0))


@pytest.mark.parametrize("capital", [None, "0", "-5"])
def test_roi_needs_capital(capital: str | None) -> None:
    assert _measure(trade("1"), capital=capital).roi_percentage == Measure.undefined(Reason.NO_CAPITAL)


def test_risk_is_a_share_of_the_portfolio_at_entry() -> None:
    figures = _measure(trade("1", risk="10", equity="1000"), trade("1", risk="30", equity="1000"), trade("1"))
    assert figures.average_risk_per_trade == Measure.ratio(Decimal(2))


def test_risk_of_an_unvalued_portfolio_is_undefined() -> None:
    assert _measure(trade("1", risk="10")).average_risk_per_trade == Measure.undefined(
        Reason.NO_EQUITY_AT_ENTRY
    )


def test_sqn_of_30_trades() -> None:
    # R = +2 and -1 in turn: mean 0.5, sample deviation 1.5 x sqrt(30/29), times sqrt(30): sqrt(29) / 3.
    results = [trade("20", risk="10"), trade("-10", risk="10")] * 15
    assert _measure(*results).sqn == Measure.ratio(29**0.5 / 3)
    assert _measure(*results).expectancy_r == Measure.ratio(Decimal("0.5"))
    assert _measure(*results[:29]).sqn == Measure.undefined(Reason.TOO_FEW_TRADES)


def test_sqn_caps_the_count_at_100() -> None:
    results = [trade("20", risk="10"), trade("-10", risk="10")] * 200
    assert _measure(*results).sqn == Measure.ratio(10 * (399 / 400) ** 0.5 / 3)


def test_equal_results_have_no_sqn() -> None:
    assert _measure(*[trade("10", risk="3")] * 30).sqn == Measure.undefined(Reason.NO_VARIATION)
