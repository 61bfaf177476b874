"""Routes of differences between reports and facts."""

from django.urls import path

from portfolio import reconciliation_api as api

urlpatterns = [
    path("api/reconciliation", api.ReconciliationView.as_view(), name="reconciliation"),
    path(
        "api/reconciliation/<int:item_id>", api.ReconciliationItemView.as_view(), name="reconciliation-item"
    ),
    path(
        "api/reconciliation/<int:item_id>/dismiss", api.DismissView.as_view(), name="reconciliation-dismiss"
    ),
    path("api/reconciliation/<int:item_id>/reopen", api.ReopenView.as_view(), name="reconciliation-reopen"),
]
