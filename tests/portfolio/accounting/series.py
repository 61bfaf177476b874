"""Daily equity for tests, made from returns or from balances."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext

from core.money import CONTEXT
from portfolio.accounting.returns import EquityDay, IndexPoint, chain

START = date(2024, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def balances(values: Iterable[str | None]) -> list[EquityDay]:
    """One day each, no flows; None is a day without a snapshot."""
    return [
        EquityDay(day(number), None if value is None else Decimal(value))
        for number, value in enumerate(values)
    ]


def from_returns(changes: Sequence[str], *, opening: str = "1000") -> list[IndexPoint]:
    """The chain of an account that makes exactly these returns."""
    equity = Decimal(opening)
    days = []
    with localcontext(CONTEXT):
        for number, change in enumerate(changes):
            equity *= 1 + Decimal(change)
            days.append(EquityDay(day(number), equity))
    return chain(days, opening=Decimal(opening))
