"""Users. An identity table: outside row-level security, looked up by exact key only."""

import uuid
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from core.django import actors

COST_METHODS: Final = ("average", "fifo", "lifo", "hifo")
COST_SCOPES: Final = ("account", "all")


class UserManager(BaseUserManager["User"]):
    """Everybody, the soft-deleted included; look-ups for log-in go through `get_by_natural_key`."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, is_verified=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The living user of an e-mail, by the index that keeps e-mails unique (`iexact` would not use it)."""
        return self.alias(key=Lower("email")).get(key=Lower(models.Value(username)), is_deleted=False)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Log-in is by e-mail, unique by lower case among the living; deletion is a flag."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=150)
    date_of_birth = models.DateTimeField(null=True, blank=True)
    is_deleted = models.BooleanField(default=False)
    is_verified = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    password_updated_at = models.DateTimeField(null=True, blank=True)
    pending_email = models.EmailField(
        max_length=254, blank=True, help_text="The address a change waits for: it is confirmed by mail."
    )
    secret_token = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        unique=True,
        help_text="SHA-256 of the one-time token last mailed.",
    )
    secret_token_created_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    reporting_currency = models.CharField(max_length=20, default="USDT")
    cost_method = models.CharField(
        max_length=10, default="average", choices=[(name, name) for name in COST_METHODS]
    )
    cost_scope = models.CharField(
        max_length=10,
        default="account",
        db_default="account",
        choices=[(name, name) for name in COST_SCOPES],
        help_text="Whose purchases a sale may consume: its account's, or those of all accounts of its mode.",
    )
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="Last request, kept to the minute: sets the sync pace."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=models.Q(is_deleted=False),
                name="user_email_unique_among_the_living",
            ),
            models.CheckConstraint(
                condition=models.Q(cost_method__in=COST_METHODS), name="user_cost_method_known"
            ),
            models.CheckConstraint(
                condition=models.Q(cost_scope__in=COST_SCOPES), name="user_cost_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Ascribed to the current actor, also where Django itself saves: createsuperuser, changepassword."""
        with actors.stamped():
            super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
