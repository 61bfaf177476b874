"""Rows set aside, in complete exports: what could not be read stays told where it is read in, until it can be."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from credentials.models import ExchangeAccount
from orders.touched import Touched
from pipeline.models import RejectedRow, RunStatus, Stream, SyncRun, Trigger
from pipeline.rejected import FROM_FILES
from portfolio.exports.kinds import Part
from portfolio.exports.records import RejectedRecord
from portfolio.exports.sections import Section, Selection, mapped, text
from portfolio.exports.tables import Row
from portfolio.imports import targets
from portfolio.imports.reading import Stores

_REJECTED: Final = Section(
    "rejected",
    text("account", "account_id"),
    *map(text, ("stream", "scope", "position", "reason", "digest")),
    mapped("raw"),
)


def _rows(selection: Selection) -> Iterator[Row]:
    waiting = RejectedRow.objects.filter(account_id__in=selection.account_ids, mended_at__isnull=True)
    return _REJECTED.rows(waiting.order_by("id"))


PART: Final = Part(_REJECTED.table, _rows)


def stores(*, at: datetime) -> Stores:
    """How they are read in; `at`: when."""
    return {RejectedRecord: partial(_store, at)}


def _store(at: datetime, account: ExchangeAccount, rows: Sequence[RejectedRecord]) -> Touched:
    """Those never seen here; but what the exchange tells, an account that it tells here reads by itself. Inside the
    owner's open door; raises ValueError for a stream that nobody knows."""
    known = set(RejectedRow.objects.filter(account=account).values_list("digest", flat=True))
    told_here = targets.is_reported(account)
    new = [
        row
        for row in rows
        if row.digest not in known and not (told_here and not row.position.startswith(FROM_FILES))
    ]
    if not new:
        return Touched()
    run = SyncRun.objects.create(
        user_id=account.user_id, account=account, trigger=Trigger.COMMAND, requested_at=at, started_at=at,
        finished_at=at, status=RunStatus.PARTIAL, rejected_count=len(new),
    )  # fmt: skip
    RejectedRow.objects.bulk_create(_row(run, row) for row in new)
    return Touched(stored=len(new))


def _row(run: SyncRun, row: RejectedRecord) -> RejectedRow:
    raw: Any = msgspec.json.decode(row.raw)
    return RejectedRow(
        user_id=run.user_id, account_id=run.account_id, run=run, stream=Stream(row.stream).value, scope=row.scope,
        position=row.position, reason=row.reason, digest=row.digest, raw=raw,
    )  # fmt: skip
