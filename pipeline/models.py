"""Work held in rows: what is due, who works on it, how it went. The broker only carries hints."""

from django.db import models
from django.db.models import Q

from core.django.tenancy import AccountModel, OwnedModel


class Stream(models.TextChoices):
    """The kinds of facts an account is asked for. Fills and orders are asked per symbol (`SyncCursor.scope`)."""

    PERMISSIONS = "permissions"
    BALANCES = "balances"
    OPEN_ORDERS = "open_orders"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"  # between wallets of the account
    REBATES = "rebates"
    CHARGES = "charges"
    DIVIDENDS = "dividends"  # airdrops and interest
    CONVERSIONS = "conversions"
    DISCOVERY = "discovery"
    FILLS = "fills"
    ORDERS = "orders"
    RECHECK = "recheck"  # fills of the last days once more: late ones have lower ids than the cursor
    POSITIONS = "positions"
    CONTRACT_OPEN = "contract_open"
    CONTRACT_FILLS = "contract_fills"
    CONTRACT_ORDERS = "contract_orders"
    CONTRACT_RECHECK = "contract_recheck"
    FUNDING = "funding"


class CursorState(models.TextChoices):
    BACKFILL = "backfill"
    INCREMENTAL = "incremental"


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    OK = "ok"
    PARTIAL = "partial"  # some streams failed or rows were set aside; the rest is stored
    FAILED = "failed"


class Trigger(models.TextChoices):
    SCHEDULE = "schedule"
    CONNECT = "connect"
    USER = "user"
    COMMAND = "command"


class SyncCursor(AccountModel):
    """How far a stream of an account is known. It moves in the transaction that stores the rows it passed."""

    stream = models.CharField(max_length=16, choices=Stream.choices)
    scope = models.CharField(max_length=40, blank=True, help_text="The symbol, where the stream has one.")
    position = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=CursorState.choices, default=CursorState.BACKFILL)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    row_count = models.BigIntegerField(default=0)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    reached_at = models.DateTimeField(
        null=True, blank=True, help_text="The newest fact the walk under way has met."
    )
    walk_floor = models.DateTimeField(
        null=True, blank=True, help_text="Older facts were not told when the walk under way began."
    )
    known_from = models.DateTimeField(
        null=True, blank=True, help_text="What was already forgotten at the first walk; empty: nothing was."
    )
    retention = models.DurationField(
        null=True, blank=True, help_text="How long the exchange tells a fact; empty: always."
    )
    error_kind = models.CharField(max_length=12, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    error_count = models.IntegerField(default=0)

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "stream", "scope"], name="cursor_once_per_stream_and_scope"
            ),
            models.CheckConstraint(condition=Q(stream__in=Stream.values), name="cursor_stream_known"),
            models.CheckConstraint(condition=Q(state__in=CursorState.values), name="cursor_state_known"),
        ]
        indexes = [models.Index(fields=["due_at"], name="cursor_due")]

    def __str__(self) -> str:
        return f"{self.stream} {self.scope}".strip()


class CoverageGap(AccountModel):
    """A time nobody read before the exchange forgot it: only an import can fill it."""

    stream = models.CharField(max_length=16, choices=Stream.choices)
    scope = models.CharField(max_length=40, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="Exclusive.")
    noted_at = models.DateTimeField()

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "stream", "scope", "since"], name="coverage_gap_once"),
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="coverage_gap_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.scope} {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"


