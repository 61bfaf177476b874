"""What books are folded into: positions, trades, allocations and the lots that moved.

A row hangs on its parent by the parent's id and user in one foreign key, and on an account of that user by another.
Where a book is of one account, so are its rows; those of a pool are of the account of the fill that opened the
position, or that began the exit. An allocation is of its trade's account, a lot that moved of its book's.
"""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField, PercentField
from core.django.tenancy import AccountModel
from portfolio.models.books import Book
from portfolio.models.enums import ExitType, PositionSide, PositionStatus, TradeKind

# Longs of all that is valued in money, and shorts of what is valued in its own coin.
_GAINS_BY_RISE = Q(side=PositionSide.LONG, is_inverse=False) | Q(side=PositionSide.SHORT, is_inverse=True)


class Position(AccountModel):
    """One flat-to-flat episode of a book. Natural key: the book and the opening fill."""

    book = models.ForeignKey(
        Book, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="positions"
    )
    market_type = models.CharField(max_length=10, default="spot", db_default="spot")
    settle_asset = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of contracts: what costs are in."
    )
    is_inverse = models.BooleanField(default=False, db_default=False)
    opening_fill = models.ForeignKey(
        "orders.Fill",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    opening_transfer = models.ForeignKey(
        "orders.Transfer",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        help_text="Instead of a fill: coins that came in at a known cost.",
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
    funding = MoneyField(default=0, db_default=0, help_text="Of contracts: received less paid so far.")
    settled_pnl = MoneyField(null=True, blank=True, help_text="Of contracts: gross in the settle asset.")
    exchange_pnl = MoneyField(
        null=True,
        blank=True,
        help_text="Of contracts: the exchange's own gross in the settle asset, where told.",
    )
    leverage = models.IntegerField(
        null=True, blank=True, default=1, help_text="Null where the exchange did not tell a contract's."
    )
    margin_mode = models.CharField(max_length=20, blank=True)
    stop_loss_price = MoneyField(null=True, blank=True)
    take_profit_prices = models.JSONField(null=True, blank=True)
    strategy = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Of the opening order."
    )
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
                fields=["book", "opening_transfer"],
                condition=Q(opening_transfer__isnull=False),
                name="position_once_per_opening_transfer",
            ),
            models.CheckConstraint(
                condition=Q(opening_fill__isnull=False, opening_transfer__isnull=True)
                | Q(opening_fill__isnull=True, opening_transfer__isnull=False),
                name="position_opened_by_one_fact",
            ),
            models.UniqueConstraint(fields=["user", "id"], name="position_owner_key"),
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
            models.Index(
                fields=["user", "-closed_at", "-id"],
                condition=Q(closed_at__isnull=False),
                name="position_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.status}"


class Trade(AccountModel):
    """One exit order of a position. Natural key: position, kind, and the first fill of its part, which tells symbol and
    order (an order that fills again after very many others has one trade per part)."""

    position = models.ForeignKey(
        Position, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="trades"
    )
    kind = models.CharField(max_length=5, choices=TradeKind.choices, default=TradeKind.TRADE)
    market_type = models.CharField(max_length=10, default="spot", db_default="spot")
    settle_asset = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of contracts."
    )
    is_inverse = models.BooleanField(default=False, db_default=False)
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
    cost = MoneyField(help_text="Entry value of what it closed.")
    proceeds = MoneyField(help_text="Exit value of the same.")
    gross_pnl = MoneyField()
    funding = MoneyField(
        default=0, db_default=0, help_text="Its share of what the position received less paid."
    )
    net_pnl = MoneyField()
    settled_pnl = MoneyField(null=True, blank=True, help_text="Of contracts: gross in the settle asset.")
    exchange_pnl = MoneyField(
        null=True,
        blank=True,
        help_text="Of contracts: the exchange's own gross in the settle asset, where told.",
    )
    pnl_percentage = PercentField(null=True, blank=True)
    roi_percentage = PercentField(null=True, blank=True)
    hold_duration = models.DurationField()
    unknown_quantity = MoneyField()
    unknown_proceeds = MoneyField()
    stop_loss_price = MoneyField(null=True, blank=True)
    take_profit_prices = models.JSONField(null=True, blank=True)
    leverage = models.IntegerField(
        null=True, blank=True, default=1, help_text="Null where the exchange did not tell a contract's."
    )
    margin_mode = models.CharField(max_length=20, blank=True)
    strategy = models.CharField(max_length=60, blank=True)
    closes_position = models.BooleanField()
    engine_version = models.IntegerField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["position", "first_exit_fill", "kind"], name="trade_once_per_first_fill"
            ),
            models.UniqueConstraint(fields=["user", "account", "id"], name="trade_owner"),
            models.CheckConstraint(condition=Q(exit_type__in=ExitType.values), name="trade_exit_type_known"),
            models.CheckConstraint(condition=Q(kind__in=TradeKind.values), name="trade_kind_known"),
            models.CheckConstraint(
                condition=Q(_GAINS_BY_RISE, gross_pnl=models.F("proceeds") - models.F("cost"))
                | Q(~_GAINS_BY_RISE, gross_pnl=models.F("cost") - models.F("proceeds")),
                name="trade_gross_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    net_pnl=models.F("gross_pnl")
                    - models.F("entry_fees")
                    - models.F("exit_fees")
                    + models.F("funding")
                ),
                name="trade_net_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(market_type="spot", side="LONG", funding=0) | ~Q(market_type="spot"),
                name="trade_of_spot_is_long",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-exit_time", "-id"], condition=Q(kind="TRADE"), name="trade_list"),
            models.Index(fields=["account", "exit_time"], name="trade_of_account"),
            models.Index(
                fields=["user", "strategy", "-exit_time", "-id"],
                condition=Q(kind="TRADE") & ~Q(strategy=""),
                name="trade_of_strategy",
            ),
            models.Index(fields=["account", "symbol", "exit_order_id"], name="trade_of_exit_order"),
            models.Index(
                fields=["account", "entry_time"],
                condition=Q(stop_loss_price__isnull=False),
                name="trade_with_stop",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.exit_type} {self.net_pnl}"


