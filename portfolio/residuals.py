"""Days whose identity (docs/accounting.md) leaves more than the tolerance over. Needs an open door."""

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import OuterRef, Q, Subquery

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from portfolio import books
from portfolio.accounting.causes import Cause, Proposal
from portfolio.accounting.holdings import DoubtKind
from portfolio.accounting.reconstruction import TOLERANCE
from portfolio.comparison import Compared
from portfolio.models import ItemKind, PortfolioSnapshot

_PRICES: Final = (DoubtKind.UNPRICED, DoubtKind.STALE_PRICE)


class Residual(NamedTuple):
    day: date
    compared: Compared
    proposal: Proposal


def residuals(account: ExchangeAccount) -> list[Residual]:
    """Final days only: the others are still being drawn."""
    before = PortfolioSnapshot.objects.filter(account=account, snapshot_date__lt=OuterRef("snapshot_date"))
    rows = PortfolioSnapshot.objects.filter(account=account, is_final=True)
    rows = rows.filter(Q(residual__gt=TOLERANCE) | Q(residual__lt=-TOLERANCE)).order_by("snapshot_date")
    rows = rows.annotate(before=Subquery(before.order_by("-snapshot_date").values("total_balance")[:1]))
    columns = ("snapshot_date", "total_balance", "before", "residual", "grade_reason")
    blocked = _blocked(account)
    return [
        Residual(day, _compared(day, total - (was or ZERO), left), _propose(doubts, blocked))
        for day, total, was, left, doubts in rows.values_list(*columns)
    ]


def _compared(day: date, change: Decimal, left: Decimal) -> Compared:
    known = change - left
    return Compared(ItemKind.RESIDUAL, day.isoformat(), "", change, known, clock.day_end(day), TOLERANCE)


def _propose(doubts: str, blocked: str) -> Proposal:
    told = [doubt.strip() for doubt in doubts.split(",") if doubt.strip()]
    unpriced = [doubt.partition(":")[2] for doubt in told if doubt.startswith(_PRICES)]
    if unpriced:
        names = ", ".join(sorted(set(unpriced)))
        return Proposal(Cause.MISSING_PRICE, [f"That day has no close of its own for {names}."])
    if blocked:
        return Proposal(Cause.MISSING_PRICE, [blocked])
    return Proposal(Cause.UNKNOWN, ["Something came or went that day that no fact tells."])


def _blocked(account: ExchangeAccount) -> str:
    waiting = books.of(account).exclude(blocked_reason="").order_by("asset")
    found = waiting.values_list("asset", "blocked_reason").first()
    return "" if found is None else f"The book of {found[0]} is not folded yet: {found[1]}"