class SyncRun(AccountModel):
    """One go at an account: what it brought, what it set aside, why it stopped."""

    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=60, blank=True, help_text="What it is doing now.")
    steps_done = models.IntegerField(default=0)
    steps_total = models.IntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="Rows stored anew, by stream.")
    rejected_count = models.IntegerField(default=0)
    error_kind = models.CharField(max_length=12, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    clock_offset_ms = models.IntegerField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="run_trigger_known"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(status__in=["queued", "running"]), name="run_one_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["account", "-requested_at"], name="run_latest")]

    def __str__(self) -> str:
        return f"{self.trigger} {self.status}"


class RejectedRow(AccountModel):
    """A payload that could not be read, kept and reported; the good rows beside it were stored.

    The next walk asks for its page again: what can be read by then is `mended_at` that moment.
    """

    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="rejected")
    stream = models.CharField(max_length=16, choices=Stream.choices)
    scope = models.CharField(max_length=40, blank=True)
    position = models.CharField(max_length=200, blank=True, help_text="Where the walk stood when it came.")
    reason = models.CharField(max_length=300)
    raw = models.JSONField()
    digest = models.CharField(
        max_length=64, help_text="Of stream, scope and payload: the same row is kept once."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    mended_at = models.DateTimeField(null=True, blank=True)

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="rejected_row_once")]

    def __str__(self) -> str:
        return self.reason


class Outage(models.Model):
    """A time in which an exchange, or everything, was not asked: it failed. Nobody's own, and kept."""

    exchange = models.CharField(max_length=20, blank=True, help_text="Empty: the network, so all of them.")
    reason = models.CharField(max_length=300)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exchange"], condition=Q(ended_at=None), name="outage_one_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["-began_at"], name="outage_latest")]

    def __str__(self) -> str:
        return f"{self.exchange or 'network'} {self.began_at:%Y-%m-%d %H:%M}"


class ExportState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class ExportKind(models.TextChoices):
    TRADES = "trades"
    FILLS = "fills"
    LEDGER = "ledger"
    SNAPSHOTS = "snapshots"
    HOLDINGS = "holdings"
    TAX_LOTS = "tax_lots"
    COMPLETE = "complete"  # all facts of the accounts, to be read in again


class ExportFormat(models.TextChoices):
    CSV = "csv"
    JSONL = "jsonl"


class Export(OwnedModel):
    """A file that a user asked for: written once, by whoever claims it, and thrown away after a while."""

    kind = models.CharField(max_length=10, choices=ExportKind.choices)
    format = models.CharField(max_length=5, choices=ExportFormat.choices)
    account = models.ForeignKey(
        "credentials.ExchangeAccount",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: all of the exchange and mode.",
    )
    exchange = models.CharField(max_length=20, blank=True, help_text="Empty: all.")
    mode = models.CharField(max_length=10)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Exclusive.")
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.QUEUED)
    attempts = models.IntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    row_count = models.BigIntegerField(null=True, blank=True)
    size = models.BigIntegerField(null=True, blank=True, help_text="Bytes of the file.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file.")
    error = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(help_text="When it is thrown away, whatever became of it.")

    class Meta(OwnedModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["user", "id"], name="export_owner"),
            models.UniqueConstraint(
                fields=["user", "kind", "format", "account", "exchange", "mode", "since", "until"],
                condition=Q(state__in=["queued", "running"]),
                nulls_distinct=False,
                name="export_made_once_at_a_time",
            ),
            models.CheckConstraint(condition=Q(kind__in=ExportKind.values), name="export_kind_known"),
            models.CheckConstraint(condition=Q(format__in=ExportFormat.values), name="export_format_known"),
            models.CheckConstraint(condition=Q(state__in=ExportState.values), name="export_state_known"),
        ]
        indexes = [
            models.Index(fields=["user", "-requested_at", "-id"], name="export_list"),
            models.Index(
                fields=["requested_at"], condition=Q(state__in=["queued", "running"]), name="export_waiting"
            ),
            models.Index(fields=["expires_at"], name="export_expired"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}.{self.format} {self.state}"


class ExportPart(OwnedModel):
    """A piece of an export's file, compressed. In the database, so that any host can write it, any other can hand it
    out, and nobody but its owner can read it."""

    export = models.ForeignKey(
        Export, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="parts"
    )
    sequence = models.IntegerField()
    content = models.BinaryField(help_text="zlib.")

    class Meta(OwnedModel.Meta):
        constraints = [models.UniqueConstraint(fields=["export", "sequence"], name="export_part_once")]

    def __str__(self) -> str:
        return f"{self.export_id} {self.sequence}"
