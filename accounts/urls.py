"""Users, and what keeps and ends a session; logging in is in web.api.session_urls."""

from django.urls import path

from accounts.api.audit import AuditView
from accounts.api.sessions import LogOutView, RefreshView
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
]
