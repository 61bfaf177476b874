"""What an asset's balance is by facts, and by report."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel
from portfolio.models.enums import PositionSide


class AssetDay(AccountModel):
    """What facts say an asset's balance changed by on a UTC day. Their sum is the computed balance."""

    asset = models.CharField(max_length=20)
    day = models.DateField()
    traded = MoneyField(help_text="Fills and their fees, signed.")
    settled = MoneyField(
        default=0, help_text="Profit and loss of contracts as the exchange settled it, signed."
    )
    funding = MoneyField(default=0, db_default=0, help_text="Signed.")
    income = MoneyField(default=0, db_default=0, help_text="Rebates less charges.")
    moved = MoneyField(
        default=0, db_default=0, help_text="From (less: to) wallets of the account that are not read."
    )
    deposited = MoneyField()
    withdrawn = MoneyField(help_text="Positive, without fees.")
    withdrawal_fees = MoneyField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "asset", "day"], name="asset_day_once")]

    def __str__(self) -> str:
        return f"{self.asset} {self.day}"


class WalletBalance(AccountModel):
    """What the exchange reported for an asset of a wallet, appended when it differs from the report before."""

    wallet = models.CharField(max_length=20, default="spot", db_default="spot")
    asset = models.CharField(max_length=20)
    available = MoneyField()
    locked = MoneyField()
    computed = MoneyField(help_text="What facts gave at that moment, of the asset in all wallets.")
    unrealized_pnl = MoneyField(null=True, blank=True, help_text="Beside the balance, of contracts.")
    reported_at = models.DateTimeField()
    run_id = models.BigIntegerField(null=True, blank=True)
    raw = models.JSONField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        indexes = [
            models.Index(fields=["account", "asset", "wallet", "-reported_at", "-id"], name="balance_latest")
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.available}+{self.locked}"


class ReportedPosition(AccountModel):
    """A contract position as the exchange reported it last; `quantity` is 0 once it is reported no more."""

    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=5, choices=PositionSide.choices)
    is_hedged = models.BooleanField()
    quantity = MoneyField()
    settle_asset = models.CharField(max_length=20)
    is_inverse = models.BooleanField(default=False)
    entry_price = MoneyField()
    mark_price = MoneyField(null=True, blank=True)
    liquidation_price = MoneyField(null=True, blank=True)
    leverage = MoneyField(null=True, blank=True)
    margin_mode = models.CharField(max_length=10, blank=True)
    margin = MoneyField(null=True, blank=True)
    unrealized_pnl = MoneyField(null=True, blank=True)
    reported_at = models.DateTimeField()
    run_id = models.BigIntegerField(null=True, blank=True)
    raw = models.JSONField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol", "side"], name="reported_position_once"),
            models.CheckConstraint(
                condition=Q(side__in=PositionSide.values), name="reported_position_side_known"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="reported_position_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.quantity}"
