"""What the background does for users."""

from django.contrib import admin

from pipeline.models import Export
from web.admin.base import ReadOnlyAdmin


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    """Who asked for what, and what became of it; the files are their owners' alone."""

    list_display = [
        *("kind", "format", "user", "account", "state", "attempts", "row_count", "size"),
        *("requested_at", "finished_at", "expires_at"),
    ]
    list_select_related = ["user", "account"]
    list_filter = ["state", "kind", "format"]
    ordering = ["-requested_at", "-id"]
