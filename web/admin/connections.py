"""Exchange accounts, their keys without a sealed value, and their syncs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import Outage, RejectedRow, SyncCursor, SyncRun
from web.admin.base import ReadOnlyAdmin


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


@admin.register(Outage)
class OutageAdmin(ReadOnlyAdmin[Outage]):
    """What could not be asked, since when and why; the ones without an end last."""

    list_display = ["__str__", "reason", "began_at", "ended_at"]
    list_filter = ["exchange", ("ended_at", admin.EmptyFieldListFilter)]
    ordering = ["-began_at"]
