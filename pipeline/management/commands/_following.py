"""What follows from facts that a command stored, as words."""

from datetime import datetime

from django.core.management.base import OutputWrapper

from core.django import tenancy
from core.money import text
from credentials.models import ExchangeAccount
from pipeline import history_files
from portfolio.models import ItemState, ReconciliationItem


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
        for item in items.order_by("kind", "subject"):
            out.write(
                f"  question: {item.kind} {item.subject}: {text(item.difference)}, {item.get_cause_display()}."
                f" {' '.join(item.evidence)}"
            )
