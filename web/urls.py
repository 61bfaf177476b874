"""The pages. Programs have their own paths (config.urls)."""

from django.urls import path

from web.pages import connect, dashboard, session, trade

app_name = "web"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login", session.log_in, name="login"),
    path("login/code", session.log_in_code, name="login-code"),
    path("confirm", session.confirm, name="confirm"),
    path("logout", session.log_out, name="logout"),
    path("connect", connect.connect, name="connect"),
    path("sync", dashboard.sync_now, name="sync"),
    path("equity", dashboard.equity_table, name="equity"),
    path("trades/<int:trade_id>", trade.trade, name="trade"),
    path("fragments/<str:name>", dashboard.fragment, name="fragment"),
]
