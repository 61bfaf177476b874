"""The audit trail. Rows are written by the database (core.django.auditing) and never change."""

from django.db import models

from core.django import tenancy


class AuditLog(models.Model):
    """What happened to whose data, done by whom. No foreign keys: it outlives what it tells of."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.UUIDField(null=True, blank=True, help_text="Whose data it is; empty where nobody's.")
    actor_id = models.UUIDField(null=True, blank=True, help_text="Who did it.")
    actor_kind = models.CharField(max_length=10)
    token_id = models.UUIDField(null=True, blank=True, help_text="The API token it was done with.")
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    action = models.CharField(
        max_length=50, help_text="INSERT, UPDATE, DELETE, or an event such as `log-in`."
    )
    table_name = models.CharField(max_length=63, blank=True)
    record_id = models.CharField(max_length=64, blank=True)
    old_values = models.JSONField(null=True, blank=True)
    new_values = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = tenancy.OwnedManager()
    unscoped = models.Manager()

    class Meta:
        base_manager_name = "unscoped"
        indexes = [
            models.Index(fields=["user_id", "-id"], name="audit_by_user"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["record_id"], name="audit_by_record"),  # operators search by both
            models.Index(fields=["request_id"], name="audit_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.table_name}".strip()
