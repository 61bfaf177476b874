"""Exchange accounts, the lasting thing a history hangs on, and their replaceable keys."""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

from core.django.tenancy import AccountModel, OwnedModel


class Exchange(models.TextChoices):
    """A closed list; to connect an exchange there must be an adapter (exchanges.registry). `FILES` stands for places
    that we do not speak to: what is known of them came in files. The last two are data sources: they have a key, but
    neither secret nor trades."""

    BINANCE = "binance"
    BITGET = "bitget"
    GATEIO = "gateio", "Gate.io"
    MEXC = "mexc", "MEXC"
    FILES = "files"
    ALPHA_VANTAGE = "alpha_vantage"
    FRED = "fred", "FRED"


DATA_SOURCES: Final = frozenset({Exchange.ALPHA_VANTAGE.value, Exchange.FRED.value})


class Mode(models.TextChoices):
    LIVE = "live"
    DEMO = "demo"


class KeyState(models.TextChoices):
    """What the exchange said of the key last."""

    UNCHECKED = "unchecked"
    GOOD = "good"
    FAILING = "failing"  # refused once: asked again before it is disabled
    DISABLED = "disabled"  # refused twice in a row


class ExchangeAccount(OwnedModel):
    """An account at an exchange. Its id is the id of `/api-credentials`; closing it keeps its history."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exchange = models.CharField(max_length=20, choices=Exchange.choices)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.LIVE)
    label = models.CharField(max_length=100)
    exchange_uid = models.CharField(
        max_length=64, blank=True, help_text="The exchange's own id, from the first key check."
    )
    is_active = models.BooleanField(default=True)
    key_state = models.CharField(max_length=12, choices=KeyState.choices, default=KeyState.UNCHECKED)
    key_note = models.CharField(
        max_length=300, blank=True, help_text="What to know or do about the key, in words."
    )
    can_trade = models.BooleanField(null=True, blank=True)
    ip_restricted = models.BooleanField(null=True, blank=True)
    maker_commission = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    taker_commission = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    permissions = models.JSONField(default=list, blank=True)
    account_type = models.CharField(max_length=40, blank=True, help_text="How the exchange calls its mode.")
    moved_to = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The account that this one's key turned out to belong to, and that goes on with it.",
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["user", "id"], name="account_owner_key"),
            models.UniqueConstraint(
                fields=["user", "label"],
                condition=Q(is_active=True),
                name="account_label_unique_among_the_living",
            ),
            models.UniqueConstraint(
                fields=["user", "exchange", "mode", "exchange_uid"],
                condition=~Q(exchange_uid=""),
                name="account_exchange_uid_once",
            ),
            models.CheckConstraint(condition=Q(exchange__in=Exchange.values), name="account_exchange_known"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="account_mode_known"),
            models.CheckConstraint(
                condition=Q(key_state__in=KeyState.values), name="account_key_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_data_source(self) -> bool:
        """It has a key and nothing else: neither checked nor synced."""
        return self.exchange in DATA_SOURCES


class ApiCredential(AccountModel):
    """The current key of an account, sealed (core.vault). Closing the account destroys the ciphertext."""

    SEALED: ClassVar = ("api_key", "secret_key", "passphrase")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.TextField()
    secret_key = models.TextField(blank=True)
    passphrase = models.TextField(blank=True)
    api_key_hint = models.CharField(max_length=8, help_text="The key's last four characters.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="credential_one_per_account")]

    def __str__(self) -> str:
        return f"…{self.api_key_hint}"
