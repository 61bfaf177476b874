"""Reading again what may hold the fact that a difference between report and books misses.

Streams begin anew at the oldest fact the exchange tells; what is known already stays as it is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from core.django import tenancy
from core.errors import Conflict, NotFound
from pipeline import runs
from pipeline.cursors import start_over
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, SyncRun, Trigger
from portfolio.accounting.causes import Cause
from portfolio.models import ItemState, ReconciliationItem

_MOVEMENTS: Final = (
    *(Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.TRANSFERS, Stream.REBATES, Stream.CHARGES),
    *(Stream.DIVIDENDS, Stream.CONVERSIONS, Stream.FUNDING),
)
_OF_CAUSE: Final[Mapping[str, tuple[Stream, ...]]] = {
    Cause.CONVERSION: (Stream.CONVERSIONS,),
    Cause.FUNDING: (Stream.FUNDING,),
    Cause.EARNED: (Stream.DIVIDENDS, Stream.REBATES),
    Cause.MISSING_DEPOSIT: (Stream.DEPOSITS, Stream.TRANSFERS),
    Cause.MISSING_WITHDRAWAL: (Stream.WITHDRAWALS, Stream.TRANSFERS),
    Cause.MISSING_FILLS: (Stream.CONTRACT_FILLS,),
}
"""What its fact is told by; of any other cause it may be any of the movements."""
_TRADED: Final = (Cause.CONVERSION, Cause.MISSING_WINDOW, Cause.OLDER_THAN_KEPT, Cause.UNKNOWN)
"""It may as well be a trade of the asset."""


def read_again(*, user_id: UUID, item_id: int, at: datetime) -> SyncRun:
    """Let the streams of an open item begin anew; answers the run that will read them. Opens its own door.

    Raises NotFound (also for an account that is never read any more), Conflict while they are being read already.
    """
    with tenancy.acting_as(user_id):
        item = ReconciliationItem.objects.filter(id=item_id).first()
        if item is None:
            raise NotFound("There is no such difference.")
        if item.state != ItemState.OPEN:
            raise Conflict(f"Only an open difference is looked into; this one is {item.state}.")
        if SyncRun.objects.filter(account_id=item.account_id, status=RunStatus.RUNNING).exists():
            raise Conflict("The account is being read just now; try again in a moment.")
        rows = SyncCursor.objects.filter(_streams(item), account_id=item.account_id)
        if not rows.exclude(state=CursorState.BACKFILL).exists():
            raise Conflict("It is being read again already, or the exchange tells nothing of the kind.")
        start_over(rows, at=at)
        account_id = item.account_id
    [run] = runs.request(user_id=user_id, account_ids=[account_id], trigger=Trigger.USER, at=at)
    return run


def _streams(item: ReconciliationItem) -> Q:
    streams = Q(stream__in=_OF_CAUSE.get(item.cause, _MOVEMENTS))
    if item.cause in _TRADED:
        streams |= Q(stream=Stream.FILLS, scope__contains=item.subject)
    return streams
