"""The seeds' routes of exchanges: the same ones for each, and Bitget's own paths."""

from django.urls import path

from web.exchange_routes import views

urlpatterns = [
    path("bitget/order/all-open-orders", views.BitgetOpenOrdersView.as_view(), name="bitget-open-orders"),
    path("bitget/order/trade-fills", views.BitgetTradeFillsView.as_view(), name="bitget-trade-fills"),
    path("bitget/account/spot/assets", views.BitgetAssetsView.as_view(), name="bitget-assets"),
    path("bitget/deposit-records", views.BitgetDepositsView.as_view(), name="bitget-deposits"),
    path("bitget/withdrawal-records", views.BitgetWithdrawalsView.as_view(), name="bitget-withdrawals"),
    path("<str:exchange>/account-info", views.AccountInfoView.as_view(), name="exchange-account-info"),
    path("<str:exchange>/user-assets", views.UserAssetsView.as_view(), name="exchange-user-assets"),
    path("<str:exchange>/open-orders", views.OpenOrdersView.as_view(), name="exchange-open-orders"),
    path("<str:exchange>/order-history", views.OrderHistoryView.as_view(), name="exchange-order-history"),
    path("<str:exchange>/account-snapshot", views.AccountSnapshotView.as_view(), name="exchange-snapshot"),
    path("<str:exchange>/deposit-history", views.DepositHistoryView.as_view(), name="exchange-deposits"),
    path("<str:exchange>/withdraw-history", views.WithdrawHistoryView.as_view(), name="exchange-withdrawals"),
    path("<str:exchange>/transfer-history", views.TransferHistoryView.as_view(), name="exchange-transfers"),
    path("<str:exchange>/tickers", views.TickersView.as_view(), name="exchange-tickers"),
    path("<str:exchange>/trade-fills", views.TradeFillsView.as_view(), name="exchange-trade-fills"),
]
