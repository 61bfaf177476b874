"""Users, and what keeps and ends a session; logging in is in web.api.session_urls."""

from django.urls import path

from accounts.api.api_tokens import ApiTokensView, ApiTokenView
from accounts.api.audit import AuditView
from accounts.api.sessions import (
    LogOutEverywhereView,
    LogOutView,
    RefreshView,
    SessionsView,
    SessionView,
    StepUpView,
)
from accounts.api.two_factor import ConfirmTwoFactorView, RecoveryCodesView, TwoFactorView
from accounts.api.users import (
    ChangeEmailView,
    ChangePasswordView,
    ConfirmEmailView,
    ForgotPasswordView,
    RegisterView,
    ResendVerificationView,
    ResetPasswordView,
    VerifyEmailView,
)

urlpatterns = [
    path("api/audit", AuditView.as_view(), name="audit"),
    path("user/register-user", RegisterView.as_view(), name="register"),
    path("user/verify-email", VerifyEmailView.as_view(), name="verify-email"),
    path("user/resend-verification", ResendVerificationView.as_view(), name="resend-verification"),
    path("user/change-password", ChangePasswordView.as_view(), name="change-password"),
    path("user/change-email", ChangeEmailView.as_view(), name="change-email"),
    path("user/confirm-email", ConfirmEmailView.as_view(), name="confirm-email"),
    path("auth/forgot-password", ForgotPasswordView.as_view(), name="forgot-password"),
    path("auth/reset-password", ResetPasswordView.as_view(), name="reset-password"),
    path("auth/refresh", RefreshView.as_view(), name="refresh"),
    path("auth/logout", LogOutView.as_view(), name="log-out"),
    path("auth/logout-everywhere", LogOutEverywhereView.as_view(), name="log-out-everywhere"),
    path("auth/sessions", SessionsView.as_view(), name="sessions"),
    path("auth/sessions/<uuid:session_id>", SessionView.as_view(), name="session"),
    path("auth/step-up", StepUpView.as_view(), name="step-up"),
    path("auth/two-factor", TwoFactorView.as_view(), name="two-factor"),
    path("auth/two-factor/confirm", ConfirmTwoFactorView.as_view(), name="confirm-two-factor"),
    path("auth/two-factor/recovery-codes", RecoveryCodesView.as_view(), name="recovery-codes"),
    path("auth/api-tokens", ApiTokensView.as_view(), name="api-tokens"),
    path("auth/api-tokens/<uuid:token_id>", ApiTokenView.as_view(), name="api-token"),
]
