"""What exchanges reported last, wallet by wallet."""

from collections.abc import Collection
from uuid import UUID

from portfolio.models import WalletBalance


def latest_by_wallet(*, account_ids: Collection[UUID]) -> list[WalletBalance]:
    """The newest report of every asset of every wallet that is not empty; needs an open door."""
    rows = (
        WalletBalance.objects.filter(account_id__in=account_ids)
        .order_by("account_id", "asset", "wallet", "-reported_at", "-id")
        .distinct("account_id", "asset", "wallet")
    )
    return [row for row in rows if row.available or row.locked]
