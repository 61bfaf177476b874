"""Every path. The seeds' routes have no trailing slash and no version prefix."""

from django.contrib import admin
from django.urls import include, path

from web.api.docs import DocsView, SchemaView
from web.health import LiveView, ReadyView

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("web.api.session_urls")),
    path("", include("web.api.credentials_urls")),
    path("", include("orders.urls")),
    path("", include("portfolio.urls")),
    path("", include("portfolio.reconciliation_urls")),
    path("", include("pipeline.urls")),
    path("", include("web.exchange_routes.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("health/live", LiveView.as_view(), name="live"),
    path("health/ready", ReadyView.as_view(), name="ready"),
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
handler400 = "web.pages.errors.bad_request"
handler403 = "web.pages.errors.permission_denied"
handler404 = "web.pages.errors.page_not_found"
handler500 = "web.pages.errors.server_error"
