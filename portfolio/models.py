"""Derived rows: rebuilt from facts by `portfolio.accounting`, never edited. See docs/accounting.md.

Two tables hold facts of their own: `Valuation` (a price used once stays used) and `WalletBalance` (what the
exchange reported).
"""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField, PercentField
from core.django.tenancy import AccountModel, OwnedModel


class Method(models.TextChoices):
    AVERAGE = "average"
    FIFO = "fifo"


class PositionStatus(models.TextChoices):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    LIQUIDATED = "LIQUIDATED"


class PositionSide(models.TextChoices):
    LONG = "LONG"
    SHORT = "SHORT"


class ExitType(models.TextChoices):
    TP = "TP"
    SL = "SL"
    MANUAL = "MANUAL"
    PARTIAL = "PARTIAL"
    LIQUIDATION = "LIQUIDATION"


class TradeKind(models.TextChoices):
    TRADE = "TRADE"
    FEE = "FEE"  # a coin spent on a fee: a small exit of its book, kept out of trade statistics


class PeriodType(models.TextChoices):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    ALL_TIME = "ALL_TIME"


class Grade(models.TextChoices):
    """How far a number can be trusted; the row's `grade_reason` says why not further."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    UNRELIABLE = "unreliable"


class Book(AccountModel):
    """The inventory of one asset in one account: what makes one new fill cheap.

    `state` is the engine's tail after the last folded fact; `stale_from` the time of the earliest fact not folded.
    """

    market_type = models.CharField(max_length=10, default="spot")
    asset = models.CharField(max_length=20)
    currency = models.CharField(max_length=20)
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.AVERAGE)
    step = MoneyField(help_text="Inventory below it is dust. Pinned when the book is made.")
    state = models.JSONField(default=dict, blank=True)
    stale_from = models.DateTimeField(null=True, blank=True)
    folded_to = models.DateTimeField(null=True, blank=True)
    fact_count = models.BigIntegerField(default=0)
    engine_version = models.IntegerField(default=0)
    blocked_reason = models.CharField(
        max_length=200, blank=True, help_text="Why it stays stale: a missing price, say."
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    rebuilt_at = models.DateTimeField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "market_type", "asset"], name="book_once_per_asset"),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="book_method_known"),
            models.CheckConstraint(condition=Q(step__gt=0), name="book_step_positive"),
        ]
        indexes = [
            models.Index(fields=["stale_from"], condition=Q(stale_from__isnull=False), name="book_stale")
        ]

    def __str__(self) -> str:
        return self.asset


class Valuation(OwnedModel):
    """A price that was used, pinned: of `asset` in `currency` for anything that happened in the hour `at`."""

    asset = models.CharField(max_length=20)
    currency = models.CharField(max_length=20)
    at = models.DateTimeField()
    price = MoneyField()
    source = models.CharField(max_length=80)
    source_at = models.DateTimeField(help_text="The moment the price is of.")
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["user", "asset", "currency", "at", "version"], name="valuation_pinned_once"
            ),
            models.CheckConstraint(condition=Q(price__gt=0), name="valuation_price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.asset}/{self.currency} {self.at:%Y-%m-%d %H}h"


class Position(AccountModel):
    """One flat-to-flat episode of a book. Natural key: the book and the opening fill."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="positions")
    opening_fill = models.ForeignKey(
        "orders.Fill", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    exchange = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40, help_text="Of the opening fill.")
    side = models.CharField(max_length=5, choices=PositionSide.choices)
    status = models.CharField(max_length=10, choices=PositionStatus.choices)
    entry_order_id = models.CharField(max_length=64)
    entry_price = MoneyField(null=True, blank=True, help_text="Null when nothing of it has a known cost.")
    quantity = MoneyField(help_text="Open now.")
    total_cost = MoneyField(help_text="Cost of the open quantity, without fees.")
    entered_quantity = MoneyField()
    entered_cost = MoneyField()
    exited_quantity = MoneyField(help_text="With known cost.")
    moved_quantity = MoneyField(help_text="Withdrawn from the book without being sold.")
    moved_cost = MoneyField()
    dust_quantity = MoneyField(help_text="Left below the step at the close.")
    unknown_quantity = MoneyField(help_text="Sold without ever having been seen bought.")
    unknown_proceeds = MoneyField()
    fees_paid = MoneyField(help_text="Entry and exit fees so far.")
    gross_pnl = MoneyField()
    net_pnl = MoneyField()
    leverage = models.IntegerField(default=1)
    margin_mode = models.CharField(max_length=20, blank=True)
    stop_loss_price = MoneyField(null=True, blank=True)
    take_profit_prices = models.JSONField(null=True, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    checkpoint = models.JSONField(
        null=True, blank=True, help_text="The book's state before it opened: where a late fact restarts."
    )
    engine_version = models.IntegerField()
    last_updated = models.DateTimeField(auto_now=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["book", "opening_fill"], name="position_once_per_opening_fill"),
            models.UniqueConstraint(
                fields=["book", "side"], condition=Q(status="OPEN"), name="position_one_open_per_book"
            ),
            models.CheckConstraint(condition=Q(side__in=PositionSide.values), name="position_side_known"),
            models.CheckConstraint(
                condition=Q(status__in=PositionStatus.values), name="position_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="OPEN", closed_at__isnull=True, quantity__gt=0)
                | (~Q(status="OPEN") & Q(closed_at__isnull=False, quantity=0)),
                name="position_open_xor_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-opened_at", "-id"], name="position_list"),
            models.Index(fields=["user"], condition=Q(status="OPEN"), name="position_open"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.status}"


