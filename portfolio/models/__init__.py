"""Derived rows: rebuilt from facts by `portfolio.accounting`, never edited. See docs/accounting.md.

Two tables hold facts of their own: `Valuation` (a price used once stays used) and `WalletBalance` (what the exchange
reported). Foreign keys without an index of their own are the first column of a unique one.
"""

from portfolio.models.balances import AssetDay, ReportedPosition, WalletBalance
from portfolio.models.books import Book, BookDay, Valuation
from portfolio.models.enums import (
    ExitType,
    Grade,
    Method,
    PeriodType,
    PositionSide,
    PositionStatus,
    TradeKind,
)
from portfolio.models.excursions import Excursion
from portfolio.models.fees import Fee
from portfolio.models.marks import AccountMark
from portfolio.models.metrics import (
    ChangedDay,
    MetricMark,
    PerformanceMetric,
    TradeDay,
    UserPerformanceSummary,
)
from portfolio.models.reconciliation import ItemKind, ItemState, ReconciliationItem
from portfolio.models.snapshots import AssetSnapshot, PortfolioSnapshot
from portfolio.models.trades import Allocation, MovedLot, Position, Trade

__all__ = [
    "AccountMark",
    "Allocation",
    "AssetDay",
    "AssetSnapshot",
    "Book",
    "BookDay",
    "ChangedDay",
    "Excursion",
    "ExitType",
    "Fee",
    "Grade",
    "ItemKind",
    "ItemState",
    "Method",
    "MetricMark",
    "MovedLot",
    "PerformanceMetric",
    "PeriodType",
    "PortfolioSnapshot",
    "Position",
    "PositionSide",
    "PositionStatus",
    "ReconciliationItem",
    "ReportedPosition",
    "Trade",
    "TradeDay",
    "TradeKind",
    "UserPerformanceSummary",
    "Valuation",
    "WalletBalance",
]
