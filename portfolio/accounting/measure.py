"""A figure that may be undefined: a number, or the reason why there is none; never 0 or infinity instead."""

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Final, Self

from core.money import CONTEXT, PLACES, quantize

RATIO_PLACES: Final = 4
"""Decimals of percentages and ratios, rounded half-even."""
HUNDRED: Final = Decimal(100)


class Reason(StrEnum):
    """Why a figure is undefined. Stored and sent with it; the values are part of the API."""

    NO_TRADES = "no_trades"
    NO_WINS = "no_wins"
    NO_LOSSES = "no_losses"
    NO_DECIDED_TRADES = "no_decided_trades"
    """Every trade broke even."""
    TOO_FEW_TRADES = "too_few_trades"
    NO_PLANNED_RISK = "no_planned_risk"
    """No trade had a stop planned."""
    NO_EQUITY_AT_ENTRY = "no_equity_at_entry"
    """Stops were planned, but what the portfolio was worth then is unknown."""
    NO_CAPITAL = "no_capital"
    NO_RETURNS = "no_returns"
    """Fewer than two valued days, or never a balance above dust."""
    TOO_FEW_DAYS = "too_few_days"
    NO_VARIATION = "no_variation"
    """Every observation is the same, so the ratio divides by zero."""
    NO_DOWNSIDE = "no_downside"
    NO_DRAWDOWN = "no_drawdown"
    NOT_RECOVERED = "not_recovered"
    """The index has not reached its peak again."""
    GAINED_DESPITE_FALL = "gained_despite_fall"
    """Flows between peak and trough were so large that money was made while the index fell."""
    SEVERAL_RATES = "several_rates"
    """More than one yearly rate solves the flows."""
    NO_RATE = "no_rate"
    """No yearly rate solves the flows."""
    NO_PRICE = "no_price"
    """An asset to compare with has no close on the first day."""
    USED_UP = "used_up"
    """Withdrawals took more than the asset to compare with was worth."""
    BEYOND_MEASURE = "beyond_measure"
    """The figure has more than 20 digits: growth from next to nothing."""
    NOT_ATTRIBUTABLE = "not_attributable"
    """Cash, deposits and open positions are the account's: no part of them is one symbol's or strategy's."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Either `value` or `reason` is set, never both."""

    value: Decimal | None
    reason: Reason | None = None

    def __post_init__(self) -> None:
        if (self.value is None) is (self.reason is None):
            raise ValueError("A measure holds a value or a reason, one of the two.")

    @classmethod
    def ratio(cls, value: Decimal | float) -> Self:
        """A ratio or percentage, rounded half-even to four decimals."""
        return cls(quantize(Decimal(value), RATIO_PLACES))

    @classmethod
    def money(cls, value: Decimal) -> Self:
        """An amount, rounded half-even to the 18 decimals that are kept."""
        return cls(quantize(value, PLACES))

    @classmethod
    @cache
    def undefined(cls, reason: Reason) -> Self:
        return cls(None, reason)


def percent(part: Decimal, whole: Decimal) -> Measure:
    """`part` as a percentage of a `whole` that is not zero."""
    return Measure.ratio(CONTEXT.divide(CONTEXT.multiply(part, HUNDRED), whole))


def split(record: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A dataclass of measures as columns: values by name (None where undefined), and reasons by name."""
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for field in fields(record):
        figure = getattr(record, field.name)
        if not isinstance(figure, Measure):
            values[field.name] = figure
            continue
        values[field.name] = figure.value
        if figure.reason is not None:
            reasons[field.name] = figure.reason.value
    return values, reasons
