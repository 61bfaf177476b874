"""Differences between reports and facts, newest first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from core import clock
from core.django.cursors import Place, cut
from core.errors import NotFound
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from portfolio.models import AccountMark, ItemState, ReconciliationItem

MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class DifferenceItem:
    """A difference. `subject`: the asset; of positions the contract, with its `side`; of residuals the day: then
    `reported` is the change in equity and `computed` what of it is known."""

    id: int
    account_id: UUID
    account_label: str
    exchange: str
    kind: str
    subject: str
    side: str
    reported: Decimal
    computed: Decimal
    difference: Decimal
    """Reported less computed."""
    value: Decimal | None
    """Of the difference, in the reporting currency; None without a price."""
    reported_at: datetime
    diverged_from: datetime | None
    """Report and facts agreed up to here; None: never as far as is known."""
    diverged_to: datetime | None
    cause: str
    """What it most likely comes from; no fact, but where to look."""
    evidence: list[str]
    state: str
    reason: str
    """Why somebody dismissed it."""
    explanation: str
    """What explained it."""
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class DifferencePage:
    results: list[DifferenceItem]
    next_cursor: str | None


def items(
    *,
    scope: Scope,
    limit: int,
    state: str | None = None,
    kind: str | None = None,
    cursor: str | None = None,
) -> DifferencePage:
    """A page of differences. Needs an open door; raises Invalid for a cursor that is none of ours."""
    rows = ReconciliationItem.objects.filter(account_id__in=scope.account_ids)
    if state is not None:
        rows = rows.filter(state=state)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if cursor is not None:
        rows = rows.filter(Place.read(cursor).beyond("opened_at"))
    found = list(rows.select_related("account").order_by("-opened_at", "-id")[: limit + 1])
    page, following = cut(found, limit, lambda row: Place(row.opened_at, row.pk))
    return DifferencePage(
        results=[told(row) for row in page],
        next_cursor=following,
    )


def item(*, item_id: int) -> DifferenceItem:
    """One difference. Needs an open door; raises NotFound."""
    row = ReconciliationItem.objects.select_related("account").filter(id=item_id).first()
    if row is None:
        raise NotFound("There is no such difference.")
    return told(row)


@dataclass(frozen=True, slots=True)
class Comparison:
    """When an account's reports and facts were held against each other last; None: what came since waits for it."""

    account_label: str
    compared_at: datetime | None


def comparisons(*, scope: Scope) -> list[Comparison]:
    """Of every account of the scope, the oldest comparison first. Needs an open door."""
    accounts = ExchangeAccount.objects.filter(id__in=scope.account_ids).values_list("id", "label")
    marks = AccountMark.objects.filter(account_id__in=scope.account_ids)
    compared = dict(marks.values_list("account_id", "reconciled_at"))
    found = [Comparison(label, compared.get(account_id)) for account_id, label in accounts]
    return sorted(found, key=lambda one: (one.compared_at or clock.EPOCH, one.account_label))


def open_count(*, scope: Scope) -> int:
    return ReconciliationItem.objects.filter(account_id__in=scope.account_ids, state=ItemState.OPEN).count()


def told(row: ReconciliationItem) -> DifferenceItem:
    return DifferenceItem(
        id=row.pk,
        account_id=row.account_id,
        account_label=row.account.label,
        exchange=row.account.exchange,
        kind=row.kind,
        subject=row.subject,
        side=row.side,
        reported=row.reported,
        computed=row.computed,
        difference=row.difference,
        value=row.value,
        reported_at=row.reported_at,
        diverged_from=row.diverged_from,
        diverged_to=row.diverged_to,
        cause=row.cause,
        evidence=list(row.evidence),
        state=row.state,
        reason=row.reason,
        explanation=row.explanation,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        resolved_at=row.resolved_at,
    )
