"""Backtests of another program are reproduced, and one that does not add up is not.

Seven trades of ETH/USDT and their figures are facts of saucisson1sauvage/trading-evolution-system,
user_data/logs/backtest_results/1bab7ca3-8f71-41f2-b2aa-9da82a9e32a0.json; the shorts of itumor/ft_userdata,
user_data/backtest_results/backtest-result-2022-07-30_12-43-42.json.
"""

from decimal import Decimal
from typing import Any

from benchmarks.backtests import verify

# Opened and closed (ms), amount, prices, net profit; the fee is 0.1 % of each value.
LONGS = """
1723680300000 1724252100000 0.0375 2661.21 2584.43 -3.0759615
1724252700000 1724424600000 0.0385 2594.7 2636.61 1.41212957
1724427300000 1724795400000 0.0374 2668.0 2463.59 -7.83685547
1724813100000 1725373500000 0.0407 2451.25 2462.94 0.27577547
1725384600000 1725411900000 0.0406 2458.2 2314.22 -6.03934825
1725425400000 1726337700000 0.042 2378.62 2400.79 0.73040478
1726342200000 1727740800000 0.0414 2410.23 2602.24 7.74169774
"""
FIGURES = {
    "total_trades": "7",
    "wins": "4",
    "losses": "3",
    "profit_total_abs": "-6.79215766",
    "profit_factor": "0.5993339156471483",
    "expectancy": "-0.9703082371428564",
    "holding_avg_s": "572940.0",
    "max_drawdown_abs": "15.26426018",
    "max_relative_drawdown": "0.01526426017999995",
    "starting_balance": "1000",
    "backtest_start_ts": "1723680000000",
    "backtest_end_ts": "1727740800000",
}
SHORTS = """
1568048400000 1568142000000 0.09655419 10253.31 9992.92800239952 24.75000105
1568145600000 1568332800000 0.1012327 10021.49 10414.96 -40.24579787
"""


def backtest(rows: str, figures: dict[str, str], fee: str, *, is_short: bool = False) -> dict[str, Any]:
    names = ("open_timestamp", "close_timestamp", "amount", "open_rate", "close_rate", "profit_abs")
    shared = {"pair": "ETH/USDT", "fee_open": Decimal(fee), "fee_close": Decimal(fee), "is_short": is_short}
    trades = [
        dict(zip(names, map(Decimal, row.split()), strict=True)) | shared for row in rows.strip().splitlines()
    ]
    return {"trades": trades, "metrics": {name: Decimal(value) for name, value in figures.items()}}


def test_every_trade_and_figure_of_a_spot_backtest_is_reproduced() -> None:
    verdict = verify(backtest(LONGS, FIGURES, "0.001"))
    assert (verdict.trades, verdict.funded, verdict.figures, verdict.differences) == (7, 0, 9, [])


def test_shorts_are_reproduced() -> None:
    begun = {name: value for name, value in FIGURES.items() if name.startswith(("backtest", "starting"))}
    verdict = verify(backtest(SHORTS, begun, "0.0002", is_short=True))
    assert (verdict.trades, verdict.funded, verdict.differences) == (2, 0, [])


def test_a_profit_that_does_not_follow_is_told() -> None:
    # Opened and closed between two funding times.
    rows = "1723681000000 1723682000000 1 100 110 9.7\n"
    begun = {name: value for name, value in FIGURES.items() if name.startswith(("backtest", "starting"))}
    assert verify(backtest(rows, begun, "0.001")).differences == ["trade 0: 9.79000000 instead of 9.70000000"]


def test_a_figure_that_does_not_follow_is_told() -> None:
    wrong = FIGURES | {"profit_factor": "0.61"}
    assert verify(backtest(LONGS, wrong, "0.001")).differences == ["profit_factor: 0.5993 instead of 0.61"]


def test_profits_that_follow_from_nothing_are_measured_as_told() -> None:
    """Half the fee they were made with."""
    made = backtest(LONGS, FIGURES, "0.0005")
    assert verify(made).differences
    assert verify(made, as_told=True).differences == []