class Trade(AccountModel):
    """One exit order of a position. Natural key: position, symbol, exit order, kind, and the first fill of its part
    (an order that fills again after very many others has one trade per part)."""

    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="trades")
    kind = models.CharField(max_length=5, choices=TradeKind.choices, default=TradeKind.TRADE)
    exchange = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40, help_text="Of the exit.")
    side = models.CharField(max_length=5, choices=PositionSide.choices)
    entry_order_id = models.CharField(max_length=64)
    entry_price = MoneyField(null=True, blank=True)
    entry_time = models.DateTimeField()
    entry_quantity = MoneyField()
    entry_fees = MoneyField()
    exit_order_id = models.CharField(max_length=64)
    first_exit_fill = models.ForeignKey(
        "orders.Fill", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    exit_price = MoneyField()
    exit_time = models.DateTimeField()
    exit_quantity = MoneyField(help_text="With known cost; unknown_quantity stands apart.")
    exit_fees = MoneyField()
    exit_type = models.CharField(max_length=12, choices=ExitType.choices)
    exit_reason = models.TextField(blank=True)
    cost = MoneyField()
    proceeds = MoneyField()
    gross_pnl = MoneyField()
    net_pnl = MoneyField()
    pnl_percentage = PercentField(null=True, blank=True)
    roi_percentage = PercentField(null=True, blank=True)
    hold_duration = models.DurationField()
    unknown_quantity = MoneyField()
    unknown_proceeds = MoneyField()
    stop_loss_price = MoneyField(null=True, blank=True)
    take_profit_prices = models.JSONField(null=True, blank=True)
    max_drawdown = MoneyField(null=True, blank=True)
    leverage = models.IntegerField(default=1)
    margin_mode = models.CharField(max_length=20, blank=True)
    strategy = models.CharField(max_length=60, blank=True)
    closes_position = models.BooleanField()
    engine_version = models.IntegerField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["position", "symbol", "exit_order_id", "kind", "first_exit_fill"],
                name="trade_once_per_exit_order",
            ),
            models.CheckConstraint(condition=Q(exit_type__in=ExitType.values), name="trade_exit_type_known"),
            models.CheckConstraint(condition=Q(kind__in=TradeKind.values), name="trade_kind_known"),
            models.CheckConstraint(
                condition=Q(gross_pnl=models.F("proceeds") - models.F("cost")), name="trade_gross_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(net_pnl=models.F("gross_pnl") - models.F("entry_fees") - models.F("exit_fees")),
                name="trade_net_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-exit_time", "-id"], condition=Q(kind="TRADE"), name="trade_list"),
            models.Index(fields=["account", "exit_time"], name="trade_of_account"),
            models.Index(fields=["account", "symbol", "exit_order_id"], name="trade_of_exit_order"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.exit_type} {self.net_pnl}"


