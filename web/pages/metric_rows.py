"""The rows of the metrics' tables: label, figure, how it is written, and what a person may want to know of it."""

from typing import Final

METRICS: Final = {
    "Trades": (
        ("Net PnL", "total_net_pnl", "change", ""),
        ("Trades", "total_trades", "count", ""),
        ("Win rate", "win_rate", "percent", "won ÷ (won + lost)"),
        ("Profit factor", "profit_factor", "ratio", "won ÷ lost"),
        ("Expectancy", "expectancy", "change", "net result of a trade that won or lost, on average"),
        ("Expectancy in R", "expectancy_r", "ratio", "in multiples of the planned risk"),
        ("SQN", "sqn", "ratio", "system quality number: √n × mean R ÷ deviation of R, n at most 100"),
        ("Largest win", "largest_win", "change", ""),
        ("Largest loss", "largest_loss", "change", ""),
        ("Average hold", "average_hold_duration", "text", ""),
        ("Fees of trades", "total_fees", "money", ""),
        ("Volume", "total_volume_traded", "money", "bought and sold"),
    ),
    "Returns": (
        ("Time-weighted", "return_percentage", "return", "deposits and withdrawals are neutral"),
        ("Simple", "simple_return_percentage", "return", "made ÷ everything put in"),
        ("Money-weighted", "money_weighted_return_percentage", "return", "modified Dietz, not annualised"),
        ("XIRR", "xirr_percentage", "return", "money-weighted, a year"),
        ("CAGR", "cagr", "return", "time-weighted, a year"),
    ),
    "Risk": (
        ("Max drawdown", "max_drawdown", "fall", "of the index without deposits and withdrawals"),
        ("In money", "max_drawdown_amount", "money", "lost between the same peak and trough"),
        ("Recovery factor", "recovery_factor", "ratio", "made ÷ lost in the deepest fall"),
        ("Volatility", "volatility", "percent", "of daily returns, a year of 365 days"),
        ("Sharpe", "sharpe_ratio", "ratio", "daily returns, a year of 365 days"),
        ("Sortino", "sortino_ratio", "ratio", "daily returns, downside over all days"),
        ("Calmar", "calmar_ratio", "ratio", "CAGR ÷ max drawdown"),
        ("Exposure", "exposure_percentage", "percent", "of days, those with a position"),
    ),
}
COMPARED: Final = tuple(
    row for row in (*METRICS["Trades"], *METRICS["Returns"], *METRICS["Risk"])
    if row[1] in {
        "total_trades", "total_net_pnl", "win_rate", "profit_factor", "expectancy", "return_percentage",
        "max_drawdown", "sharpe_ratio",
    }
)  # fmt: skip
