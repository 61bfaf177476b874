"""Writing the files that users asked for, and throwing old ones away.

The work lies in the row. Whoever claims it writes the whole file in one transaction: a writer that dies leaves nothing
behind, and another begins anew once its lease is over. No more of the file than one part is in memory.
"""

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import DataError, IntegrityError
from django.db.models import F, Q

from core import clock
from core.django import tenancy
from core.errors import DomainError, NotFound
from pipeline import exports
from pipeline.exports import WORKING, find
from pipeline.models import Export, ExportPart, ExportState
from portfolio.exports.tables import Counts

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=30)
MOST_ATTEMPTS: Final = 3
PART: Final = 1_000_000  # bytes of the file, before they are compressed
LARGEST: Final = 1_000_000_000  # bytes of the file
_ERROR: Final = 300


class TooLarge(DomainError):
    """More than may be kept."""

    code = "export_too_large"


class _Overtaken(Exception):
    """Somebody else wrote it, its owner deleted it, or left."""


def write(*, user_id: UUID, export_id: int, at: datetime, now: Callable[[], datetime] = clock.now) -> bool:
    """Write a file that waits; answers whether this call did. Opens its own doors."""
    attempt = _claim(user_id, export_id, at)
    if attempt is None:
        return False
    try:
        with tenancy.acting_as(user_id):
            row = find(export_id)
            counts = Counts({})
            file = exports.content(user=row.user, asked=exports.asked_by(row), counts=counts, at=at)
            with closing(file) as chunks:  # and the cursors it reads by
                size, digest = _store(row, chunks)
            _finish(
                export_id, attempt, ExportState.READY, now(),
                row_count=counts.total, size=size, sha256=digest,
            )  # fmt: skip
    except (NotFound, _Overtaken, IntegrityError):
        logger.info("Export %s is not ours any more.", export_id)
        return False
    except (DomainError, DataError) as error:
        reason = error.message if isinstance(error, DomainError) else "Its rows cannot be written."
        with tenancy.acting_as(user_id):
            Export.objects.filter(id=export_id, attempts=attempt).update(
                state=ExportState.FAILED, error=reason[:_ERROR], finished_at=now(), leased_until=None
            )
        return False
    return True


def sweep(*, user_id: UUID, at: datetime) -> int:
    """Throw away a user's files that are over their time; answers how many."""
    with tenancy.acting_as(user_id):
        _, by_model = Export.objects.filter(expires_at__lte=at).delete()
    return by_model.get(Export._meta.label, 0)


def _claim(user_id: UUID, export_id: int, at: datetime) -> int | None:
    """The number of our attempt; None: it is somebody's, or done, or was tried too often."""
    free = Q(state=ExportState.QUEUED) | Q(state=ExportState.RUNNING, leased_until__lte=at)
    with tenancy.acting_as(user_id):
        waiting = Export.objects.filter(free, id=export_id)
        waiting.filter(attempts__gte=MOST_ATTEMPTS).update(
            state=ExportState.FAILED, error="It was begun several times and never finished.", finished_at=at
        )
        claimed = waiting.filter(state__in=WORKING).update(
            state=ExportState.RUNNING, attempts=F("attempts") + 1, leased_until=at + LEASE
        )
        return Export.objects.values_list("attempts", flat=True).get(id=export_id) if claimed else None


def _finish(export_id: int, attempt: int, state: ExportState, at: datetime, **done: object) -> None:
    ours = Export.objects.filter(
        id=export_id, state=ExportState.RUNNING, attempts=attempt, user__is_deleted=False
    )
    if not ours.update(state=state, finished_at=at, leased_until=None, **done):
        raise _Overtaken


def _store(row: Export, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Keep the file in parts; answers its size and digest. Raises TooLarge."""
    digest, size = hashlib.sha256(), 0
    for sequence, part in enumerate(_parts(chunks)):
        digest.update(part)
        size += len(part)
        if size > LARGEST:
            raise TooLarge("The file would be too large: ask for a shorter span, or for one account.")
        ExportPart.objects.create(
            user_id=row.user_id, export=row, sequence=sequence, content=zlib.compress(part)
        )
    return size, digest.hexdigest()


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PART:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
