from django.db import migrations

from core.django.auditing import AuditedTable


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0001_initial"),
        ("accounts", "0002_identity"),
    ]

    operations = [
        AuditedTable("exchangeaccount"),
        AuditedTable("apicredential", redacted=["api_key", "secret_key", "passphrase"]),
    ]
