"""What users said of their coins, where exchanges tell nothing."""

from django.contrib import admin

from orders.models import OwnTransfer, StatedCost
from web.admin.base import ReadOnlyAdmin


@admin.register(OwnTransfer)
class OwnTransferAdmin(ReadOnlyAdmin[OwnTransfer]):
    """Withdrawals that were deposits into another account of the same user; matched by us or by hand."""

    list_display = ["user", "outgoing", "incoming", "state", "matched_by", "created_at", "updated_at"]
    list_filter = ["state", "matched_by"]
    list_select_related = ["user", "outgoing", "incoming"]
    search_fields = ["=outgoing__exchange_transfer_id", "=incoming__exchange_transfer_id"]
    ordering = ["-updated_at", "-id"]


@admin.register(StatedCost)
class StatedCostAdmin(ReadOnlyAdmin[StatedCost]):
    """What deposits cost, as their owners say."""

    list_display = ["account", "transfer", "cost", "updated_at"]
    list_select_related = ["account", "transfer"]
    search_fields = ["=transfer__asset", "=transfer__exchange_transfer_id"]
    ordering = ["-updated_at", "-id"]
