"""Routes of the sync."""

from django.urls import path

from pipeline import api, outage_api

urlpatterns = [
    path("api/connectivity", outage_api.ConnectivityView.as_view(), name="connectivity"),
    path("api/sync", api.SyncView.as_view(), name="sync"),
    path("api/coverage", api.CoverageView.as_view(), name="coverage"),
    path("api/sync/<int:run_id>", api.SyncRunView.as_view(), name="sync-run"),
]
