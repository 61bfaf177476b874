"""The pages. Programs have their own paths (config.urls)."""

from django.urls import path

from web.pages import (
    connect,
    coverage,
    dashboard,
    explain,
    exports,
    forgotten,
    joining,
    reconciliation,
    session,
    trade,
    transfers,
)
from web.pages.account import access, leaving, profile, trail

app_name = "web"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login", session.log_in, name="login"),
    path("login/code", session.log_in_code, name="login-code"),
    path("confirm", session.confirm, name="confirm"),
    path("signup", joining.sign_up, name="sign-up"),
    path("signup/done", joining.signed_up, name="signed-up"),
    path("verify-email", joining.verify_email, name="verify-email"),
    path("confirm-email", joining.confirm_email, name="confirm-email"),
    path("forgot-password", forgotten.forgot_password, name="forgot-password"),
    path("forgot-password/sent", forgotten.link_mailed, name="link-mailed"),
    path("reset-password", forgotten.reset_password, name="reset-password"),
    path("reset-password/done", forgotten.password_set, name="password-set"),
    path("logout", session.log_out, name="logout"),
    path("account", profile.profile, name="account"),
    path("account/resend-verification", profile.resend, name="account-resend"),
    path("account/email", profile.email, name="account-email"),
    path("account/password", access.password, name="account-password"),
    path("account/two-factor", access.second_factor, name="account-two-factor"),
    path("account/sessions", access.own_sessions, name="account-sessions"),
    path("account/tokens", access.tokens, name="account-tokens"),
    path("account/trail", trail.trail, name="account-trail"),
    path("account/close", leaving.close, name="account-close"),
    path("connect", connect.connect, name="connect"),
    path("connect/<uuid:account_id>", connect.connection, name="connection"),
    path("connect/<uuid:account_id>/state", connect.connection_state, name="connection-state"),
    path("sync", dashboard.sync_now, name="sync"),
    path("coverage", coverage.coverage, name="coverage"),
    path("reconciliation", reconciliation.inbox, name="reconciliation"),
    path("exports", exports.exports_page, name="exports"),
    path("exports/list", exports.exports_list, name="exports-list"),
    path("exports/<int:export_id>", exports.export_file, name="export-file"),
    path("transfers", transfers.transfers, name="transfers"),
    path("equity", dashboard.equity_table, name="equity"),
    path("trades/<int:trade_id>", trade.trade, name="trade"),
    path("explain/<str:kind>/<str:row_id>", explain.explain, name="explain"),
    path("fragments/<str:name>", dashboard.fragment, name="fragment"),
]
