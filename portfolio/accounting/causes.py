"""What a difference between an exchange's report and the facts most likely comes from: simple rules with evidence.

The rules are tried in the order of `Cause`; the first that applies is proposed. A proposal is no fact: it says where to
look, and the difference stays until facts explain it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from core.money import ZERO, text

SIMILAR: Final = Decimal("0.05")
"""Share by which the two sides of a conversion may differ in value: its fee, and the price within the day."""
ROUGHLY: Final = Decimal("0.2")
"""The same where nobody knows the day, and so neither the price then."""
_SHORT: Final = timedelta(days=1)
SMALL_VALUE: Final = Decimal(10)
SMALL_SHARE: Final = Decimal("0.01")
"""What is given or earned is worth little, or is a small part of what is held."""


class Cause(StrEnum):
    MISSING_WINDOW = "missing_window"
    OLDER_THAN_KEPT = "older_than_kept"
    CONVERSION = "conversion"
    FUNDING = "funding"
    EARNED = "earned"
    MISSING_DEPOSIT = "missing_deposit"
    MISSING_WITHDRAWAL = "missing_withdrawal"
    MISSING_FILLS = "missing_fills"
    MISSING_PRICE = "missing_price"
    UNKNOWN = "unknown"


class Proposal(NamedTuple):
    cause: Cause
    evidence: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Of one asset, or of one side of a contract (`is_position`). Agreed at `since` (None: never as far as is known),
    differed at `until`."""

    subject: str
    amount: Decimal
    """Reported less computed."""
    reported: Decimal
    value: Decimal | None
    """Of `amount`, in the reporting currency; None without a price."""
    since: datetime | None
    until: datetime
    is_position: bool = False


