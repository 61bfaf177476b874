"""Daily snapshots and their composition."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField, PercentField
from core.django.tenancy import AccountModel
from portfolio.models.enums import Grade


class PortfolioSnapshot(AccountModel):
    """An account at a UTC day's end, in the reporting currency, unrealised PnL included."""

    exchange = models.CharField(max_length=20)
    snapshot_date = models.DateField()
    currency = models.CharField(max_length=20)
    total_balance = MoneyField()
    available_balance = MoneyField(null=True, blank=True, help_text="Null on reconstructed days.")
    locked_balance = MoneyField(null=True, blank=True)
    total_positions_value = MoneyField()
    unrealized_pnl = MoneyField()
    open_positions_count = models.IntegerField()
    realized_pnl = MoneyField(help_text="Net, of the day.")
    gross_pnl = MoneyField(help_text="Of the day.")
    fees = MoneyField(help_text="Of the day.")
    funding = MoneyField(default=0, db_default=0, help_text="Of the day, received less paid.")
    flows = MoneyField(help_text="Deposits less withdrawals of the day, valued at its close.")
    unexplained = MoneyField(help_text="Value that came or went without a fact; no performance, but a flow.")
    revaluation = MoneyField(
        help_text="Change in worth of what has no book: coins of unknown cost, cash in other currencies."
    )
    residual = MoneyField(help_text="What is left of the day's change when everything known is taken out.")
    total_realized_pnl = MoneyField(help_text="Net, from the first fact.")
    total_trades_count = models.IntegerField()
    winning_trades_count = models.IntegerField()
    losing_trades_count = models.IntegerField()
    win_rate = PercentField(null=True, blank=True)
    total_fees_paid = MoneyField()
    average_trade_pnl = MoneyField(null=True, blank=True)
    largest_win = MoneyField(null=True, blank=True)
    largest_loss = MoneyField(null=True, blank=True)
    is_reconstructed = models.BooleanField()
    is_final = models.BooleanField(help_text="The day is over, and the exchange has been heard since.")
    grade = models.CharField(max_length=12, choices=Grade.choices)
    grade_reason = models.CharField(max_length=300, blank=True)
    engine_version = models.IntegerField()
    computed_at = models.DateTimeField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "snapshot_date"], name="snapshot_once_a_day"),
            models.CheckConstraint(condition=Q(grade__in=Grade.values), name="snapshot_grade_known"),
        ]
        indexes = [models.Index(fields=["user", "snapshot_date"], name="snapshot_curve")]

    def __str__(self) -> str:
        return f"{self.exchange} {self.snapshot_date}"


class AssetSnapshot(AccountModel):
    """One asset of a snapshot. `value` is null while the asset has no price: left out of totals, and said so."""

    snapshot = models.ForeignKey(
        PortfolioSnapshot, on_delete=models.CASCADE, db_index=False, related_name="assets"
    )
    asset = models.CharField(max_length=20)
    quantity = MoneyField()
    price = MoneyField(null=True)
    price_source = models.CharField(max_length=80, blank=True)
    value = MoneyField(null=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["snapshot", "asset"], name="asset_snapshot_once")]

    def __str__(self) -> str:
        return f"{self.asset} {self.quantity}"
