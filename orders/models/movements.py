"""Money that came, went or moved without a trade, and what users say of it."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel, OwnedModel
from orders.models.trading import Fact, PositionSide


class FundingPayment(Fact):
    """What a contract position received (> 0) or paid (< 0) for being held; append-only."""

    symbol = models.CharField(max_length=40)
    exchange_payment_id = models.CharField(max_length=100)
    position_side = models.CharField(max_length=5, choices=PositionSide.choices)
    asset = models.CharField(max_length=20)
    amount = MoneyField()
    rate = MoneyField(null=True, blank=True)
    quantity = MoneyField(null=True, blank=True, help_text="The position it was paid on.")
    paid_at = models.DateTimeField()

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "symbol", "exchange_payment_id"], name="funding_once_per_exchange_id"
            ),
            models.CheckConstraint(
                condition=Q(position_side__in=PositionSide.values), name="funding_side_known"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "symbol", "paid_at"], name="funding_of_contract"),
            models.Index(fields=["user", "-paid_at", "-id"], name="funding_list"),
            models.Index(fields=["account", "paid_at"], name="funding_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.amount} {self.asset}"


class TransferKind(models.TextChoices):
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    INTERNAL = "INTERNAL"  # between wallets of the account
    REBATE = "REBATE"  # paid by the exchange outside fills
    CHARGE = "CHARGE"  # taken by the exchange outside fills and withdrawals
    AIRDROP = "AIRDROP"  # coins given; they cost what they were worth then
    INTEREST = "INTEREST"  # earned by lending or staking; the same


class Transfer(Fact):
    """Money that came, went or changed wallets without a trade; its state changes until it is final."""

    kind = models.CharField(max_length=12, choices=TransferKind.choices)
    exchange_transfer_id = models.CharField(max_length=100)
    asset = models.CharField(max_length=20)
    amount = MoneyField()
    fee_amount = MoneyField(default=0, help_text="In the same asset, on top of the amount.")
    network = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=200, blank=True)
    tx_id = models.CharField(max_length=200, blank=True)
    from_wallet = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of internal transfers, as the next."
    )
    to_wallet = models.CharField(max_length=20, blank=True, default="", db_default="")
    status = models.CharField(max_length=10)
    occurred_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "exchange_transfer_id"], name="transfer_once_per_exchange_id"
            ),
            models.UniqueConstraint(fields=["user", "id"], name="transfer_owner"),
            models.CheckConstraint(
                condition=Q(amount__gte=0) & Q(fee_amount__gte=0), name="transfer_amounts_not_negative"
            ),
            models.CheckConstraint(condition=Q(kind__in=TransferKind.values), name="transfer_kind_known"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "success", "failed", "unknown"]),
                name="transfer_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "asset", "occurred_at"], name="transfer_of_asset"),
            models.Index(fields=["user", "kind", "-occurred_at", "-id"], name="transfer_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.asset}"


class StatedCost(AccountModel):
    """What the user says a deposit cost: no fact of the exchange's, so it stands beside the deposit."""

    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, db_constraint=False, related_name="stated_cost"
    )
    cost = MoneyField(help_text="Of the whole amount, in the reporting currency, without fees.")
    note = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(cost__gte=0), name="stated_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.cost} for {self.transfer_id}"


class OwnTransfer(OwnedModel):
    """A withdrawal that is a deposit into another account of the same user: its coins keep their cost."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    class MatchedBy(models.TextChoices):
        TX_ID = "tx_id"
        AMOUNT = "amount"
        HAND = "hand"

    outgoing = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    incoming = models.ForeignKey(Transfer, on_delete=models.PROTECT, db_constraint=False, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices)
    matched_by = models.CharField(max_length=10, choices=MatchedBy.choices)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["outgoing", "incoming"], name="own_transfer_once"),
            models.UniqueConstraint(
                fields=["outgoing"], condition=Q(state="confirmed"), name="own_transfer_leaves_once"
            ),
            models.UniqueConstraint(
                fields=["incoming"], condition=Q(state="confirmed"), name="own_transfer_arrives_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "confirmed", "rejected"]), name="own_transfer_state_known"
            ),
            models.CheckConstraint(
                condition=Q(matched_by__in=["tx_id", "amount", "hand"]), name="own_transfer_match_known"
            ),
        ]
        indexes = [models.Index(fields=["user", "state", "id"], name="own_transfer_list")]

    def __str__(self) -> str:
        return f"{self.outgoing_id} → {self.incoming_id} {self.state}"