@dataclass(frozen=True, slots=True)
class Hole:
    """A time of the history that was not read. `what`: the stream in words."""

    what: str
    since: datetime | None
    """None: from the beginning."""
    until: datetime | None
    """None: until now."""
    why: str
    market: str = ""
    """The symbol, where only its fills are missing."""
    is_older: bool = False
    """What the exchange had forgotten before it was read for the first time."""

    def may_hide(self, difference: Difference) -> bool:
        """Whether what is missing may be the difference, by when and of what it is."""
        if self.until is not None and difference.since is not None and self.until <= difference.since:
            return False
        if self.since is not None and self.since >= difference.until:
            return False
        return not self.market or difference.subject in self.market


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else is known of the account: `differences` of all its assets, holes, and what open contracts settle in."""

    currency: str
    differences: Sequence[Difference] = ()
    holes: Sequence[Hole] = ()
    settles: dict[str, list[str]] = field(default_factory=dict)
    """By settle asset: contracts that were open while it diverged."""


def propose(difference: Difference, around: Surroundings) -> Proposal:
    """The first rule that applies."""
    rules = _OF_POSITIONS if difference.is_position else _OF_BALANCES
    for cause, rule in rules.items():
        if evidence := list(dict.fromkeys(rule(difference, around))):  # of many contracts the same is said
            return Proposal(cause, evidence)
    others = [f"{other.subject} by {text(other.amount)}" for other in _against(difference, around)]
    told = (
        [f"Other assets differ the other way, but not by as much in value: {', '.join(others)}."]
        if others
        else []
    )
    return Proposal(Cause.UNKNOWN, ["Nothing that is known of the account explains it.", *told])


def propose_shortfall(one: Difference, around: Surroundings) -> Proposal:
    """Of an asset whose facts give less than nothing, in an account that nobody reports."""
    lowest = f"{text(-one.amount)} {one.subject} at the lowest"
    told = f"Facts alone give {lowest}, less than nothing before {one.until:%Y-%m-%d}"
    holes = [f"{hole.what} are not known: {hole.why}." for hole in around.holes if hole.may_hide(one)]
    return Proposal(
        Cause.MISSING_DEPOSIT, [f"{told}: at least {text(one.amount)} came in that no fact tells.", *holes]
    )


_Rule = Callable[[Difference, Surroundings], Iterator[str]]


def _missing_window(one: Difference, around: Surroundings) -> Iterator[str]:
    for hole in around.holes:
        if not hole.is_older and hole.may_hide(one):
            yield f"{hole.what} {_span(hole.since, hole.until)} are not known: {hole.why}."


def _older(one: Difference, around: Surroundings) -> Iterator[str]:
    """It was there before the first report, and so may be older than what could be read."""
    if one.since is not None:
        return
    for hole in around.holes:
        if hole.is_older and hole.may_hide(one):
            yield f"{hole.what} {_span(None, hole.until)} are not known: {hole.why}."


def _conversion(one: Difference, around: Surroundings) -> Iterator[str]:
    """Another asset differs the other way, at the same time, by as much in value."""
    for other in _against(one, around):
        if one.value is None or other.value is None:
            continue
        limit = SIMILAR if _is_short(one) and _is_short(other) else ROUGHLY
        if abs(one.value + other.value) <= limit * max(abs(one.value), abs(other.value)):
            yield (
                f"{other.subject} differs by {text(other.amount)} at the same time, worth"
                f" {_money(other.value, around)} against {_money(one.value, around)}."
            )


def _funding(one: Difference, around: Surroundings) -> Iterator[str]:
    contracts = around.settles.get(one.subject, [])
    if contracts and _is_small(one):
        yield f"Contracts that settle in {one.subject} were open: {', '.join(contracts)}."
        yield f"The difference is as small as funding: {text(one.amount)} {one.subject}."


def _earned(one: Difference, around: Surroundings) -> Iterator[str]:
    if one.amount > 0 and _is_small(one):
        worth = "" if one.value is None else f", worth {_money(one.value, around)}"
        yield f"A little more is reported than facts give: {text(one.amount)} {one.subject}{worth}."


def _deposit(one: Difference, around: Surroundings) -> Iterator[str]:
    if one.amount > 0 and not _counterparts(one, around):
        yield f"More {one.subject} is reported than facts give, and nothing of like worth differs against it."


def _withdrawal(one: Difference, around: Surroundings) -> Iterator[str]:
    if one.amount < 0 and not _counterparts(one, around):
        yield f"Less {one.subject} is reported than facts give, and nothing of like worth differs against it."


def _fills(one: Difference, around: Surroundings) -> Iterator[str]:
    word = "more" if one.amount > 0 else "less"
    yield f"The exchange reports {text(abs(one.amount))} {word} of {one.subject} than its fills give."


def _against(one: Difference, around: Surroundings) -> list[Difference]:
    """Assets that differ the other way at the same time."""
    return [
        other
        for other in around.differences
        if not other.is_position and _meet(one, other) and one.amount * other.amount < 0
    ]


def _counterparts(one: Difference, around: Surroundings) -> list[Difference]:
    """Of these, the ones that may have been given or got for it: those worth far less were not."""
    least = ZERO if one.value is None else ROUGHLY * abs(one.value)
    return [other for other in _against(one, around) if other.value is None or abs(other.value) >= least]


def _is_short(one: Difference) -> bool:
    return one.since is not None and one.until - one.since <= _SHORT


def _meet(one: Difference, other: Difference) -> bool:
    return (other.since is None or other.since < one.until) and (one.since is None or one.since < other.until)


def _is_small(one: Difference) -> bool:
    """In value, or beside what is held of it; something of it was held before."""
    if one.value is not None and abs(one.value) <= SMALL_VALUE:
        return True
    return one.reported > ZERO and abs(one.amount) <= SMALL_SHARE * one.reported


def _money(value: Decimal, around: Surroundings) -> str:
    return f"{abs(value):.2f} {around.currency}"


def _span(since: datetime | None, until: datetime | None) -> str:
    if since is None:
        return "ever" if until is None else f"before {until:%Y-%m-%d %H:%M}"
    return (
        f"since {since:%Y-%m-%d %H:%M}"
        if until is None
        else f"from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"
    )


_OF_BALANCES: Final[dict[Cause, _Rule]] = {
    Cause.MISSING_WINDOW: _missing_window,
    Cause.OLDER_THAN_KEPT: _older,
    Cause.CONVERSION: _conversion,
    Cause.FUNDING: _funding,
    Cause.EARNED: _earned,
    Cause.MISSING_DEPOSIT: _deposit,
    Cause.MISSING_WITHDRAWAL: _withdrawal,
}
_OF_POSITIONS: Final[dict[Cause, _Rule]] = {
    Cause.MISSING_WINDOW: _missing_window,
    Cause.OLDER_THAN_KEPT: _older,
    Cause.MISSING_FILLS: _fills,
}