class Allocation(AccountModel):
    """Which entry an exit consumed, and at what: the quantities of an exit fill's allocations sum to its quantity."""

    class Source(models.TextChoices):
        LOT = "LOT"
        DUST = "DUST"  # left over from an earlier episode
        UNKNOWN = "UNKNOWN"  # never seen bought: no cost, not in PnL
        # Entries without a fill, each with its `entry_transfer`:
        AIRDROP = "AIRDROP"
        INTEREST = "INTEREST"
        STATED = "STATED"  # a deposit whose cost the user stated
        TRANSFER = "TRANSFER"  # came from another account of the user's, with its cost

    trade = models.ForeignKey(
        Trade, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="allocations"
    )
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
    entry_transfer = models.ForeignKey(
        "orders.Transfer",
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


class MovedLot(AccountModel):
    """A part of what a withdrawal took out of a book, and what it cost: what a transfer carries into another account.

    The parts of a withdrawal sum to what left with a known or unknown cost; more may have left than was ever seen.
    """

    book = models.ForeignKey(
        Book, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="moved_lots"
    )
    transfer = models.ForeignKey(
        "orders.Transfer", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    sequence = models.IntegerField()
    source = models.CharField(max_length=8, choices=Allocation.Source.choices)
    entry_fill = models.ForeignKey(
        "orders.Fill",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    entry_transfer = models.ForeignKey(
        "orders.Transfer",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    quantity = MoneyField()
    cost = MoneyField(help_text="0 where it is unknown.")
    entry_fee = MoneyField()
    entered_at = models.DateTimeField(help_text="When the coins were bought, wherever that was.")
    moved_at = models.DateTimeField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["transfer", "sequence"], name="moved_lot_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="moved_lot_quantity_positive"),
        ]
        indexes = [models.Index(fields=["book", "moved_at"], name="moved_lot_of_book")]

    def __str__(self) -> str:
        return f"{self.quantity} with {self.transfer_id}"
