"""Whether an account was read completely, what of its history was not, and then: its reports held against its facts."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Count, Min, Q, QuerySet

from core.django import tenancy
from credentials.models import ApiCredential, ExchangeAccount, KeyState
from exchanges.errors import ErrorKind, ExchangeError
from orders.models import Fill, Transfer
from pipeline import discovery, schedule
from pipeline.models import CoverageGap, CursorState, RejectedRow, Stream, SyncCursor
from pipeline.rejected import FROM_FILES
from pipeline.runs import LostRun
from pipeline.session import Session
from portfolio import marks, reconciliation
from portfolio.accounting.causes import Hole
from portfolio.reconciliation import Known, Outcome

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(hours=1)
"""How long a search through all symbols is waited for before a difference is told."""
READING: Final = "reading"
_NAMES: Final = {
    Stream.FILLS: "Fills",
    Stream.DEPOSITS: "Deposits",
    Stream.WITHDRAWALS: "Withdrawals",
    Stream.TRANSFERS: "Transfers between wallets",
    Stream.REBATES: "Rebates",
    Stream.CHARGES: "Charges",
    Stream.DIVIDENDS: "Airdrops and interest",
    Stream.CONVERSIONS: "Conversions",
    Stream.CONTRACT_FILLS: "Fills of contracts",
    Stream.FUNDING: "Funding",
}
"""The streams that move balances and positions."""
_UNREADABLE: Final = "unreadable:"
_STATES: Final = (Stream.BALANCES, Stream.POSITIONS)
_REFUSED: Final = (ErrorKind.PERMISSION, ErrorKind.USER)
"""A stream that the exchange will not tell: waiting for it would be for ever, it is a hole in the history."""


def after_run(session: Session, *, is_whole: bool) -> None:
    """Reconcile the account, if the run came to its end and anything changed since the last time.

    Our own fault is told by the run and undoes nothing: what was read is stored.
    """
    changed = bool(session.run.counts or session.stored)
    try:
        after_read(
            user_id=session.account.user_id,
            account_id=session.account.id,
            at=session.clock(),
            since=session.started,
            is_whole=is_whole and not session.spent,
            changed=changed,
        )
    except (LostRun, OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Reconciling account %s", session.account.id)
        words = f"Our own fault while reconciling: {type(error).__name__}."
        session.problems.append(ExchangeError(ErrorKind.BUG, words, code="fault"))


def after_read(
    *,
    user_id: UUID,
    account_id: UUID,
    at: datetime,
    since: datetime,
    is_whole: bool = True,
    changed: bool = True,
) -> Outcome | None:
    """Reconcile an account whose reading began at `since`; None where nothing changed or not everything was read, which
    is kept in mind. Opens its own doors."""
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.get(id=account_id)
        if not changed and not _waits(account):
            return None
        known = know(account)
        if not is_whole or not _is_complete(account, since=since, at=at):
            marks.reconciled(account=account, at=None, coverage=sorted({*known.codes, READING}))
            return None
    return reconciliation.reconcile(user_id=user_id, account_id=account_id, known=known, at=at)


def _waits(account: ExchangeAccount) -> bool:
    last = marks.reconciled_at(account=account)
    return last is None or CoverageGap.objects.filter(account=account, noted_at__gt=last).exists()


def _is_complete(account: ExchangeAccount, *, since: datetime, at: datetime) -> bool:
    """Whether balances were told, and every stream that moves them was read to its end."""
    rows = SyncCursor.objects.filter(account=account)
    if not rows.filter(stream=Stream.BALANCES, last_ok_at__isnull=False).exists():
        return False
    open_ones = Q(state=CursorState.BACKFILL) | Q(due_at__lte=since) | Q(error_count__gt=0)
    unread = rows.filter(open_ones, stream__in=(*_NAMES, *_STATES)).exclude(error_kind__in=_REFUSED)
    return not unread.exists() and not _searches(account, at)


def _searches(account: ExchangeAccount, at: datetime) -> bool:
    """Whether fills are being looked for in every symbol, not for long yet."""
    cursor = SyncCursor.objects.filter(account=account, stream=Stream.DISCOVERY).first()
    begun = discovery.searched_since(cursor) if cursor is not None else None
    if cursor is None or begun is None:
        return False
    return cursor.due_at <= at + schedule.SWEEP and at - begun < PATIENCE


def is_being_read(account: ExchangeAccount) -> bool:
    """Whether the exchange has still to tell the account's history for the first time. Inside an open door."""
    has_key = ApiCredential.objects.filter(account=account).exists()
    if not account.is_active or not has_key or account.key_state == KeyState.DISABLED:
        return False
    rows = SyncCursor.objects.filter(account=account, stream__in=(*_NAMES, Stream.DISCOVERY))
    unread = rows.filter(state=CursorState.BACKFILL).exclude(error_kind__in=_REFUSED)
    return not rows.exists() or unread.exists()


