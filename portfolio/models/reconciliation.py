"""Differences between what an exchange reports and what its facts give."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel
from portfolio.accounting.causes import Cause


class ItemKind(models.TextChoices):
    BALANCE = "balance"
    POSITION = "position"
    RESIDUAL = "residual"
    SHORTFALL = "shortfall"  # facts give less than nothing, and nobody reports what is held


class ItemState(models.TextChoices):
    OPEN = "open"
    EXPLAINED = "explained"
    DISMISSED = "dismissed"


class ReconciliationItem(AccountModel):
    """One difference, from when it was found until later facts explain it. Dismissed, it stays so while it does not
    change. What comes back after it was explained is a new item."""

    kind = models.CharField(max_length=10, choices=ItemKind.choices)
    subject = models.CharField(
        max_length=40, help_text="The asset; of positions the contract, of residuals the day."
    )
    side = models.CharField(max_length=5, blank=True, help_text="Of positions.")
    reported = MoneyField(help_text="Of residuals: the day's change in equity.")
    computed = MoneyField(help_text="Of residuals: what of it is known.")
    difference = MoneyField(help_text="Reported less computed.")
    value = MoneyField(
        null=True, blank=True, help_text="Of the difference, in the reporting currency; null without a price."
    )
    reported_at = models.DateTimeField(help_text="The moment the report is of.")
    diverged_from = models.DateTimeField(
        null=True, blank=True, help_text="Report and facts agreed up to here; null: never as far as is known."
    )
    diverged_to = models.DateTimeField(null=True, blank=True, help_text="By then they differed.")
    cause = models.CharField(
        max_length=20,
        choices=[(one.value, one.name.replace("_", " ").title()) for one in Cause],
        default=Cause.UNKNOWN,
    )
    evidence = models.JSONField(default=list, help_text="Sentences.")
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.OPEN)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was dismissed.")
    explanation = models.CharField(max_length=500, blank=True, help_text="What explained it.")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "subject", "side"],
                condition=~Q(state="explained"),
                name="reconciliation_item_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=ItemKind.values), name="reconciliation_kind_known"),
            models.CheckConstraint(
                condition=Q(cause__in=[one.value for one in Cause]), name="reconciliation_cause_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ItemState.values), name="reconciliation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(difference=models.F("reported") - models.F("computed")),
                name="reconciliation_difference_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True)
                | (~Q(state="open") & Q(resolved_at__isnull=False)),
                name="reconciliation_open_xor_resolved",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-opened_at", "-id"], name="reconciliation_list"),
            models.Index(fields=["account"], condition=Q(state="open"), name="reconciliation_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.difference}"
