"""Closed trades for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from portfolio.accounting.trade_sums import TradeFact, TradeKind

CLOSED_AT = datetime(2024, 8, 21, 14, 55, tzinfo=UTC)


def trade(
    net: str,
    *,
    risk: str | None = None,
    equity: str | None = None,
    cost_unknown: bool = False,
    kind: TradeKind = TradeKind.TRADE,
) -> TradeFact:
    """A trade of 100 entered that paid 0.1 at each end and lasted two hours."""
    result = Decimal(net)
    return TradeFact(
        exit_time=CLOSED_AT,
        net=result,
        gross=result + Decimal("0.2"),
        entry_fees=Decimal("0.1"),
        exit_fees=Decimal("0.1"),
        entry_value=Decimal(100),
        exit_value=Decimal(100) + result + Decimal("0.2"),
        hold=timedelta(hours=2),
        planned_risk=None if risk is None else Decimal(risk),
        equity_at_entry=None if equity is None else Decimal(equity),
        cost_unknown=cost_unknown,
        kind=kind,
    )
