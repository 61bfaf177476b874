"""The operators' admin site."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest


class OperatorSite(AdminSite):
    site_header = "Crypto Graph Trader · operators"
    site_title = "Crypto Graph Trader"
    index_title = "Operations"

    def has_permission(self, request: HttpRequest) -> bool:
        """A deleted operator is none, even where a session outlived the deletion."""
        return super().has_permission(request) and not getattr(request.user, "is_deleted", True)
