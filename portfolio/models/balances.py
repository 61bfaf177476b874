"""What an asset's balance is by facts, and by report."""

from django.db import models

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel


class AssetDay(AccountModel):
    """What facts say an asset's balance changed by on a UTC day. Their sum is the computed balance."""

    asset = models.CharField(max_length=20)
    day = models.DateField()
    traded = MoneyField(help_text="Fills and their fees, signed.")
    deposited = MoneyField()
    withdrawn = MoneyField(help_text="Positive, without fees.")
    withdrawal_fees = MoneyField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "asset", "day"], name="asset_day_once")]

    def __str__(self) -> str:
        return f"{self.asset} {self.day}"


class WalletBalance(AccountModel):
    """What the exchange reported for an asset, appended when it differs from the report before."""

    asset = models.CharField(max_length=20)
    available = MoneyField()
    locked = MoneyField()
    computed = MoneyField(help_text="What facts gave at that moment.")
    reported_at = models.DateTimeField()
    run_id = models.BigIntegerField(null=True, blank=True)
    raw = models.JSONField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account", "asset", "-reported_at", "-id"], name="balance_latest")]

    def __str__(self) -> str:
        return f"{self.asset} {self.available}+{self.locked}"
