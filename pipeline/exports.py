"""Files of a user's rows: asked for, listed, handed out, thrown away. `export_work` writes them.

A file is kept in compressed parts in the database: its writer may be on another host than who hands it out, and
row-level security holds for it as for what is in it.
"""

import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from core.django import tenancy
from core.django.cursors import Place, cut
from core.errors import Conflict, Invalid, NotFound
from credentials.models import ExchangeAccount, Mode
from credentials.scope import resolve
from pipeline import broker, rejected_files
from pipeline.models import Export, ExportPart, ExportState
from portfolio.exports import kinds
from portfolio.exports.sections import Selection
from portfolio.exports.tables import Counts

KEPT: Final = timedelta(days=7)
MOST_WAITING: Final = 3  # of one user, as the next
MOST_KEPT: Final = 20
MOST_LISTED: Final = 100
WORKING: Final = (ExportState.QUEUED.value, ExportState.RUNNING.value)
_TABLE: Final = Export._meta.db_table


class TooManyExports(Conflict):
    """Wait for some to be written, or delete some."""

    code = "too_many_exports"


class NotReady(Conflict):
    """The file is not written yet, or could not be."""

    code = "export_not_ready"


class BeingWritten(Conflict):
    """Somebody is at it."""

    code = "export_being_written"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A file and how far it is. `row_count`, `size` (bytes) and `sha256` are of the finished file; it is thrown away
    at `expires_at`."""

    id: int
    kind: str
    format: str
    account: str | None
    exchange: str | None
    mode: str
    since: datetime | None
    until: datetime | None
    state: str
    row_count: int | None
    size: int | None
    sha256: str | None
    error: str | None
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    file_name: str


@dataclass(frozen=True, slots=True)
class ExportReports:
    """A page, newest first."""

    results: list[ExportReport]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A finished file, to be sent part by part."""

    report: ExportReport
    media_type: str
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file should hold. `account`: id or label; without it all of the exchange and mode."""

    kind: str
    format: str
    account: str | None = None
    exchange: str | None = None
    mode: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def require_sense(self) -> None:
        """Raises Invalid."""
        problems = []
        if self.kind not in kinds.KINDS:
            problems.append(("kind", "unknown_value", f"Known: {', '.join(kinds.KINDS)}."))
        elif self.format not in (known := kinds.formats(self.kind)):
            problems.append(("format", "unknown_value", f"Of {self.kind} there is {', '.join(known)}."))
        if self.kind == kinds.COMPLETE and (self.since or self.until):
            problems.append(("since", "not_allowed", "A complete export has the whole history."))
        if self.since and self.until and self.since >= self.until:
            problems.append(("until", "empty_span", "It ends before it begins."))
        if problems:
            errors = [
                {"pointer": f"/{name}", "code": code, "detail": detail} for name, code, detail in problems
            ]
            raise Invalid("There is no such export.", errors=errors)


def content(*, user: User, asked: Asked, counts: Counts, at: datetime) -> Generator[bytes, None, None]:
    """The file, bit by bit; needs an open door until its end. Raises NotFound, Invalid."""
    scope = resolve(exchange=asked.exchange, account=asked.account, mode=asked.mode)
    return kinds.write(
        kind=asked.kind,
        file_format=asked.format,
        user=user,
        selection=Selection(scope.account_ids, asked.since, asked.until, user.reporting_currency),
        at=at,
        counts=counts,
        more=(rejected_files.PART,),
    )


def request(*, user_id: UUID, asked: Asked, at: datetime) -> ExportReport:
    """Ask for a file; one that is asked for already and not written yet is answered itself. Raises Invalid, NotFound,
    TooManyExports."""
    asked.require_sense()
    with tenancy.acting_as(user_id):
        scope = resolve(exchange=asked.exchange, account=asked.account, mode=asked.mode)
        named = ExchangeAccount.objects.get(id=scope.account_ids[0]) if asked.account else None
        wanted: dict[str, Any] = {
            "kind": asked.kind,
            "format": asked.format,
            "account_id": named.id if named else None,
            "exchange": asked.exchange or "",
            "mode": named.mode if named else asked.mode or Mode.LIVE.value,
            "since": asked.since,
            "until": asked.until,
        }
        return _report(_waiting(wanted) or _queue(user_id, wanted, at))


def asked_by(row: Export) -> Asked:
    """What a stored request asks for."""
    return Asked(
        kind=row.kind,
        format=row.format,
        account=str(row.account_id) if row.account_id else None,
        exchange=row.exchange or None,
        mode=row.mode,
        since=row.since,
        until=row.until,
    )


def page(*, user_id: UUID, limit: int = 50, cursor: str | None = None) -> ExportReports:
    """The user's files. Raises Invalid for a cursor of nobody."""
    with tenancy.acting_as(user_id):
        rows = Export.objects.select_related("account").order_by("-requested_at", "-id")
        if cursor is not None:
            rows = rows.filter(Place.read(cursor).beyond("requested_at"))
        found = list(rows[: limit + 1])
    page, following = cut(found, limit, lambda row: Place(row.requested_at, row.id))
    return ExportReports(results=[_report(row) for row in page], next_cursor=following)


