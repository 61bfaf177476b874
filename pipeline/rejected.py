"""Rows set aside because they could not be read. Inside an open door of the account's owner."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from exchanges.rows import BadRow
from pipeline.models import RejectedRow, SyncRun

Place = tuple[str, str, str]  # stream, scope, position: the page a row was met on
FROM_FILES: Final = "file:"
"""Begins the position of lines of files, and the source of facts from them; the format follows."""
_REASON_LENGTH: Final = 300


def open_places(*, run: SyncRun) -> set[Place]:
    """Pages with rows nobody could read yet."""
    rows = RejectedRow.objects.filter(account_id=run.account_id, mended_at__isnull=True)
    return set(rows.values_list("stream", "scope", "position").distinct())


def keep(*, run: SyncRun, place: Place, bad: Sequence[BadRow]) -> int:
    """Keep the unreadable rows of a page; answers how many were never seen before."""
    if not bad:
        return 0
    stream, scope, position = place
    by_digest = {_digest(stream, scope, row): row for row in bad}
    known = RejectedRow.objects.filter(account_id=run.account_id, digest__in=by_digest)
    seen = set(known.values_list("digest", flat=True))
    known.update(mended_at=None)
    fresh = [
        RejectedRow(
            user_id=run.user_id,
            account_id=run.account_id,
            run=run,
            stream=stream,
            scope=scope,
            position=position,
            reason=row.reason[:_REASON_LENGTH],
            raw=_storable(row.raw),
            digest=digest,
        )
        for digest, row in by_digest.items()
        if digest not in seen
    ]
    RejectedRow.objects.bulk_create(fresh)
    return len(fresh)


def mend(*, run: SyncRun, place: Place, bad: Sequence[BadRow], at: datetime) -> int:
    """The page came again: what it no longer holds unreadable was read this time."""
    stream, scope, position = place
    rows = RejectedRow.objects.filter(
        account_id=run.account_id, stream=stream, scope=scope, position=position, mended_at__isnull=True
    )
    return rows.exclude(digest__in=[_digest(stream, scope, row) for row in bad]).update(mended_at=at)


def _digest(stream: str, scope: str, row: BadRow) -> str:
    text = json.dumps([stream, scope, row.raw], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _storable(raw: Any) -> Any:
    """PostgreSQL stores no NUL."""
    return json.loads(json.dumps(raw, default=str).replace("\\u0000", "�"))
