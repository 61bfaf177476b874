"""The closed lists of derived rows."""

from django.db import models


class Method(models.TextChoices):
    AVERAGE = "average"
    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"


class PositionStatus(models.TextChoices):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    LIQUIDATED = "LIQUIDATED"


class PositionSide(models.TextChoices):
    LONG = "LONG"
    SHORT = "SHORT"


class ExitType(models.TextChoices):
    TP = "TP"
    SL = "SL"
    MANUAL = "MANUAL"
    PARTIAL = "PARTIAL"
    LIQUIDATION = "LIQUIDATION"


class TradeKind(models.TextChoices):
    TRADE = "TRADE"
    FEE = "FEE"  # a coin spent on a fee: a small exit of its book, kept out of trade statistics


class PeriodType(models.TextChoices):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    ALL_TIME = "ALL_TIME"


class Grade(models.TextChoices):
    """How far a number can be trusted; the row's `grade_reason` says why not further."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    UNRELIABLE = "unreliable"
