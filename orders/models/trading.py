"""Orders and their executions, and whose strategy they are."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel, OwnedModel


class Side(models.TextChoices):
    BUY = "BUY"
    SELL = "SELL"


class PositionSide(models.TextChoices):
    """Which position of a contract an order or fill belongs to; BOTH: the one signed position of one-way mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class StrategySource(models.TextChoices):
    """Who said which strategy an order belongs to; the later in this list is not overruled by the earlier."""

    PREFIX = "prefix"  # a rule of the user's, by client order id
    BOT = "bot"  # whoever placed it
    USER = "user"  # the user's tag on this order


class Linking(models.TextChoices):
    """How we know that an order belongs to a group."""

    EXCHANGE = "exchange"
    CLIENT_ID = "client_id"
    INFERRED = "inferred"
    IMPORT = "import"  # as the system kept it that the order was imported from


class Fact(AccountModel):
    """What every stored fact carries: the exchange's own object, and the run that brought it."""

    raw = models.JSONField()
    source = models.CharField(max_length=40, help_text="sync, or the import it came by.")
    run_id = models.BigIntegerField(null=True, blank=True, help_text="The sync run that brought it first.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AccountModel.Meta):
        abstract = True


class Order(Fact):
    """Upserted monotonically: a newer or final state is never overwritten by an older one."""

    market_type = models.CharField(max_length=10, default="spot")
    symbol = models.CharField(max_length=40)
    exchange_order_id = models.CharField(max_length=64)
    client_order_id = models.CharField(max_length=100, blank=True)
    order_list_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=4, choices=Side.choices)
    type = models.CharField(max_length=30)
    status = models.CharField(max_length=20)
    price = MoneyField(null=True, blank=True)
    stop_price = MoneyField(null=True, blank=True)
    quantity = MoneyField()
    executed_quantity = MoneyField(default=0)
    executed_quote_quantity = MoneyField(default=0)
    time_in_force = models.CharField(max_length=10, blank=True)
    position_side = models.CharField(
        max_length=5,
        choices=PositionSide.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Of contracts.",
    )
    reduce_only = models.BooleanField(default=False, db_default=False)
    placed_order_id = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of a conditional order that fired: the order it placed, which has the fills.",
    )
    role = models.CharField(max_length=10, blank=True, help_text="ENTRY, TP1…TPn, SL, or empty.")
    group_id = models.CharField(max_length=100, blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="legs"
    )
    linked_by = models.CharField(max_length=10, choices=Linking.choices, blank=True)
    strategy = models.CharField(max_length=60, blank=True)
    strategy_by = models.CharField(
        max_length=10, choices=StrategySource.choices, blank=True, default="", db_default=""
    )
    note = models.TextField(blank=True)
    tags = models.JSONField(default=list, db_default=[], blank=True)
    ordered_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, blank=True)
    exchange_updated_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "market_type", "symbol", "exchange_order_id"],
                name="order_once_per_exchange_id",
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="order_side_known"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0) & Q(executed_quantity__gte=0),
                name="order_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(executed_quantity__lte=models.F("quantity")) | Q(quantity=0),
                name="order_not_overfilled",
            ),
            models.CheckConstraint(
                condition=Q(strategy_by__in=["", *StrategySource.values]), name="order_strategy_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-ordered_at", "-id"], name="order_list"),
            models.Index(
                fields=["account", "symbol"],
                condition=Q(status__in=["NEW", "PARTIALLY_FILLED"]),
                name="order_open",
            ),
            models.Index(fields=["account", "group_id"], condition=~Q(group_id=""), name="order_group"),
            models.Index(
                fields=["account", "placed_order_id"], condition=~Q(placed_order_id=""), name="order_placed"
            ),
            models.Index(fields=["account", "updated_at"], name="order_changed"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="order_legs"),
            models.Index(
                fields=["user", "-ordered_at", "-id"],
                condition=Q(role="ENTRY") | (~Q(role="") & Q(parent__isnull=True)),
                name="order_bracket",
            ),
            models.Index(
                fields=["user", "strategy", "-ordered_at", "-id"],
                condition=~Q(strategy=""),
                name="order_of_strategy",
            ),
            models.Index(fields=["user"], condition=~Q(tags=[]), name="order_tagged"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.exchange_order_id}"


class StrategyPrefix(OwnedModel):
    """A user's rule: orders whose client order id begins with `prefix` are of `strategy`; the longest prefix wins."""

    prefix = models.CharField(max_length=100)
    strategy = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["user", "prefix"], name="strategy_prefix_once"),
            models.CheckConstraint(condition=~Q(prefix=""), name="strategy_prefix_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… → {self.strategy}"


class Fill(Fact):
    """One execution; append-only. `fee_amount` ≥ 0 is a cost, < 0 a rebate, in `fee_currency`.

    Of a contract, `quantity` is in its base asset (linear) or its quote asset (inverse).
    """

    market_type = models.CharField(max_length=10, default="spot")
    symbol = models.CharField(max_length=40, help_text="As on the wire.")
    pair = models.ForeignKey(
        "marketdata.Symbol", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    base_asset = models.CharField(max_length=20)
    quote_asset = models.CharField(max_length=20)
    exchange_fill_id = models.CharField(max_length=64)
    exchange_order_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4, choices=Side.choices)
    price = MoneyField()
    quantity = MoneyField()
    quote_quantity = MoneyField()
    fee_amount = MoneyField()
    fee_currency = models.CharField(max_length=20)
    is_maker = models.BooleanField()
    is_conversion = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Changed outside the order book; no order stands behind it.",
    )
    position_side = models.CharField(
        max_length=5,
        choices=PositionSide.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Of contracts, as the four below.",
    )
    settle_asset = models.CharField(max_length=20, blank=True, default="", db_default="")
    is_inverse = models.BooleanField(default=False, db_default=False)
    realized_pnl = MoneyField(
        null=True,
        blank=True,
        help_text="The exchange's own, before fees, in the settle asset: a second opinion.",
    )
    is_liquidation = models.BooleanField(default=False, db_default=False)
    is_inferred = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Stands for what an order executed, as long as its executions are not known.",
    )
    executed_at = models.DateTimeField()

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "market_type", "symbol", "exchange_fill_id"],
                name="fill_once_per_exchange_id",
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="fill_side_known"),
            models.CheckConstraint(
                condition=Q(market_type="spot", position_side="", settle_asset="")
                | (~Q(market_type="spot") & ~Q(position_side="") & ~Q(settle_asset="")),
                name="fill_of_contract_says_which",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) & Q(price__gte=0) & Q(quote_quantity__gte=0),
                name="fill_amounts_positive",
            ),
        ]
        indexes = [
            models.Index(
                "account",
                "executed_at",
                Length("exchange_fill_id"),
                "exchange_fill_id",
                name="fill_fold_order",
            ),
            models.Index(fields=["user", "-executed_at", "-id"], name="fill_list"),
            models.Index(fields=["account", "symbol", "exchange_order_id"], name="fill_of_order"),
            models.Index(
                fields=["account", "symbol", "position_side", "executed_at"],
                condition=~Q(market_type="spot"),
                name="fill_of_contract",
            ),
            models.Index(
                fields=["account", "symbol", "exchange_order_id"],
                condition=Q(is_inferred=True),
                name="fill_inferred",
            ),
            models.Index(fields=["account"], condition=Q(raw__has_key="lines"), name="fill_of_file"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.quantity} @ {self.price}"
