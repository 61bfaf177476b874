"""Orders, fills and transfers as the exchange reported them: the truth everything else is projected from."""

from orders.models.movements import FundingPayment, OwnTransfer, StatedCost, Transfer, TransferKind
from orders.models.trading import (
    Fact,
    Fill,
    Linking,
    Order,
    PositionSide,
    Side,
    StrategyPrefix,
    StrategySource,
)

__all__ = [
    "Fact",
    "Fill",
    "FundingPayment",
    "Linking",
    "Order",
    "OwnTransfer",
    "PositionSide",
    "Side",
    "StatedCost",
    "StrategyPrefix",
    "StrategySource",
    "Transfer",
    "TransferKind",
]
