"""What the exchange reports beside what the facts give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Sum

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow
from portfolio.models import AssetDay, WalletBalance


@dataclass(frozen=True, slots=True)
class Balance:
    """An asset's latest report and the balance its facts give now."""

    account_id: UUID
    asset: str
    available: Decimal
    locked: Decimal
    computed: Decimal
    reported_at: datetime

    @property
    def total(self) -> Decimal:
        return self.available + self.locked

    @property
    def difference(self) -> Decimal:
        """Reported less computed: zero when the facts explain everything."""
        return self.total - self.computed


def record(
    *, account: ExchangeAccount, rows: Sequence[BalanceRow], at: datetime, run_id: int | None
) -> set[str]:
    """Keep a whole report: rows that differ from the one before, and each asset's first of a UTC day.

    An asset no longer reported is at zero. Answers the assets whose total differs from the report before.
    """
    before = {row.asset: row for row in latest_rows(account_ids=[account.id])}
    reported = {row.asset: row for row in rows}
    gone = [asset for asset, row in before.items() if asset not in reported and (row.available or row.locked)]
    for asset in gone:
        reported[asset] = BalanceRow(asset=asset, available=ZERO, locked=ZERO)
    computed = computed_totals(account_ids=[account.id])
    new = []
    changed = set()
    for asset, row in reported.items():
        last = before.get(asset)
        if last is None or (last.available + last.locked) != row.available + row.locked:
            changed.add(asset)
        same = last is not None and (last.available, last.locked) == (row.available, row.locked)
        if same and last is not None and clock.utc_day(last.reported_at) == clock.utc_day(at):
            continue
        new.append(
            WalletBalance(
                user_id=account.user_id,
                account=account,
                asset=asset,
                available=row.available,
                locked=row.locked,
                computed=computed.get((account.id, asset), ZERO),
                reported_at=at,
                run_id=run_id,
                raw=dict(row.raw) or None,
            )
        )
    WalletBalance.objects.bulk_create(new, batch_size=1000)
    return changed


def latest_rows(*, account_ids: Sequence[UUID], until: datetime | None = None) -> list[WalletBalance]:
    """The newest report of every asset, up to (not including) a moment if one is given."""
    rows = WalletBalance.objects.filter(account_id__in=account_ids)
    if until is not None:
        rows = rows.filter(reported_at__lt=until)
    return list(
        rows.order_by("account_id", "asset", "-reported_at", "-id")
        .distinct("account_id", "asset")
        .defer("raw")
    )


def computed_totals(*, account_ids: Sequence[UUID]) -> dict[tuple[UUID, str], Decimal]:
    """Balances by facts alone: the sum of every day's changes."""
    change = F("traded") + F("deposited") - F("withdrawn") - F("withdrawal_fees")
    sums = AssetDay.objects.filter(account_id__in=account_ids).values_list("account_id", "asset")
    return {(account, asset): total for account, asset, total in sums.annotate(total=Sum(change)).order_by()}


def side_by_side(*, account_ids: Sequence[UUID]) -> list[Balance]:
    """Every asset with a report or facts, reported and computed, by account and asset."""
    computed = computed_totals(account_ids=account_ids)
    latest = latest_rows(account_ids=account_ids)
    reported = {(row.account_id, row.asset): row for row in latest}
    last = {row.account_id: row.reported_at for row in sorted(latest, key=lambda row: row.reported_at)}
    keys = reported.keys() | {key for key in computed if key[0] in last}
    balances = [
        Balance(
            account_id=account_id,
            asset=asset,
            available=row.available if row else ZERO,  # an asset the exchange does not report is at zero
            locked=row.locked if row else ZERO,
            computed=computed.get((account_id, asset), ZERO),
            reported_at=row.reported_at if row else last[account_id],
        )
        for account_id, asset in keys
        for row in [reported.get((account_id, asset))]
    ]
    return sorted(
        (balance for balance in balances if balance.total or balance.computed),
        key=lambda balance: (str(balance.account_id), balance.asset),
    )
