"""How the books of a scope stand, read once for everything that is told beside an answer: its age, its version and how
far it can be trusted. One prepared statement of look-ups in indexes: every answer waits for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from core.django import prepared
from credentials.scope import Scope
from portfolio.models import ItemState, PeriodType

_READ: Final = """
WITH owners AS (SELECT DISTINCT user_id FROM credentials_exchangeaccount WHERE id = ANY(%(accounts)s::uuid[]))
SELECT
  (SELECT json_agg(json_build_array(
      s.id, s.account_id, s.snapshot_date, s.computed_at, s.total_balance::text, s.grade, s.grade_reason
    ) ORDER BY s.account_id)
    FROM unnest(%(accounts)s::uuid[]) AS a (id) CROSS JOIN LATERAL (
      SELECT * FROM portfolio_portfoliosnapshot WHERE account_id = a.id ORDER BY snapshot_date DESC LIMIT 1) s),
  (SELECT json_agg(json_build_array(
      m.account_id, m.heard_at, m.reconciled_at, m.coverage, m.excursions_told, (
        SELECT p.cost_unknown_trades FROM portfolio_performancemetric p
        WHERE p.user_id = m.user_id AND p.account_id = m.account_id AND p.period_type = %(all_time)s AND p.strategy = ''
        LIMIT 1)
    ) ORDER BY m.account_id)
    FROM portfolio_accountmark m WHERE m.account_id = ANY(%(accounts)s::uuid[])),
  (SELECT json_agg(json_build_array(b.id, b.asset, b.rebuilt_at, b.stale_from, b.blocked_reason) ORDER BY b.id)
    FROM portfolio_book b WHERE b.account_id = ANY(%(accounts)s::uuid[])
      OR b.user_id IN (SELECT user_id FROM owners) AND NOT b.pool = ''),
  (SELECT json_agg(json_build_array(i.kind, i.subject, i.value::text) ORDER BY i.kind, i.subject, i.id)
    FROM portfolio_reconciliationitem i WHERE i.account_id = ANY(%(accounts)s::uuid[]) AND i.state = 'open'),
  EXISTS (SELECT FROM portfolio_changedday c
    WHERE c.user_id IN (SELECT user_id FROM owners) AND c.account_id = ANY(%(accounts)s::uuid[])),
  json_build_array(
    (SELECT json_agg(json_build_array(k.changes, k.drawn_to)) FROM portfolio_metricmark k
      WHERE k.user_id IN (SELECT user_id FROM owners)),
    (SELECT max(c.id) FROM portfolio_changedday c WHERE c.user_id IN (SELECT user_id FROM owners)),
    (SELECT max(w.id) FROM portfolio_walletbalance w WHERE w.account_id = ANY(%(accounts)s::uuid[])),
    (SELECT max(d.updated_at) FROM portfolio_assetday d WHERE d.account_id = ANY(%(accounts)s::uuid[])))
"""


class SnapshotState(NamedTuple):
    """The latest of an account."""

    id: int
    account_id: UUID
    snapshot_date: date
    computed_at: datetime
    total_balance: Decimal
    grade: str
    grade_reason: str


class MarkState(NamedTuple):
    """Of an account. `coverage`: what is not known of its history, in codes."""

    account_id: UUID
    heard_at: datetime | None
    reconciled_at: datetime | None
    coverage: list[str]
    excursions_told: int
    """Another number whenever something was told of its trades' excursions."""
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
    snapshots: Sequence[SnapshotState]
    """The latest of each account that has one."""
    marks: Sequence[MarkState]
    books: Sequence[BookState]
    differences: Sequence[OpenItem]
    is_undrawn: bool
    """Trades or days changed, and metrics do not say so yet."""
    changes: str
    """Another text whenever trades or days changed, metrics were drawn, or balances were reported."""


def read(scope: Scope) -> Standing:
    """Needs an open door."""
    with prepared.cursor() as cursor:
        cursor.execute(
            _READ,
            {"accounts": list(scope.account_ids), "open": ItemState.OPEN, "all_time": PeriodType.ALL_TIME},
        )
        (row,) = cursor.fetchall()
    snapshots, marks, books, differences, is_undrawn, changes = row
    return Standing(
        snapshots=[
            SnapshotState(
                number, UUID(account), date.fromisoformat(day), _moment(computed), Decimal(total), *graded
            )
            for number, account, day, computed, total, *graded in snapshots or ()
        ],
        marks=[
            MarkState(UUID(account), _time(heard), _time(reconciled), *rest)
            for account, heard, reconciled, *rest in marks or ()
        ],
        books=[
            BookState(number, asset, _time(rebuilt), _time(stale), reason)
            for number, asset, rebuilt, stale, reason in books or ()
        ],
        differences=[
            OpenItem(kind, subject, None if value is None else Decimal(value))
            for kind, subject, value in differences or ()
        ],
        is_undrawn=is_undrawn,
        changes=json.dumps(changes),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