def know(account: ExchangeAccount) -> Known:
    """What of the account's history was not read. Inside an open door."""
    found = [*_gaps(account), *_older(account), *_refused(account)]
    found += [*_rejected(account), *(_lines_of_files(account) if found or not _is_told(account) else ())]
    positions = SyncCursor.objects.filter(account=account, stream=Stream.POSITIONS, last_ok_at__isnull=False)
    return Known(
        holes=[hole for _, hole in found],
        positions_heard_at=positions.values_list("last_ok_at", flat=True).first(),
        codes=sorted({code for code, _ in found} | _inherited(account)),
    )


def _inherited(account: ExchangeAccount) -> set[str]:
    """What was not known of an account that came by an export where it comes from: nobody reads it here. What could
    not be read there came along, and is judged by that."""
    if SyncCursor.objects.filter(account=account).exists():
        return set()
    codes = set(marks.coverage(account=account))
    if RejectedRow.objects.filter(account=account).exists():
        codes = {code for code in codes if not code.startswith(_UNREADABLE)}
    return codes


def _gaps(account: ExchangeAccount) -> Iterator[tuple[str, Hole]]:
    for gap in CoverageGap.objects.filter(account=account, stream__in=_NAMES).order_by("since"):
        why = "the exchange had forgotten them before they were read"
        days = f"{gap.since:%Y-%m-%d}/{gap.until:%Y-%m-%d}"
        yield f"gap:{gap.stream}@{days}", Hole(_words(gap), gap.since, gap.until, why, _market(gap))


def _older(account: ExchangeAccount) -> Iterator[tuple[str, Hole]]:
    rows = SyncCursor.objects.filter(account=account, stream__in=_NAMES, known_from__isnull=False)
    # Symbols that were only searched say nothing; see `coverage.streams`.
    rows = rows.exclude(stream=Stream.FILLS, row_count=0, error_count=0, scope__gt="")
    if (beginning := _beginning(account)) is not None:
        rows = rows.filter(known_from__gt=beginning)
    for row in rows.order_by("stream", "scope"):
        why = "the exchange keeps no older ones"
        yield (
            f"older_history:{row.stream}@{row.known_from:%Y-%m-%d}",
            Hole(_words(row), None, row.known_from, why, _market(row), is_older=True),
        )


def _beginning(account: ExchangeAccount) -> datetime | None:
    """When the account's history begins: its first fact, where deposits were read from the first on; else unknown."""
    deposits = SyncCursor.objects.filter(account=account, stream=Stream.DEPOSITS, known_from__isnull=True)
    if not deposits.filter(last_ok_at__isnull=False).exists():
        return None
    moments = (
        Fill.objects.filter(account=account).aggregate(at=Min("executed_at"))["at"],
        Transfer.objects.filter(account=account).aggregate(at=Min("occurred_at"))["at"],
    )
    return min((at for at in moments if at is not None), default=None)


def _refused(account: ExchangeAccount) -> Iterator[tuple[str, Hole]]:
    rows = SyncCursor.objects.filter(account=account, stream__in=_NAMES, error_kind__in=_REFUSED)
    for row in rows.order_by("stream", "scope"):
        why = f"the exchange refuses to tell them ({row.error_detail})"
        yield f"refused:{row.stream}", Hole(_words(row), row.last_ok_at, None, why, _market(row))


def _rejected(account: ExchangeAccount) -> Iterator[tuple[str, Hole]]:
    told = _unread_rows(account).exclude(position__startswith=FROM_FILES).order_by("stream", "scope")
    for stream, scope, reason in told.values_list("stream", "scope", "reason").distinct():
        row = RejectedRow(stream=stream, scope=scope)
        yield f"{_UNREADABLE}{stream}", Hole(f"Some {_words(row).lower()}", None, None, reason, _market(row))


def _lines_of_files(account: ExchangeAccount) -> Iterator[tuple[str, Hole]]:
    rows = _unread_rows(account).filter(position__startswith=FROM_FILES).values_list("position")
    for position, count, reason in rows.annotate(Count("id"), Min("reason")).order_by():
        what = f"{count} lines of a file ({position.removeprefix(FROM_FILES)})"
        yield f"{_UNREADABLE}{Stream.FILLS}", Hole(what, None, None, reason)


def _unread_rows(account: ExchangeAccount) -> QuerySet[RejectedRow]:
    return RejectedRow.objects.filter(account=account, stream__in=_NAMES, mended_at__isnull=True)


def _is_told(account: ExchangeAccount) -> bool:
    """Whether the exchange told all it knows: where that is everything, no file has to."""
    rows = SyncCursor.objects.filter(account=account, stream__in=(*_NAMES, Stream.DISCOVERY))
    return rows.exists() and not rows.filter(state=CursorState.BACKFILL).exists()


def _words(row: SyncCursor | CoverageGap | RejectedRow) -> str:
    name = _NAMES[Stream(row.stream)]
    return f"{name} of {row.scope}" if _market(row) else name


def _market(row: SyncCursor | CoverageGap | RejectedRow) -> str:
    """The symbol of spot fills; what contracts are asked by may stand for many."""
    return row.scope if row.stream == Stream.FILLS else ""
