"""What operators see: users to manage, everything derived or secret read-only, no secret in any column."""

from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.models import Session, User
from credentials.models import ApiCredential, ExchangeAccount
from marketdata.models import Candle, Listing, Symbol, Ticker
from orders.models import Fill, Order, Transfer
from pipeline.models import RejectedRow, SyncCursor, SyncRun
from portfolio.models import (
    AssetDay,
    Book,
    Fee,
    PerformanceMetric,
    PortfolioSnapshot,
    Position,
    Trade,
    Valuation,
    WalletBalance,
)

_M = TypeVar("_M", bound=models.Model)


class EstimatingPaginator(Paginator[Any]):
    """Counts unfiltered tables by the planner's estimate: a COUNT over a history takes seconds."""

    _MANY = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        query = rows.query
        if not query.where:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                    [rows.model._meta.db_table],
                )
                estimate: int = cursor.fetchone()[0]
            if estimate > self._MANY:
                return estimate
        return rows.count()


class ReadOnlyAdmin(admin.ModelAdmin[_M]):
    """Facts and what follows from them: looked at, never edited here."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _UserForm(forms.ModelForm[User]):
    password = ReadOnlyPasswordHashField(
        help_text="Hashes cannot be read back; users set passwords themselves."
    )

    class Meta:
        model = User
        fields: ClassVar = [
            "email",
            "name",
            "password",
            "is_active",
            "is_verified",
            "is_staff",
            "is_superuser",
        ]


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    form = _UserForm
    list_display = ["email", "name", "is_active", "is_verified", "is_staff", "seen_at", "created_at"]
    list_filter = ["is_active", "is_verified", "is_staff", "is_deleted"]
    search_fields = ["email", "name"]
    readonly_fields = [
        "is_deleted",
        "reporting_currency",
        "cost_method",
        "seen_at",
        "created_at",
        "last_login",
    ]
    fields = [
        *("email", "name", "password", "is_active", "is_verified", "is_staff", "is_superuser"),
        *("is_deleted", "reporting_currency", "cost_method", "seen_at", "created_at", "last_login"),
    ]
    ordering = ["email"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filtering by the hash, letter by letter, would read it."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser makes operators and superusers."""
        fields = list(super().get_readonly_fields(request, obj))
        is_superuser = getattr(request.user, "is_superuser", False)
        return fields if is_superuser else [*fields, "is_staff", "is_superuser"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # sign-up, or manage.py createsuperuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # users are soft-deleted; their facts stay


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = ["id", "user", "created_at", "expires_at", "revoked_at", "revoked_reason"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    ordering = ["-created_at"]


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ReadOnlyAdmin[ExchangeAccount]):
    list_display = ["label", "user", "exchange", "mode", "is_active", "key_state", "key_note", "checked_at"]
    list_filter = ["exchange", "mode", "is_active", "key_state"]
    list_select_related = ["user"]
    search_fields = ["label", "user__email", "exchange_uid"]
    ordering = ["-created_at"]


@admin.register(ApiCredential)
class ApiCredentialAdmin(ReadOnlyAdmin[ApiCredential]):
    """Sealed values never reach a form, a list or an export: only the hint and the dates."""

    list_display = ["api_key_hint", "account", "user", "created_at", "updated_at"]
    fields = ["api_key_hint", "account", "user", "created_at", "updated_at"]
    list_select_related = ["account", "user"]
    ordering = ["-updated_at"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        sealed = lookup.startswith(("api_key__", "secret_key", "passphrase")) or lookup == "api_key"
        return not sealed and super().lookup_allowed(lookup, value, request)


@admin.register(SyncCursor)
class SyncCursorAdmin(ReadOnlyAdmin[SyncCursor]):
    list_display = [
        "account",
        "stream",
        "scope",
        "state",
        "row_count",
        "last_ok_at",
        "due_at",
        "error_kind",
        "error_count",
    ]
    list_filter = ["stream", "state", "error_kind"]
    list_select_related = ["account"]
    search_fields = ["account__label", "scope"]
    ordering = ["account", "stream", "scope"]


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin[SyncRun]):
    list_display = [
        "account",
        "trigger",
        "status",
        "requested_at",
        "finished_at",
        "step",
        "rejected_count",
        "error_kind",
    ]
    list_filter = ["status", "trigger", "error_kind"]
    list_select_related = ["account"]
    search_fields = ["account__label", "error_detail"]
    ordering = ["-requested_at"]


@admin.register(RejectedRow)
class RejectedRowAdmin(ReadOnlyAdmin[RejectedRow]):
    list_display = ["account", "stream", "scope", "reason", "created_at"]
    list_filter = ["stream"]
    list_select_related = ["account"]
    ordering = ["-created_at"]


class _FactAdmin(ReadOnlyAdmin[_M]):
    list_select_related = ["account"]
    list_filter = ["account__exchange", "source"]


@admin.register(Order)
class OrderAdmin(_FactAdmin[Order]):
    list_display = [
        *("symbol", "exchange_order_id", "account", "side", "type", "status", "role"),
        *("price", "quantity", "executed_quantity", "ordered_at"),
    ]
    list_filter = ["status", "role", "side", "linked_by"]
    search_fields = ["=exchange_order_id", "=client_order_id", "=symbol", "=group_id"]
    ordering = ["-ordered_at", "-id"]


@admin.register(Fill)
class FillAdmin(_FactAdmin[Fill]):
    list_display = [
        *("symbol", "exchange_fill_id", "account", "side", "price", "quantity", "fee_amount", "fee_currency"),
        "executed_at",
    ]
    list_filter = ["side", "is_maker", "account__exchange"]
    search_fields = ["=exchange_fill_id", "=exchange_order_id", "=symbol"]
    ordering = ["-executed_at", "-id"]


@admin.register(Transfer)
class TransferAdmin(_FactAdmin[Transfer]):
    list_display = ["kind", "asset", "amount", "fee_amount", "account", "status", "occurred_at"]
    list_filter = ["kind", "status", "asset"]
    search_fields = ["=exchange_transfer_id", "=tx_id"]
    ordering = ["-occurred_at", "-id"]


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
    list_display = ["account", "asset", "day", "traded", "deposited", "withdrawn", "withdrawal_fees"]
    search_fields = ["=asset"]
    ordering = ["-day", "asset"]


@admin.register(WalletBalance)
class WalletBalanceAdmin(_DerivedAdmin[WalletBalance]):
    list_display = ["account", "asset", "available", "locked", "computed", "reported_at"]
    search_fields = ["=asset"]
    ordering = ["-reported_at", "-id"]


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


@admin.register(Symbol)
class SymbolAdmin(ReadOnlyAdmin[Symbol]):
    list_display = ["symbol_name", "base_asset", "quote_asset"]
    search_fields = ["symbol_name"]
    ordering = ["symbol_name"]


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin[Listing]):
    list_display = ["name", "exchange", "status", "is_trading", "quantity_step", "updated_at"]
    list_filter = ["exchange", "is_trading"]
    search_fields = ["name"]
    ordering = ["exchange", "name"]


@admin.register(Candle)
class CandleAdmin(ReadOnlyAdmin[Candle]):
    list_display = ["listing", "timeframe", "opened_at", "close", "is_final"]
    list_filter = ["timeframe"]
    list_select_related = ["listing"]
    ordering = ["-opened_at", "-id"]


@admin.register(Ticker)
class TickerAdmin(ReadOnlyAdmin[Ticker]):
    list_display = ["listing", "price", "read_at"]
    list_select_related = ["listing"]
    ordering = ["listing"]
