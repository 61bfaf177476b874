"""How the books of a scope stand, read once for everything that is told beside an answer: its age, its version and how
far it can be trusted. Four statements, each a look-up an account in an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import IntegerField, OuterRef, Subquery

from credentials.scope import Scope
from portfolio.models import (
    AccountMark,
    Book,
    ItemState,
    PerformanceMetric,
    PeriodType,
    PortfolioSnapshot,
    ReconciliationItem,
)
from portfolio.selectors.snapshot import latest_snapshots


class MarkState(NamedTuple):
    """Of an account. `coverage`: what is not known of its history, in codes."""

    account_id: UUID
    heard_at: datetime | None
    reconciled_at: datetime | None
    coverage: list[str]
    cost_unknown_trades: int | None
    """Trades of all time that sold coins of unknown cost; None: metrics were never drawn."""

    @property
    def is_compared(self) -> bool:
        """Whether reports and facts were held against each other, and nothing that came since waits for it."""
        return self.reconciled_at is not None


class BookState(NamedTuple):
    id: int
    asset: str
    rebuilt_at: datetime | None
    stale_from: datetime | None
    blocked_reason: str


class OpenItem(NamedTuple):
    kind: str
    subject: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Standing:
    snapshots: Sequence[PortfolioSnapshot]
    """The latest of each account that has one."""
    marks: Sequence[MarkState]
    books: Sequence[BookState]
    differences: Sequence[OpenItem]


def read(scope: Scope) -> Standing:
    """Needs an open door."""
    ids = scope.account_ids
    books = Book.objects.filter(account_id__in=ids).order_by("id")
    differences = ReconciliationItem.objects.filter(account_id__in=ids, state=ItemState.OPEN)
    return Standing(
        snapshots=latest_snapshots(account_ids=ids),
        marks=_marks(ids),
        books=[BookState(*row) for row in books.values_list(*BookState._fields)],
        differences=[
            OpenItem(*row)
            for row in differences.order_by("kind", "subject", "id").values_list(*OpenItem._fields)
        ],
    )


def _marks(account_ids: Sequence[UUID]) -> list[MarkState]:
    all_time = PerformanceMetric.objects.filter(
        account_id=OuterRef("account_id"), period_type=PeriodType.ALL_TIME, strategy=""
    )
    count = Subquery(all_time.values("cost_unknown_trades")[:1], output_field=IntegerField())
    rows = AccountMark.objects.filter(account_id__in=account_ids).order_by("account_id")
    return [
        MarkState(*row) for row in rows.annotate(cost_unknown_trades=count).values_list(*MarkState._fields)
    ]
