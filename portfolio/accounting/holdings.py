"""What an account held on a day, what is known about it, and how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from core.money import CONTEXT, ZERO
from portfolio.accounting.returns import EquityDay

Quantities = Mapping[str, Decimal]
"""Amount by asset."""


class Grade(StrEnum):
    COMPLETE = "complete"
    """Every amount explained, every amount priced."""
    PARTIAL = "partial"
    """Some asset is in doubt, unpriced or priced by an older close."""
    UNRELIABLE = "unreliable"
    """Facts contradict each other: a holding had to be cut at zero."""


class DoubtKind(StrEnum):
    OPENING_BALANCE = "opening_balance"
    """More is reported than facts explain; when it came in is unknown."""
    FACTS_EXCEED_REPORT = "facts_exceed_report"
    """Less is reported than facts explain; when it went out is unknown."""
    BELOW_ZERO = "below_zero"
    UNPRICED = "unpriced"
    STALE_PRICE = "stale_price"


class Doubt(NamedTuple):
    kind: DoubtKind
    asset: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.asset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingFacts:
    """What is known of one account's assets."""

    reported: Quantities
    """Total by asset, locked amounts included."""
    reported_day: date
    changes: Mapping[date, Quantities]
    """Signed sum of every fact by UTC day: fills with their fees, deposits, withdrawals. Up to the report."""
    deposits: Mapping[date, Quantities] = field(default_factory=dict)
    """The external inflows among `changes`, >= 0."""
    withdrawals: Mapping[date, Quantities] = field(default_factory=dict)
    """The external outflows among `changes`, >= 0, their fees left to `changes`."""
    first_day: date = field(init=False)
    """The day of the first change; without any, the reported day."""

    def __post_init__(self) -> None:
        if any(day > self.reported_day for day in self.changes):
            raise ValueError(f"Facts after the report of {self.reported_day}.")
        object.__setattr__(self, "first_day", min(self.changes, default=self.reported_day))


@dataclass(frozen=True, slots=True)
class Holding:
    """An amount held at a day's end; `price` and `value` are None where no price is known."""

    asset: str
    quantity: Decimal
    price: Decimal | None
    price_day: date | None
    value: Decimal | None

    @property
    def priced(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconstructedDay:
    """One UTC day's end, valued in the reporting currency."""

    day: date
    holdings: tuple[Holding, ...]
    total: Decimal
    """Value of all priced holdings."""
    opening: Decimal
    """Held before the first fact; only on the first day."""
    paid_in: Decimal
    paid_out: Decimal
    unexplained: Decimal
    """Value that appeared (> 0) or went (< 0) without a fact, or that a first price made visible."""
    grade: Grade
    doubts: tuple[Doubt, ...]

    @property
    def flows(self) -> Decimal:
        """External flows of the day as the accounting identity counts them."""
        return CONTEXT.subtract(CONTEXT.add(self.opening, self.paid_in), self.paid_out)

    def equity_day(self) -> EquityDay:
        """The day for the returns: what nobody can explain counts as paid in or out, not as performance."""
        with localcontext(CONTEXT):
            return EquityDay(
                self.day,
                self.total,
                paid_in=self.opening + self.paid_in + max(self.unexplained, ZERO),
                paid_out=self.paid_out + max(-self.unexplained, ZERO),
            )


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Every day from the first fact to the report, and reported minus computed by asset (0 left out)."""

    days: tuple[ReconstructedDay, ...]
    differences: Quantities
