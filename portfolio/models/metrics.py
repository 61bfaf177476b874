"""Performance per period."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField, PercentField
from core.django.tenancy import AccountModel, OwnedManager, OwnedModel
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
    drawdown_peak_date = models.DateField(null=True)
    drawdown_trough_date = models.DateField(null=True)
    drawdown_recovery_date = models.DateField(null=True)
    simple_return_percentage = PercentField(null=True, help_text="Made ÷ everything put in.")
    money_weighted_return_percentage = PercentField(
        null=True, help_text="Modified Dietz, over the period, not annualised."
    )
    xirr_percentage = PercentField(null=True, help_text="Money-weighted, a year.")
    cagr = PercentField(null=True)
    volatility = PercentField(null=True, help_text="Of daily returns, a year.")
    recovery_factor = PercentField(null=True)
    exposure_percentage = PercentField(null=True, help_text="Of valued days, those with a position.")
    expectancy_r = PercentField(null=True)
    sqn = PercentField(null=True)
    r_multiple_trades = models.IntegerField(
        default=0, help_text="Trades with a planned stop: the sample of R."
    )
    average_capital = MoneyField(null=True)
    return_days = models.IntegerField(default=0, help_text="Daily returns: the sample of what they give.")
    valued_days = models.IntegerField(default=0)
    first_valued_day = models.DateField(null=True)
    last_valued_day = models.DateField(null=True)
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


class TradeDay(AccountModel):
    """Exact sums over a UTC day's closed trades of one symbol and strategy: what any period's figures add up from.

    The columns are those of `accounting.trade_sums.TradeSums`.
    """

    day = models.DateField()
    symbol = models.CharField(max_length=40)
    strategy = models.CharField(max_length=60, blank=True)
    trades = models.IntegerField()
    wins = models.IntegerField()
    losses = models.IntegerField()
    gross = MoneyField()
    profit = MoneyField()
    loss = MoneyField(help_text="As a positive amount.")
    fees = MoneyField()
    volume = MoneyField()
    hold = models.DurationField()
    largest_win = MoneyField(null=True)
    largest_loss = MoneyField(null=True)
    risk_percent = MoneyField()
    risk_count = models.IntegerField()
    multiple = MoneyField()
    multiple_squared = models.DecimalField(max_digits=80, decimal_places=36)
    multiple_count = models.IntegerField()
    unknown_cost_trades = models.IntegerField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day", "symbol", "strategy"], name="trade_day_once_per_symbol"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.symbol} {self.strategy}"


class ChangedDay(AccountModel):
    """A day whose trades or equity changed since metrics were drawn. Written by triggers (migration `kept_metrics`), so
    that nothing that changes a trade or a snapshot can forget to; only ever added to, so that no writer waits for
    another or loses its note."""

    day = models.DateField()
    is_of_trades = models.BooleanField(help_text="Else of equity.")

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["user"], name="changed_day_of_user")]

    def __str__(self) -> str:
        return f"{self.day}"


class MetricMark(OwnedModel):
    """One row per user: how metrics were drawn last. Its row lock lets one refresh work at a time."""

    formula_version = models.IntegerField(default=0)
    currency = models.CharField(max_length=20, blank=True)
    drawn_to = models.DateField(null=True, help_text="The present day of the last refresh.")
    changed_at = models.DateTimeField(null=True, help_text="The last refresh that had anything to do.")
    changes = models.BigIntegerField(default=0, help_text="Refreshes that had anything to do.")

    class Meta(OwnedModel.Meta):
        constraints = [models.UniqueConstraint(fields=["user"], name="metric_mark_once")]

    def __str__(self) -> str:
        return f"{self.drawn_to} {self.changes}"


class UserPerformanceSummary(models.Model):
    """The seeds' summary by exchange: a view over the maintained all-time rows. It runs with its reader's rights, so
    row-level security holds in it as in the tables. Modes are never summed."""

    pk = models.CompositePrimaryKey("user_id", "exchange", "mode")
    user_id = models.UUIDField()
    exchange = models.CharField(max_length=20)
    mode = models.CharField(max_length=10)
    total_trades = models.BigIntegerField()
    winning_trades = models.BigIntegerField()
    total_pnl = MoneyField()
    avg_pnl = MoneyField(null=True)
    largest_win = MoneyField(null=True)
    largest_loss = MoneyField(null=True)

    objects = OwnedManager["UserPerformanceSummary"]()

    class Meta:
        managed = False
        db_table = "user_performance_summary"

    def __str__(self) -> str:
        return f"{self.exchange} {self.mode}"