def show(*, user_id: UUID, export_id: int) -> ExportReport:
    """One file. Raises NotFound."""
    with tenancy.acting_as(user_id):
        return _report(find(export_id))


def delete(*, user_id: UUID, export_id: int) -> None:
    """Throw a file away before its time, or do not write it. Raises NotFound, BeingWritten."""
    with tenancy.acting_as(user_id):
        row = find(export_id)
        # The parts its writer has not committed yet hold on to it: to wait for them may take minutes.
        if not Export.objects.select_for_update(skip_locked=True).filter(id=export_id).exists():
            raise BeingWritten("The file is being written: delete it when that is done.")
        row.delete()


def delete_all(*, user_id: UUID) -> None:
    """Throw all files of a user away, also those that wait. For who leaves: what is being written comes to nothing by
    itself then."""
    with tenancy.acting_as(user_id):
        free = Export.objects.select_for_update(skip_locked=True).values_list("id", flat=True)
        Export.objects.filter(id__in=list(free)).delete()


def download(*, user_id: UUID, export_id: int) -> File:
    """A finished file, for its owner; that it was taken away is audited. Raises NotFound, NotReady."""
    with tenancy.acting_as(user_id):
        row = find(export_id)
        if row.state != ExportState.READY:
            raise NotReady(f"There is no file: {row.error}" if row.error else "The file is not written yet.")
        audit.record(
            audit.Action.EXPORT,
            user_id=user_id,
            table=_TABLE,
            record_id=str(row.id),
            step="downloaded",
            kind=row.kind,
            size=row.size,
            sha256=row.sha256,
        )
    return File(_report(row), kinds.MEDIA_TYPES[row.format], _content(user_id, row.id))


def find(export_id: int) -> Export:
    """Inside the owner's open door. Raises NotFound."""
    row = Export.objects.select_related("account", "user").filter(id=export_id).first()
    if row is None:
        raise NotFound("There is no such export.")
    return row


def _queue(user_id: UUID, wanted: dict[str, Any], at: datetime) -> Export:
    if Export.objects.filter(state__in=WORKING).count() >= MOST_WAITING:
        raise TooManyExports(f"{MOST_WAITING} exports are being written: wait for one of them.")
    if Export.objects.filter(expires_at__gt=at).count() >= MOST_KEPT:
        raise TooManyExports(f"{MOST_KEPT} exports are kept: delete one first.")
    try:
        with transaction.atomic():
            made = Export.objects.create(user_id=user_id, requested_at=at, expires_at=at + KEPT, **wanted)
    except IntegrityError:  # asked for at the same moment
        if (found := _waiting(wanted)) is None:
            raise
        return found
    transaction.on_commit(partial(broker.hint_soon, broker.EXPORT_TASK, [], queue=broker.SYNC))
    row = find(made.id)
    told = {"kind": row.kind, "format": row.format, "account": row.account.label if row.account else None}
    audit.record(
        audit.Action.EXPORT, user_id=user_id, table=_TABLE, record_id=str(row.id), step="requested", **told
    )
    return row


def _waiting(wanted: dict[str, Any]) -> Export | None:
    exactly = {
        f"{name}__isnull" if value is None else name: value is None or value for name, value in wanted.items()
    }
    return Export.objects.select_related("account").filter(state__in=WORKING, **exactly).first()


def _content(user_id: UUID, export_id: int) -> Iterator[bytes]:
    """Part by part, each read in a door of its own: a slow reader keeps no transaction open."""
    sequence = 0
    while True:
        with tenancy.acting_as(user_id):
            parts = ExportPart.objects.filter(export_id=export_id, sequence=sequence)
            content = parts.values_list("content", flat=True).first()
        if content is None:
            return
        yield zlib.decompress(content)
        sequence += 1


def _report(row: Export) -> ExportReport:
    return ExportReport(
        id=row.id,
        kind=row.kind,
        format=row.format,
        account=row.account.label if row.account else None,
        exchange=row.exchange or None,
        mode=row.mode,
        since=row.since,
        until=row.until,
        state=row.state,
        row_count=row.row_count,
        size=row.size,
        sha256=row.sha256 or None,
        error=row.error or None,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        file_name=f"{row.kind}-{row.requested_at:%Y-%m-%d}-{row.id}.{row.format}",
    )
