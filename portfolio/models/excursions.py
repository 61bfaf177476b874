"""How far a trade went against its owner, and for, while it was held."""

from django.db import models

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel
from portfolio.models.trades import Trade


class Excursion(AccountModel):
    """Worst and best unrealised result of the quantity a trade closed, from candles of its holding time.

    Kept beside the trade: a fold does not write it, and times, price and quantity tell whether it is still of the trade
    as it is. A fold removes trades and knows nothing of this table: what was of one that is gone goes with the next
    refresh. Null with a reason where candles do not say.
    """

    trade = models.OneToOneField(
        Trade, on_delete=models.CASCADE, db_constraint=False, related_name="excursion"
    )
    entry_time = models.DateTimeField(help_text="Of the trade it was computed for, as the three below.")
    exit_time = models.DateTimeField()
    entry_price = MoneyField(null=True)
    quantity = MoneyField()
    max_drawdown = MoneyField(null=True, help_text="Maximum adverse excursion: zero or less.")
    max_runup = MoneyField(null=True, help_text="Maximum favourable excursion: zero or more.")
    interval = models.CharField(max_length=4, blank=True, help_text="Of the candles.")
    source = models.CharField(max_length=80, blank=True, help_text="Whose candles.")
    reason = models.CharField(max_length=30, blank=True, help_text="Why there is none.")
    computed_at = models.DateTimeField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_drawdown__isnull=True, max_runup__isnull=True)
                | models.Q(
                    max_drawdown__isnull=False, max_runup__isnull=False, max_drawdown__lte=0, max_runup__gte=0
                ),
                name="excursion_from_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.max_drawdown} … {self.max_runup}"
