"""Daily equity of a scope, several accounts as one line, and its index: what curve and metrics are drawn from."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Subquery

from credentials.models import ExchangeAccount
from portfolio import own_flows
from portfolio.accounting.returns import EquityDay
from portfolio.figures import equity_day, merge_equity
from portfolio.models import Grade, PortfolioSnapshot

WORST_LAST: Final = (Grade.COMPLETE, Grade.PARTIAL, Grade.UNRELIABLE)
_COLUMNS: Final = (
    "account_id", "snapshot_date", "total_balance", "flows", "unexplained", "unrealized_pnl", "realized_pnl",
    "fees", "funding", "residual", "grade", "grade_reason", "is_reconstructed", "is_final",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountDay:
    """The columns of a snapshot that add up over accounts."""

    account_id: UUID
    day: date
    total_balance: Decimal
    flows: Decimal
    unexplained: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    fees: Decimal
    funding: Decimal
    residual: Decimal
    grade: str
    grade_reason: str
    is_reconstructed: bool
    is_final: bool


@dataclass(frozen=True, slots=True)
class Days:
    """Snapshots of a scope by day, and the whole scope's equity on each of these days."""

    by_day: dict[date, dict[UUID, AccountDay]]
    line: list[EquityDay]
    sent: dict[date, Decimal]
    """What these accounts sent each other: in the flows of each, and in none of `line`."""
    before: dict[UUID, AccountDay]
    """Of each account its newest snapshot before the first day asked for: it stands until the next."""
    opening: EquityDay | None
    """The scope on the newest of those days; None: nothing is older."""


def read(*, account_ids: Sequence[UUID], until: date, since: date | None = None) -> Days:
    """Every day with a snapshot in [since, until], ascending. A day nobody has one of is left out; who has none on a
    day stands as they did, before `since` too."""
    rows = PortfolioSnapshot.objects.filter(account_id__in=account_ids, snapshot_date__lte=until)
    if since is not None:
        rows = rows.filter(snapshot_date__gte=since)
    by_day: dict[date, dict[UUID, AccountDay]] = defaultdict(dict)
    before = {} if since is None else _before(account_ids, since)
    per_account: dict[UUID, dict[date, EquityDay]] = {account_id: {} for account_id in account_ids}
    for account_id, row in before.items():
        per_account[account_id][row.day] = _equity_day(row)
    for values in rows.order_by("snapshot_date").values_list(*_COLUMNS):
        row = AccountDay(*values)
        by_day[row.day][row.account_id] = row
        per_account[row.account_id][row.day] = _equity_day(row)
    sent = own_flows.inside(account_ids=account_ids)
    merged = merge_equity(list(per_account.values()), sent)
    older = [row for row in merged if since is not None and row.day < since]
    return Days(dict(by_day), merged[len(older) :], sent, before, older[-1] if older else None)


def _before(account_ids: Sequence[UUID], since: date) -> dict[UUID, AccountDay]:
    """One look-up an account in the index, however long its history is."""
    older = PortfolioSnapshot.objects.filter(account_id=OuterRef("id"), snapshot_date__lt=since)
    newest = Subquery(older.order_by("-snapshot_date").values("id")[:1])
    ids = ExchangeAccount.objects.filter(id__in=account_ids).values(newest=newest)
    rows = PortfolioSnapshot.objects.filter(id__in=ids).values_list(*_COLUMNS)
    return {row.account_id: row for row in (AccountDay(*values) for values in rows)}


def _equity_day(row: AccountDay) -> EquityDay:
    return equity_day(
        day=row.day,
        total=row.total_balance,
        flows=row.flows,
        unexplained=row.unexplained,
        doubts=row.grade_reason,
    )


def worst_grade(grades: Sequence[str]) -> str:
    """The least trustworthy of some grades."""
    return max(grades, key=lambda grade: WORST_LAST.index(Grade(grade)))
