"""What the exchanges reported."""

from typing import TypeVar

from django.contrib import admin
from django.db import models

from orders.models import Fill, FundingPayment, Order, Transfer
from web.admin.base import ReadOnlyAdmin

_M = TypeVar("_M", bound=models.Model)


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


@admin.register(FundingPayment)
class FundingPaymentAdmin(_FactAdmin[FundingPayment]):
    list_display = ["symbol", "position_side", "account", "amount", "asset", "rate", "quantity", "paid_at"]
    list_filter = ["position_side", "account__exchange"]
    search_fields = ["=exchange_payment_id", "=symbol"]
    ordering = ["-paid_at", "-id"]
