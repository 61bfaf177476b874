"""Users, log-ins, the audit trail."""

from accounts.models.audit import AuditLog
from accounts.models.sessions import (
    ApiToken,
    LogInAttempts,
    RecoveryCode,
    RefreshToken,
    Session,
    TwoFactor,
)
from accounts.models.users import User, UserManager

__all__ = [
    "ApiToken",
    "AuditLog",
    "LogInAttempts",
    "RecoveryCode",
    "RefreshToken",
    "Session",
    "TwoFactor",
    "User",
    "UserManager",
]
