"""Orders, fills and transfers as the exchange reported them: the truth everything else is projected from."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel


class Side(models.TextChoices):
    BUY = "BUY"
    SELL = "SELL"


class Linking(models.TextChoices):
    """How we know that an order belongs to a group."""

    EXCHANGE = "exchange"
    CLIENT_ID = "client_id"
    INFERRED = "inferred"


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
    role = models.CharField(max_length=10, blank=True, help_text="ENTRY, TP1…TPn, SL, or empty.")
    group_id = models.CharField(max_length=100, blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="legs"
    )
    linked_by = models.CharField(max_length=10, choices=Linking.choices, blank=True)
    strategy = models.CharField(max_length=60, blank=True)
    note = models.TextField(blank=True)
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
        ]
        indexes = [
            models.Index(fields=["user", "-ordered_at", "-id"], name="order_list"),
            models.Index(
                fields=["account", "symbol"],
                condition=Q(status__in=["NEW", "PARTIALLY_FILLED"]),
                name="order_open",
            ),
            models.Index(fields=["account", "group_id"], condition=~Q(group_id=""), name="order_group"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.exchange_order_id}"


class Fill(Fact):
    """One execution; append-only. `fee_amount` ≥ 0 is a cost, < 0 a rebate, in `fee_currency`."""

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
    executed_at = models.DateTimeField()

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "market_type", "symbol", "exchange_fill_id"],
                name="fill_once_per_exchange_id",
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="fill_side_known"),
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
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.quantity} @ {self.price}"


class Transfer(Fact):
    """A deposit or withdrawal; its state changes until it is final."""

    kind = models.CharField(max_length=12, choices=[("DEPOSIT", "deposit"), ("WITHDRAWAL", "withdrawal")])
    exchange_transfer_id = models.CharField(max_length=100)
    asset = models.CharField(max_length=20)
    amount = MoneyField()
    fee_amount = MoneyField(default=0, help_text="In the same asset, on top of the amount.")
    network = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=200, blank=True)
    tx_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10)
    occurred_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "exchange_transfer_id"], name="transfer_once_per_exchange_id"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0) & Q(fee_amount__gte=0), name="transfer_amounts_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "success", "failed", "unknown"]),
                name="transfer_status_known",
            ),
        ]
        indexes = [models.Index(fields=["account", "asset", "occurred_at"], name="transfer_of_asset")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.asset}"
