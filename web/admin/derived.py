"""What follows from the facts."""

from typing import TypeVar

from django.contrib import admin
from django.db import models

from portfolio.models import (
    AssetDay,
    Book,
    Fee,
    MovedLot,
    PerformanceMetric,
    PortfolioSnapshot,
    Position,
    ReconciliationItem,
    ReportedPosition,
    Trade,
    Valuation,
    WalletBalance,
)
from web.admin.base import ReadOnlyAdmin

_M = TypeVar("_M", bound=models.Model)


class _DerivedAdmin(ReadOnlyAdmin[_M]):
    list_select_related = ["account"]


@admin.register(Book)
class BookAdmin(_DerivedAdmin[Book]):
    list_display = [
        "asset",
        "account",
        "method",
        "currency",
        "fact_count",
        "folded_to",
        "stale_from",
        "blocked_reason",
    ]
    list_filter = ["method", "currency"]
    search_fields = ["=asset", "account__label"]
    ordering = ["account", "asset"]


@admin.register(Position)
class PositionAdmin(_DerivedAdmin[Position]):
    list_display = [
        "symbol",
        "account",
        "side",
        "status",
        "entry_price",
        "quantity",
        "net_pnl",
        "opened_at",
        "closed_at",
    ]
    list_filter = ["status", "exchange"]
    search_fields = ["=symbol", "=entry_order_id"]
    ordering = ["-opened_at", "-id"]


@admin.register(Trade)
class TradeAdmin(_DerivedAdmin[Trade]):
    list_display = [
        "symbol",
        "account",
        "exit_type",
        "exit_quantity",
        "gross_pnl",
        "net_pnl",
        "exit_time",
        "kind",
    ]
    list_filter = ["kind", "exit_type", "exchange"]
    search_fields = ["=symbol", "=exit_order_id"]
    ordering = ["-exit_time", "-id"]


@admin.register(MovedLot)
class MovedLotAdmin(_DerivedAdmin[MovedLot]):
    """What withdrawals took out of books, and what it cost."""

    list_display = [
        *("account", "book", "transfer", "source", "quantity", "cost", "entry_fee", "entered_at", "moved_at")
    ]
    list_filter = ["source"]
    list_select_related = ["account", "book", "transfer"]
    search_fields = ["=book__asset", "=transfer__exchange_transfer_id"]
    ordering = ["-moved_at", "-id"]


@admin.register(Fee)
class FeeAdmin(_DerivedAdmin[Fee]):
    list_display = [
        "account",
        "fee_type",
        "fee_amount",
        "fee_currency",
        "value",
        "price_source",
        "fee_timestamp",
    ]
    list_filter = ["fee_type", "fee_currency"]
    ordering = ["-fee_timestamp", "-id"]


@admin.register(Valuation)
class ValuationAdmin(ReadOnlyAdmin[Valuation]):
    list_display = ["asset", "currency", "at", "price", "source", "version"]
    list_filter = ["asset", "currency"]
    ordering = ["-at", "-id"]


@admin.register(AssetDay)
class AssetDayAdmin(_DerivedAdmin[AssetDay]):
    list_display = [
        *(
            "account",
            "asset",
            "day",
            "traded",
            "settled",
            "funding",
            "income",
            "moved",
            "deposited",
            "withdrawn",
        ),
        "withdrawal_fees",
    ]
    search_fields = ["=asset"]
    ordering = ["-day", "asset"]


@admin.register(WalletBalance)
class WalletBalanceAdmin(_DerivedAdmin[WalletBalance]):
    list_display = ["account", "wallet", "asset", "available", "locked", "computed", "reported_at"]
    list_filter = ["wallet"]
    search_fields = ["=asset"]
    ordering = ["-reported_at", "-id"]


@admin.register(ReportedPosition)
class ReportedPositionAdmin(_DerivedAdmin[ReportedPosition]):
    list_display = [
        *("account", "symbol", "side", "quantity", "entry_price", "mark_price", "leverage", "margin_mode"),
        *("unrealized_pnl", "reported_at"),
    ]
    list_filter = ["side", "margin_mode"]
    search_fields = ["=symbol"]
    ordering = ["-reported_at", "-id"]


@admin.register(ReconciliationItem)
class ReconciliationItemAdmin(_DerivedAdmin[ReconciliationItem]):
    """Differences between reports and books, of everybody; their owners dismiss them."""

    list_display = [
        *("subject", "side", "account", "kind", "state", "cause", "reported", "computed", "difference"),
        *("value", "diverged_from", "diverged_to", "opened_at", "resolved_at"),
    ]
    list_filter = ["state", "kind", "cause", "account__exchange"]
    search_fields = ["=subject", "account__label"]
    ordering = ["-opened_at", "-id"]


@admin.register(PortfolioSnapshot)
class PortfolioSnapshotAdmin(_DerivedAdmin[PortfolioSnapshot]):
    list_display = [
        *(
            "account",
            "snapshot_date",
            "total_balance",
            "unrealized_pnl",
            "total_realized_pnl",
            "residual",
            "grade",
        ),
    ]
    list_filter = ["grade", "exchange", "is_reconstructed"]
    ordering = ["-snapshot_date", "account"]


@admin.register(PerformanceMetric)
class PerformanceMetricAdmin(ReadOnlyAdmin[PerformanceMetric]):
    list_display = [
        "user",
        "exchange",
        "period_type",
        "period_start",
        "total_trades",
        "total_net_pnl",
        "sharpe_ratio",
    ]
    list_filter = ["period_type", "exchange"]
    list_select_related = ["user"]
    ordering = ["-period_start", "period_type"]
