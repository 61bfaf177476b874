"""Public data."""

from django.contrib import admin

from marketdata.models import Candle, Listing, Symbol, Ticker
from web.admin.base import ReadOnlyAdmin


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
