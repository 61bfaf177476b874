"""Exact sums over closed trades: counts, sums and extremes only, so that any period is the sum of its days.

Trades of unknown cost and exits that only paid a fee are counted apart and enter no figure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any

from core.money import CONTEXT, ZERO, quantize
from portfolio.accounting.measure import HUNDRED


class TradeKind(StrEnum):
    TRADE = "TRADE"
    FEE = "FEE"
    """A coin given away to pay a fee: an exit in the books, no decision of the trader."""


@dataclass(frozen=True, slots=True)
class TradeFact:
    """One closed trade; money in the reporting currency."""

    exit_time: datetime
    net: Decimal
    gross: Decimal
    entry_fees: Decimal
    exit_fees: Decimal
    entry_value: Decimal
    exit_value: Decimal
    hold: timedelta
    planned_risk: Decimal | None = None
    """Money lost if the planned stop were hit, > 0; None without a stop."""
    equity_at_entry: Decimal | None = None
    """What the portfolio was worth when the trade began: the measure of its risk."""
    cost_unknown: bool = False
    kind: TradeKind = TradeKind.TRADE


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSums:
    """Exact sums over trades. `a + b` is the sums over both sets; `TradeSums()` those over none."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    gross: Decimal = ZERO
    profit: Decimal = ZERO
    """Net results above zero."""
    loss: Decimal = ZERO
    """Net results below zero, as a positive amount."""
    fees: Decimal = ZERO
    volume: Decimal = ZERO
    """Value bought and sold: both sides of a trade."""
    hold: timedelta = timedelta(0)
    largest_win: Decimal | None = field(default=None, metadata={"merge": max})
    largest_loss: Decimal | None = field(default=None, metadata={"merge": min})
    risk_percent: Decimal = ZERO
    """Sum over `risk_count` trades of planned risk / equity at entry x 100."""
    risk_count: int = 0
    multiple: Decimal = ZERO
    """Sum over `multiple_count` trades of the R-multiple: net / planned risk, to 18 decimals."""
    multiple_squared: Decimal = ZERO
    multiple_count: int = 0
    unknown_cost_trades: int = 0
    fee_exits: int = 0

    @property
    def net(self) -> Decimal:
        return CONTEXT.subtract(self.profit, self.loss)

    def __add__(self, other: "TradeSums") -> "TradeSums":
        return merge([self, other])


def merge(parts: Iterable[TradeSums]) -> TradeSums:
    """The sums over all sets together, column by column."""
    rows = list(parts)
    if len(rows) == 1:
        return rows[0]
    merged: dict[str, Any] = {}
    with localcontext(CONTEXT):
        for column in fields(TradeSums):
            values = [getattr(row, column.name) for row in rows]
            if "merge" in column.metadata:
                known = [value for value in values if value is not None]
                merged[column.name] = column.metadata["merge"](known, default=None)
            else:
                zero: Any = column.default
                merged[column.name] = sum(values, zero)
    return TradeSums(**merged)


def sum_trades(trades: Iterable[TradeFact]) -> TradeSums:
    """The sums over some trades, in any order."""
    everything = list(trades)
    decisions = [trade for trade in everything if trade.kind is not TradeKind.FEE]
    known = [trade for trade in decisions if not trade.cost_unknown]
    results = [trade.net for trade in known]
    won = [net for net in results if net > 0]
    lost = [net for net in results if net < 0]
    with localcontext(CONTEXT):
        risks = [risk for trade in known if (risk := _risk_percent(trade)) is not None]
        multiples = [multiple for trade in known if (multiple := _r_multiple(trade)) is not None]
        return TradeSums(
            trades=len(known),
            wins=len(won),
            losses=len(lost),
            gross=sum((trade.gross for trade in known), ZERO),
            profit=sum(won, ZERO),
            loss=-sum(lost, ZERO),
            fees=sum((trade.entry_fees + trade.exit_fees for trade in known), ZERO),
            volume=sum((trade.entry_value + trade.exit_value for trade in known), ZERO),
            hold=sum((trade.hold for trade in known), timedelta(0)),
            largest_win=max(won, default=None),
            largest_loss=min(lost, default=None),
            risk_percent=sum(risks, ZERO),
            risk_count=len(risks),
            multiple=sum(multiples, ZERO),
            multiple_squared=sum((multiple**2 for multiple in multiples), ZERO),
            multiple_count=len(multiples),
            unknown_cost_trades=len(decisions) - len(known),
            fee_exits=len(everything) - len(decisions),
        )


def _r_multiple(trade: TradeFact) -> Decimal | None:
    return quantize(CONTEXT.divide(trade.net, trade.planned_risk)) if trade.planned_risk else None


def _risk_percent(trade: TradeFact) -> Decimal | None:
    if not trade.planned_risk or not trade.equity_at_entry or trade.equity_at_entry < 0:
        return None
    return quantize(CONTEXT.divide(CONTEXT.multiply(trade.planned_risk, HUNDRED), trade.equity_at_entry))
