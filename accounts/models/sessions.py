"""Log-ins and what opens them. Identity tables: outside row-level security, looked up by exact key only."""

import uuid

from django.db import models

from accounts.models.users import User


class Session(models.Model):
    """One log-in: a family of refresh tokens. Access tokens carry its id and die with it."""

    class Kind(models.TextChoices):
        API = "api"
        PAGE = "page"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.API)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    stepped_up_at = models.DateTimeField(
        null=True, blank=True, help_text="When password and second factor were last shown."
    )
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Kept to the minute.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="The absolute end, however often the session is refreshed.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["api", "page"]), name="session_kind_known")
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A single-use token; only its hash is stored. Using one twice kills its session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="tokens")
    parent = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="child"
    )
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.id)


class LogInAttempts(models.Model):
    """Failed log-ins of one account or address, counted before the password is looked at."""

    key = models.CharField(
        primary_key=True, max_length=80, help_text="`account:` and the e-mail's hash, or `address:` and it."
    )
    count = models.PositiveIntegerField()
    window_started_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "log-in attempts"

    def __str__(self) -> str:
        return self.key


class TwoFactor(models.Model):
    """A user's authenticator app (RFC 6238). The secret is sealed (core.vault)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="two_factor")
    secret = models.TextField()
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="Asked for from then on.")
    last_step = models.BigIntegerField(
        default=0, help_text="The time step of the last code: each works once."
    )
    created_at = models.DateTimeField()

    SEALED = ("secret",)

    def __str__(self) -> str:
        return str(self.id)


class RecoveryCode(models.Model):
    """Stands in for the authenticator app once; only its hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return str(self.id)


class ApiToken(models.Model):
    """A program's way in: named, scoped, ending. Shown once, stored as its hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    token_hash = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8, help_text="The token's last four characters.")
    can_trade = models.BooleanField(default=False, help_text="Every token may read.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Kept to the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(revoked_at__isnull=True),
                name="api_token_name_unique_among_the_living",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="api_token_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return self.name
