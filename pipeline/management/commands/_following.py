"""What follows from facts that a command stored, as words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.core.management.base import OutputWrapper

from core.django import tenancy
from core.money import text
from credentials.models import ExchangeAccount
from pipeline import history_files
from portfolio.models import ItemState, ReconciliationItem

MOST_TOLD: Final = 50
"""Lines of a kind."""


def follow(account: ExchangeAccount, *, at: datetime, out: OutputWrapper) -> None:
    """Fold the books, hold them against reports, and tell what waits and what is asked."""
    derived, _ = history_files.follow(account=account, at=at)
    out.write(f"{account.label}: {derived.books} books folded.")
    for asset, reason in derived.blocked.items():
        out.write(f"  {asset} waits: {reason}")
    if derived.problem is not None:
        out.write(f"  Prices could not be fetched: {derived.problem.detail}")
    with tenancy.acting_as(account.user_id):
        items = ReconciliationItem.objects.filter(account=account, state=ItemState.OPEN)
        tell(
            [
                f"question: {item.kind} {item.subject}: {text(item.difference)}, {item.get_cause_display()}."
                f" {' '.join(item.evidence)}"
                for item in items.order_by("kind", "subject")
            ],
            out=out,
        )


def tell(lines: Sequence[str], *, out: OutputWrapper) -> None:
    """The first of many lines, and how many more there are."""
    for line in lines[:MOST_TOLD]:
        out.write(f"  {line}")
    if len(lines) > MOST_TOLD:
        out.write(f"  and {len(lines) - MOST_TOLD} more like the last.")
