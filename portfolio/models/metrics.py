"""Performance per period."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField, PercentField
from core.django.tenancy import OwnedModel
from portfolio.models.enums import PeriodType


class PerformanceMetric(OwnedModel):
    """Metrics of a period; `account` null spans all live accounts. Null with a reason where undefined."""

    account = models.ForeignKey(
        "credentials.ExchangeAccount",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )
    exchange = models.CharField(max_length=20, help_text="`all` where it spans exchanges.")
    strategy = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=20)
    period_type = models.CharField(max_length=10, choices=PeriodType.choices)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    total_trades = models.IntegerField()
    winning_trades = models.IntegerField()
    losing_trades = models.IntegerField()
    breakeven_trades = models.IntegerField()
    cost_unknown_trades = models.IntegerField()
    win_rate = PercentField(null=True)
    total_gross_pnl = MoneyField()
    total_net_pnl = MoneyField()
    average_pnl_per_trade = MoneyField(null=True)
    largest_win = MoneyField(null=True)
    largest_loss = MoneyField(null=True)
    gross_profit = MoneyField()
    gross_loss = MoneyField()
    profit_factor = PercentField(null=True)
    expectancy = MoneyField(null=True)
    total_fees = MoneyField()
    average_risk_per_trade = PercentField(null=True)
    max_drawdown = PercentField(null=True)
    max_drawdown_amount = MoneyField(null=True)
    average_hold_duration = models.DurationField(null=True)
    total_volume_traded = MoneyField()
    sharpe_ratio = PercentField(null=True)
    sortino_ratio = PercentField(null=True)
    calmar_ratio = PercentField(null=True)
    roi_percentage = PercentField(null=True)
    return_percentage = PercentField(null=True, help_text="Time-weighted, over the period.")
    total_portfolio_value = MoneyField(null=True, help_text="At the period's end.")
    daily_pnl = MoneyField(null=True, help_text="DAILY rows: equity change less flows.")
    daily_pnl_percent = PercentField(null=True)
    reasons = models.JSONField(default=dict, help_text="Why a null is null, by column.")
    formula_version = models.IntegerField()
    calculated_at = models.DateTimeField()

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account", "period_type", "period_start", "strategy"],
                nulls_distinct=False,
                name="metric_once_per_period",
            ),
            models.CheckConstraint(
                condition=Q(period_type__in=PeriodType.values), name="metric_period_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period_type} {self.period_start:%Y-%m-%d}"
