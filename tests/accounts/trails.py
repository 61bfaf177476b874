"""What the audit trail tells of somebody."""

from accounts.models import AuditLog, User
from core.django import tenancy


def trail_of(user: User) -> list[AuditLog]:
    """The events of a user, the first first."""
    with tenancy.acting_as(user.id):
        return list(AuditLog.objects.order_by("id"))
