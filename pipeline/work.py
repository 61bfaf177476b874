"""Due streams of one account, worked one after another: what fails alone stops alone."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

from django.db import InterfaceError, OperationalError

from core.django import tenancy
from credentials.accounts import KeyReplaced
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import TransferKind
from pipeline import contract_streams, cursors, priorities, runs, schedule, streams
from pipeline.governors import SPENT
from pipeline.models import Stream, SyncCursor
from pipeline.priorities import Priority
from pipeline.runs import LostRun
from pipeline.session import Session, SliceOver

logger = logging.getLogger(__name__)

HANDLERS: Final[Mapping[str, streams.Handler]] = {
    Stream.PERMISSIONS: streams.permissions,
    Stream.BALANCES: streams.balances,
    Stream.OPEN_ORDERS: streams.open_orders,
    Stream.DEPOSITS: partial(streams.transfers, TransferKind.DEPOSIT),
    Stream.WITHDRAWALS: partial(streams.transfers, TransferKind.WITHDRAWAL),
    Stream.TRANSFERS: partial(streams.transfers, TransferKind.INTERNAL),
    Stream.REBATES: partial(streams.transfers, TransferKind.REBATE),
    Stream.CHARGES: partial(streams.transfers, TransferKind.CHARGE),
    Stream.DIVIDENDS: partial(streams.transfers, TransferKind.AIRDROP),
    Stream.CONVERSIONS: streams.conversions,
    Stream.FILLS: streams.fills,
    Stream.ORDERS: streams.orders,
    Stream.RECHECK: streams.recheck,
    Stream.POSITIONS: contract_streams.positions,
    Stream.CONTRACT_OPEN: contract_streams.open_orders,
    Stream.CONTRACT_FILLS: contract_streams.fills,
    Stream.CONTRACT_ORDERS: contract_streams.orders,
    Stream.CONTRACT_RECHECK: contract_streams.recheck,
    Stream.FUNDING: contract_streams.funding,
}
# They concern the whole run: its row is lost, its time is up, the key is another account's or was replaced, the
# database is gone.
_PASSED_ON: Final = (LostRun, SliceOver, streams.MovedOn, KeyReplaced, OperationalError, InterfaceError)


def work_due(session: Session, stream: Stream) -> int:
    """Read every due cursor of a stream; answers how many. Raises Stopped when the account must wait."""
    worked = 0
    while claimed := _claim(session, stream):
        for cursor in claimed:
            _work(session, cursor)
            session.check_time()
        worked += len(claimed)
    return worked


def _claim(session: Session, stream: Stream) -> list[SyncCursor]:
    """Due cursors, ours for the length of a lease; only while the run is ours too."""
    now = session.clock()
    with tenancy.acting_as(session.account.user_id):
        claimed = cursors.claim(
            account_id=session.account.id, streams=[stream], due_by=session.started, now=now
        )
        if claimed:
            runs.beat(session.run, now=now)
    return claimed


def _work(session: Session, cursor: SyncCursor) -> None:
    is_followed = cursor.scope in session.followed
    priority = priorities.of(cursor, trigger=session.run.trigger, is_followed=is_followed)
    if session.put_off_again(cursor, priority):
        return
    try:
        with priorities.using(priority):
            HANDLERS[cursor.stream](session, cursor)
    except _PASSED_ON:
        raise
    except ExchangeError as error:
        if error.code == SPENT and error.retry_at is not None:
            session.put_off(cursor, priority, _until(session, priority, error.retry_at))
        else:
            session.fail(cursor, error)
    except Exception as error:  # one poisoned page must not keep the other streams from being read
        logger.exception("Stream %s of run %s", cursor, session.run.id)
        words = f"Our own fault while reading {cursor}: {type(error).__name__}."
        session.fail(cursor, ExchangeError(ErrorKind.BUG, words, code="fault"))


def _until(session: Session, priority: Priority, retry_at: datetime) -> datetime:
    """News go on as soon as there is something left for them."""
    if priority >= Priority.INCREMENTAL:
        return retry_at
    return schedule.next_turn(account_id=session.account.id, retry_at=retry_at, at=session.clock())
