"""Routes of the exchanges' facts."""

from django.urls import path

from orders import api

urlpatterns = [
    path("api/fills", api.FillsView.as_view(), name="fills"),
    path("api/funding", api.FundingView.as_view(), name="funding"),
    path("api/orders", api.OrdersView.as_view(), name="orders"),
]
