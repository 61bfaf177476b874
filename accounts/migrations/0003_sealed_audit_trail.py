from django.db import migrations

from core.django.auditing import SealAuditTrail


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_identity")]

    operations = [SealAuditTrail()]
