"""What was paid for trading, moving and holding."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel


class Fee(AccountModel):
    """One per fill, withdrawal or funding payment that cost something (< 0: brought it), in its own currency, with the
    value used. Funding is listed, and in no total of fees."""

    fill = models.OneToOneField(
        "orders.Fill", on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+"
    )
    transfer = models.ForeignKey(
        "orders.Transfer",
        on_delete=models.CASCADE,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    funding = models.ForeignKey(
        "orders.FundingPayment",
        on_delete=models.CASCADE,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
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
            # Of those that have one: hardly any fee is a transfer's.
            models.UniqueConstraint(
                fields=["transfer"], condition=Q(transfer__isnull=False), name="portfolio_fee_transfer_id_key"
            ),
            models.UniqueConstraint(
                fields=["funding"], condition=Q(funding__isnull=False), name="portfolio_fee_funding_id_key"
            ),
            models.CheckConstraint(
                condition=Q(fee_type__in=["MAKER", "TAKER", "FUNDING", "WITHDRAWAL", "CONVERSION"]),
                name="fee_type_known",
            ),
            models.CheckConstraint(
                condition=Q(transaction_type__in=["ORDER_FILL", "TRANSFER", "CONVERSION"]),
                name="fee_transaction_known",
            ),
            models.CheckConstraint(
                condition=Q(fill__isnull=False, transfer__isnull=True, funding__isnull=True)
                | Q(fill__isnull=True, transfer__isnull=False, funding__isnull=True)
                | Q(fill__isnull=True, transfer__isnull=True, funding__isnull=False),
                name="fee_of_one_fact",
            ),
            models.CheckConstraint(
                condition=Q(fee_type="FUNDING", funding__isnull=False)
                | (~Q(fee_type="FUNDING") & Q(funding__isnull=True)),
                name="fee_funding_is_told_apart",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "fee_timestamp"], name="fee_of_account"),
            models.Index(fields=["user", "-fee_timestamp", "-id"], name="fee_list"),
            models.Index(
                fields=["account", "fee_timestamp"], condition=Q(value__isnull=True), name="fee_without_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fee_amount} {self.fee_currency}"