class Allocation(AccountModel):
    """Which entry an exit consumed, and at what: the quantities of an exit fill's allocations sum to its quantity."""

    class Source(models.TextChoices):
        LOT = "LOT"
        DUST = "DUST"  # left over from an earlier episode
        UNKNOWN = "UNKNOWN"  # never seen bought: no cost, not in PnL

    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="allocations")
    sequence = models.IntegerField(help_text="Place among the parts of its exit fill.")
    source = models.CharField(max_length=8, choices=Source.choices)
    entry_fill = models.ForeignKey(
        "orders.Fill",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    exit_fill = models.ForeignKey(
        "orders.Fill", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    quantity = MoneyField()
    cost = MoneyField()
    proceeds = MoneyField()
    entry_fee = MoneyField()
    exit_fee = MoneyField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["trade", "exit_fill", "sequence"], name="allocation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="allocation_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.entry_fill_id} to {self.exit_fill_id}"


class Fee(AccountModel):
    """One per fill or withdrawal that cost something, in its own currency, with the value used."""

    fill = models.OneToOneField(
        "orders.Fill", on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+"
    )
    transfer = models.OneToOneField(
        "orders.Transfer", on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+"
    )
    exchange = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40, blank=True)
    exchange_order_id = models.CharField(max_length=64, blank=True)
    fee_amount = MoneyField()
    fee_currency = models.CharField(max_length=20)
    fee_type = models.CharField(max_length=12)
    transaction_type = models.CharField(max_length=12)
    value = MoneyField(
        null=True, help_text="In the reporting currency, at the price then; null while it has no price."
    )
    price = MoneyField(null=True)
    price_source = models.CharField(max_length=80, blank=True)
    fee_timestamp = models.DateTimeField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(fee_type__in=["MAKER", "TAKER", "FUNDING", "WITHDRAWAL", "CONVERSION"]),
                name="fee_type_known",
            ),
            models.CheckConstraint(
                condition=Q(transaction_type__in=["ORDER_FILL", "TRANSFER", "CONVERSION"]),
                name="fee_transaction_known",
            ),
            models.CheckConstraint(
                condition=Q(fill__isnull=True) ^ Q(transfer__isnull=True), name="fee_of_one_fact"
            ),
        ]
        indexes = [models.Index(fields=["account", "fee_timestamp"], name="fee_of_account")]

    def __str__(self) -> str:
        return f"{self.fee_amount} {self.fee_currency}"


class BookDay(AccountModel):
    """A book at a UTC day's end, on days it changed: what the unrealised PnL of any past day is computed from."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    quantity = MoneyField(help_text="Of known cost: the open position and dust.")
    cost = MoneyField()
    unknown_quantity = MoneyField(help_text="Paid in at unknown cost and not yet out.")
    gross_pnl = MoneyField(help_text="Realised on the day, coins spent on fees included.")
    fees = MoneyField(help_text="Of the day's entries and exits.")
    moved_quantity = MoneyField(help_text="Withdrawn at cost on the day.")
    moved_cost = MoneyField()

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["book", "day"], name="book_day_once")]

    def __str__(self) -> str:
        return f"{self.book_id} {self.day}"


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
    is_final = models.BooleanField(help_text="The day is over and every price of it is its close.")
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

    snapshot = models.ForeignKey(PortfolioSnapshot, on_delete=models.CASCADE, related_name="assets")
    asset = models.CharField(max_length=20)
    quantity = MoneyField()
    price = MoneyField(null=True)
    price_source = models.CharField(max_length=80, blank=True)
    value = MoneyField(null=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["snapshot", "asset"], name="asset_snapshot_once")]

    def __str__(self) -> str:
        return f"{self.asset} {self.quantity}"


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
