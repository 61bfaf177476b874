"""What a set of closed trades says: the trade columns of the performance metrics.

Figures follow from `TradeSums`, which add up over days. Wins and losses are told apart by the net result.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final

from core.money import CONTEXT, quantize
from portfolio.accounting.measure import Measure, Reason, percent
from portfolio.accounting.trade_sums import TradeSums

MIN_SQN_TRADES: Final = 30
MAX_SQN_TRADES: Final = 100
"""Tharp caps the count, or a long record alone would make a good system."""


@dataclass(frozen=True, slots=True)
class TradeMetrics:
    """The columns of `performance_metrics` that trades decide, and a few more."""

    total_trades: int
    winning_trades: int
    losing_trades: int
    breakeven_trades: int
    win_rate: Measure
    total_gross_pnl: Decimal
    total_net_pnl: Decimal
    average_pnl_per_trade: Measure
    largest_win: Measure
    largest_loss: Measure
    gross_profit: Decimal
    gross_loss: Decimal
    profit_factor: Measure
    total_fees: Decimal
    average_risk_per_trade: Measure
    average_hold_duration: timedelta | None
    total_volume_traded: Decimal
    roi_percentage: Measure
    expectancy: Measure
    expectancy_r: Measure
    sqn: Measure
    unknown_cost_trades: int
    fee_exits: int


def measure(sums: TradeSums, *, average_capital: Decimal | None) -> TradeMetrics:
    """The figures of a period. `average_capital` is the base of ROI (see `returns.average_capital`).

    Expectancy is the net result per trade that won or lost: win rate x average win - loss rate x average
    loss. `average_hold_duration` is None only without trades.
    """
    decided = sums.wins + sums.losses
    with localcontext(CONTEXT):
        net = sums.profit - sums.loss
        return TradeMetrics(
            total_trades=sums.trades,
            winning_trades=sums.wins,
            losing_trades=sums.losses,
            breakeven_trades=sums.trades - decided,
            win_rate=percent(Decimal(sums.wins), Decimal(decided)) if decided else _undecided(sums),
            total_gross_pnl=sums.gross,
            total_net_pnl=net,
            average_pnl_per_trade=Measure.money(net / sums.trades) if sums.trades else _undecided(sums),
            largest_win=_extreme(sums, sums.largest_win, Reason.NO_WINS),
            largest_loss=_extreme(sums, sums.largest_loss, Reason.NO_LOSSES),
            gross_profit=sums.profit,
            gross_loss=sums.loss,
            profit_factor=_profit_factor(sums),
            total_fees=sums.fees,
            average_risk_per_trade=_average_risk(sums),
            average_hold_duration=sums.hold // sums.trades if sums.trades else None,
            total_volume_traded=sums.volume,
            roi_percentage=_roi(net, average_capital),
            expectancy=Measure.money(net / decided) if decided else _undecided(sums),
            expectancy_r=_expectancy_r(sums),
            sqn=_sqn(sums),
            unknown_cost_trades=sums.unknown_cost_trades,
            fee_exits=sums.fee_exits,
        )


def _undecided(sums: TradeSums) -> Measure:
    return Measure.undefined(Reason.NO_DECIDED_TRADES if sums.trades else Reason.NO_TRADES)


def _extreme(sums: TradeSums, value: Decimal | None, reason: Reason) -> Measure:
    if value is not None:
        return Measure.money(value)
    return Measure.undefined(reason if sums.trades else Reason.NO_TRADES)


def _profit_factor(sums: TradeSums) -> Measure:
    """Gross profit / gross loss; without a loss there is none, however good the trades."""
    if not sums.losses:
        return Measure.undefined(Reason.NO_LOSSES if sums.trades else Reason.NO_TRADES)
    return Measure.ratio(sums.profit / sums.loss)


def _average_risk(sums: TradeSums) -> Measure:
    """Mean planned risk in percent of the portfolio, over trades where both are known."""
    if sums.risk_count:
        return Measure.ratio(sums.risk_percent / sums.risk_count)
    if sums.multiple_count:
        return Measure.undefined(Reason.NO_EQUITY_AT_ENTRY)
    return _no_risk(sums)


def _roi(net: Decimal, average_capital: Decimal | None) -> Measure:
    if average_capital is None or average_capital <= 0:
        return Measure.undefined(Reason.NO_CAPITAL)
    return percent(net, average_capital)


def _expectancy_r(sums: TradeSums) -> Measure:
    return Measure.ratio(sums.multiple / sums.multiple_count) if sums.multiple_count else _no_risk(sums)


def _sqn(sums: TradeSums) -> Measure:
    """Tharp's System Quality Number: sqrt(min(n, 100)) x mean(R) / standard deviation(R), ddof 1."""
    count = sums.multiple_count
    if not count:
        return _no_risk(sums)
    if count < MIN_SQN_TRADES:
        return Measure.undefined(Reason.TOO_FEW_TRADES)
    variance = (sums.multiple_squared - sums.multiple**2 / count) / (count - 1)
    # Sums of squares are exact, so only the one division above can leave noise, far below R's 18 decimals.
    if quantize(variance, 36) <= 0:
        return Measure.undefined(Reason.NO_VARIATION)
    size = Decimal(min(count, MAX_SQN_TRADES))
    return Measure.ratio((size / variance).sqrt() * sums.multiple / count)


def _no_risk(sums: TradeSums) -> Measure:
    return Measure.undefined(Reason.NO_PLANNED_RISK if sums.trades else Reason.NO_TRADES)
