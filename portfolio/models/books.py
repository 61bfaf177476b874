"""Books, their days, and the prices they pinned."""

from django.db import models
from django.db.models import Q

from core.django.fields import MoneyField
from core.django.tenancy import AccountModel, OwnedModel
from credentials.models import Mode
from portfolio.models.enums import Method


class Book(AccountModel):
    """The inventory of one asset, or one contract's position, in one account: what makes one new fill cheap. Or, as
    `pool` says, of one asset in all accounts of a mode; the book of an account then stands by, empty (`pools`).

    `state` is the engine's tail after the last folded fact; `stale_from` the time of the earliest fact not folded.
    """

    pool = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="The mode of the accounts whose coins it holds together; empty: those of its account alone.",
    )
    market_type = models.CharField(max_length=10, default="spot")
    asset = models.CharField(max_length=40, help_text="Of contracts, the symbol.")
    side = models.CharField(
        max_length=5,
        blank=True,
        default="",
        db_default="",
        help_text="Of contracts: BOTH in one-way mode, LONG or SHORT in hedge mode.",
    )
    currency = models.CharField(max_length=20)
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.AVERAGE)
    settle_asset = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of contracts."
    )
    is_inverse = models.BooleanField(default=False, db_default=False)
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
            models.UniqueConstraint(
                fields=["account", "market_type", "asset", "side"],
                condition=Q(pool=""),
                name="book_once_per_asset",
            ),
            models.UniqueConstraint(
                fields=["user", "pool", "asset"], condition=~Q(pool=""), name="book_once_per_pool"
            ),
            models.UniqueConstraint(fields=["user", "account", "id"], name="book_owner"),
            models.UniqueConstraint(fields=["user", "id"], name="book_owner_key"),
            models.CheckConstraint(condition=Q(pool__in=["", *Mode.values]), name="book_pool_known"),
            models.CheckConstraint(
                condition=Q(pool="") | Q(market_type="spot"), name="book_pool_is_of_coins"
            ),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="book_method_known"),
            models.CheckConstraint(condition=Q(step__gt=0), name="book_step_positive"),
        ]
        indexes = [
            models.Index(fields=["stale_from"], condition=Q(stale_from__isnull=False), name="book_stale")
        ]

    def __str__(self) -> str:
        return self.asset


class BookDay(AccountModel):
    """A book at a UTC day's end, on days it changed: what the unrealised PnL of any past day is computed from."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, db_index=False, related_name="days")
    day = models.DateField()
    quantity = MoneyField(help_text="Of known cost: the open position and dust; of contracts, signed.")
    cost = MoneyField(help_text="Of contracts: entry value in the settle asset.")
    unknown_quantity = MoneyField(help_text="Paid in at unknown cost and not yet out.")
    gross_pnl = MoneyField(help_text="Realised on the day, coins spent on fees included.")
    fees = MoneyField(help_text="Of the day's entries and exits.")
    moved_quantity = MoneyField(help_text="Withdrawn at cost on the day.")
    moved_cost = MoneyField()
    funding = MoneyField(default=0, db_default=0, help_text="Of contracts: of the day, received less paid.")
    unsettled = MoneyField(
        default=0,
        db_default=0,
        help_text="Of contracts: realised by the book's method and not yet settled by the exchange, in settle asset.",
    )
    untold = MoneyField(
        default=0,
        db_default=0,
        help_text="Of contracts: the day's gross, in settle asset, of fills whose profit the exchange does not tell.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["book", "day"], name="book_day_once")]

    def __str__(self) -> str:
        return f"{self.book_id} {self.day}"


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
