"""How far what hangs on an account's facts, beside its books, has followed them."""

from django.db import models

from core import clock
from core.django.tenancy import AccountModel


class AccountMark(AccountModel):
    """One row per account: what is left to do, so that a look at what changed need not look at everything."""

    orders_to = models.DateTimeField(
        default=clock.EPOCH, help_text="What orders written before it say has reached positions and trades."
    )
    fees_from = models.DateTimeField(
        null=True, blank=True, help_text="The earliest fact whose fee may not be kept as it should be."
    )
    folded_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="From when on rows were folded whose orders, leverage and excursions were not looked at since.",
    )
    heard_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the exchange told its balances last, the same ones again included.",
    )
    coverage = models.JSONField(
        default=list,
        db_default=models.Value([], output_field=models.JSONField()),
        help_text="What is not known of its history, in codes.",
    )
    reconciled_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When reports and facts were held against each other; null: what came since waits for it.",
    )
    compared_at = models.DateTimeField(
        null=True, blank=True, help_text="The same, last, also while something waits since."
    )

    excursions_from = models.DateTimeField(
        null=True,
        default=clock.EPOCH,
        db_default=clock.EPOCH,
        help_text="The earliest exit whose excursions may not be looked at yet.",
    )
    excursions_told = models.BigIntegerField(
        default=0, db_default=0, help_text="How often something was told of excursions."
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="mark_once_per_account")]

    def __str__(self) -> str:
        return f"{self.orders_to} {self.fees_from}"
