"""Free text of users stays out of the audit trail: nobody could ever delete it there."""

from django.db import migrations

from core.django.auditing import AuditedTable


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_tagged_orders"),
    ]

    operations = [
        AuditedTable("statedcost", redacted=["note"]),
        AuditedTable("owntransfer", redacted=["note"]),
    ]
