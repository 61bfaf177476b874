"""How old what is stored of some streams is. Inside an open door."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from pipeline.models import CursorState, Stream, SyncCursor

STALE_AFTER: Final = timedelta(hours=1)  # accounts are read every 3 to 60 minutes
NEVER_READ: Final = "never_read"
OLD: Final = "old"
INCOMPLETE: Final = "history_incomplete"
_BY_SYMBOL: Final = {
    Stream.FILLS: Stream.ORDERS
}  # symbols that have the second are followed, others only swept


@dataclass(frozen=True, slots=True)
class Age:
    """`as_of`: when the oldest of the accounts was read; None if one never was. `reason` is "" while it is fresh."""

    as_of: datetime | None
    reason: str = ""


def of(
    *,
    account_ids: Collection[UUID],
    streams: Sequence[Stream],
    walked: Sequence[Stream] = (),
    at: datetime,
) -> Age:
    """Of what the `streams` of living accounts tell. `walked`: histories that must have been read to their end.

    A stream that no exchange of these accounts has is passed over, unless none has any.
    """
    rows = SyncCursor.objects.filter(account_id__in=account_ids, stream__in=streams)
    read = {
        (account, stream): ok_at
        for account, stream, ok_at in rows.values_list("account_id", "stream", "last_ok_at")
    }
    told = {account for account, _ in read}
    times = [ok_at for ok_at in read.values() if ok_at is not None]
    if not times or len(times) < len(read) or told != set(account_ids):
        return Age(None, NEVER_READ)
    as_of = min(times)
    if at - as_of > STALE_AFTER:
        return Age(as_of, OLD)
    return Age(as_of, INCOMPLETE if _is_unfinished(account_ids, walked) else "")


def _is_unfinished(account_ids: Collection[UUID], streams: Sequence[Stream]) -> bool:
    """Whether a history is still being read for the first time."""
    if not streams:
        return False
    rows = SyncCursor.objects.filter(account_id__in=account_ids)
    followed = rows.filter(stream__in=_BY_SYMBOL.values()).values("scope")
    unfinished = rows.filter(stream__in=streams, state=CursorState.BACKFILL)
    return unfinished.filter(~Q(stream__in=_BY_SYMBOL) | Q(scope__in=followed)).exists()
