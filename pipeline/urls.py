"""Routes of the sync."""

from django.urls import path

from pipeline import api, export_api, outage_api, rereading_api

urlpatterns = [
    path("api/connectivity", outage_api.ConnectivityView.as_view(), name="connectivity"),
    path(
        "api/reconciliation/<int:item_id>/read-again",
        rereading_api.ReadAgainView.as_view(),
        name="reconciliation-read-again",
    ),
    path("api/sync", api.SyncView.as_view(), name="sync"),
    path("api/coverage", api.CoverageView.as_view(), name="coverage"),
    path("api/exports", export_api.ExportsView.as_view(), name="exports"),
    path("api/exports/<int:export_id>", export_api.ExportView.as_view(), name="export"),
    path(
        "api/exports/<int:export_id>/download",
        export_api.ExportDownloadView.as_view(),
        name="export-download",
    ),
    path("api/sync/<int:run_id>", api.SyncRunView.as_view(), name="sync-run"),
]
