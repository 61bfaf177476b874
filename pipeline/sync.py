"""One go at one account: every due stream is read, what is new is stored, what follows from it is derived."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import InterfaceError, OperationalError

from core import clock as time
from core.django import tenancy
from core.errors import NotFound
from core.vault import VaultError
from credentials import accounts, vault
from credentials.models import ExchangeAccount
from exchanges import registry
from exchanges.base import Account as Client
from exchanges.base import Listings
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import cursors, derive, discovery, market, pauses, rejected, runs, schedule
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.patience import PatientClient
from pipeline.session import Clock, Progress, Session, SliceOver, Stopped
from pipeline.streams import MovedOn
from pipeline.words import UNREADABLE
from pipeline.work import work_due

logger = logging.getLogger(__name__)

Ending = tuple[RunStatus, str, str]  # status, kind of error, detail in words
_FIRST = (Stream.PERMISSIONS, Stream.BALANCES, Stream.OPEN_ORDERS, Stream.DEPOSITS, Stream.WITHDRAWALS)


def sync_account(
    *,
    user_id: UUID,
    account_id: UUID,
    trigger: Trigger,
    at: datetime,
    progress: Progress | None = None,
    clock: Clock = time.now,
) -> SyncRun | None:
    """Read what is due and derive what follows; answers the finished run.

    None: nothing is due, or another worker has the account. Opens its own doors; raises NotFound. `progress` is
    called with the run after every page. What an exchange refuses is told by the run, never raised.
    """
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").filter(id=account_id, is_active=True).first()
        if account is None:
            raise NotFound("There is no such account.")
        cursors.ensure_whole(account=account, due_at=at)
        run = runs.begin(account=account, trigger=trigger, now=at)
    if run is None:
        return None
    try:
        _work(account, run, clock, progress or (lambda run: None))
    except runs.LostRun:
        logger.warning("Run %s was closed by somebody else; it stops here.", run.id)
        return None
    except (OperationalError, InterfaceError):  # no database, no word: the lease runs out by itself
        raise
    except KeyboardInterrupt:
        _close(
            run, RunStatus.FAILED, runs.INTERRUPTED, "Interrupted; the next run goes on from there.", clock
        )
        raise
    except Exception as error:
        logger.exception("Run %s", run.id)
        _stop(account, ExchangeError(ErrorKind.BUG, f"Our own fault: {type(error).__name__}."), None, clock)
        _close(run, RunStatus.FAILED, ErrorKind.BUG, f"Our own fault: {type(error).__name__}.", clock)
    return run


def _work(account: ExchangeAccount, run: SyncRun, clock: Clock, progress: Progress) -> None:
    """Facts, then what follows from them; closes the run."""
    try:
        pauses.check(exchange=account.exchange, now=clock())
        listings = market.known_listings(exchange=account.exchange, now=clock)
        with _open_client(account, listings, clock) as client:
            session = _open_session(account, run, client, listings, clock, progress)
            ending = _read(session)
            _derive(session)
        _close(run, *(ending or _verdict(session)), clock)
    except ExchangeError as error:  # before the first stream
        _stop(account, error, None, clock)
        _close(run, RunStatus.FAILED, error.kind, error.detail, clock)
    except MovedOn as moved:
        _close(run, RunStatus.OK, "", "The account was connected before and goes on there.", clock)
        runs.request(
            user_id=account.user_id, account_ids=[moved.account_id], trigger=Trigger.CONNECT, at=clock()
        )


def _read(session: Session) -> Ending | None:
    """Every due stream, in the order in which one tells what to ask the next; says why when it ended early."""
    try:
        for stream in _FIRST:
            work_due(session, stream)
        discovery.explore(session)
        work_due(session, Stream.ORDERS)
        discovery.search(session)
        work_due(session, Stream.RECHECK)
        work_due(session, Stream.ORDERS)
    except SliceOver:
        return RunStatus.PARTIAL, "", "There is more history; the next run goes on."
    except Stopped as stopped:
        _stop(session.account, stopped.error, stopped.until, session.clock)
        return RunStatus.FAILED, stopped.error.kind, stopped.error.detail
    return None


def _derive(session: Session) -> None:
    """Only when something changed: a quiet account costs nothing."""
    if not session.run.counts and not session.stored:
        return

    def beat(step: str) -> None:
        with session.door(step):
            pass

    derived = derive.bring_up_to_date(
        user_id=session.account.user_id,
        account_id=session.account.id,
        at=session.clock(),
        now=session.clock,
        beat=beat,
    )
    session.run.steps_done += 1
    if derived.problem is not None:
        words = f"Prices could not be fetched: {derived.problem.detail}"
        session.problems.append(ExchangeError(derived.problem.kind, words))


def _verdict(session: Session) -> Ending:
    """How a run that came to its end is closed: with a problem, or rows set aside, it is partial."""
    if session.problems:
        first = session.problems[0]
        return RunStatus.PARTIAL, first.kind, first.detail
    if session.run.rejected_count:
        words = f"{session.run.rejected_count} rows could not be read and were set aside: {session.reason}"
        return RunStatus.PARTIAL, UNREADABLE, words
    return RunStatus.OK, "", ""


def _close(run: SyncRun, status: RunStatus, kind: str, detail: str, clock: Clock) -> None:
    run.error_kind, run.error_detail = str(kind), detail
    with tenancy.acting_as(run.user_id):
        runs.finish(run, status=status, now=clock())


def _stop(account: ExchangeAccount, error: ExchangeError, until: datetime | None, clock: Clock) -> None:
    """The whole account waits; a refused key is judged, a refused address is remembered for all accounts."""
    now = clock()
    until = until or schedule.retry_at(error, failures=1, at=now)
    with tenancy.acting_as(account.user_id):
        cursors.postpone(account_id=account.id, until=until)
        if error.kind is ErrorKind.AUTH:
            cursors.make_due(account_id=account.id, streams=[Stream.PERMISSIONS], at=until)
            if error.code not in ("disabled", vault.NoKeys.code):
                accounts.note_auth_failure(account=account, detail=error.detail, at=now)
    pauses.note(exchange=account.exchange, error=error, until=until, now=now)


@contextmanager
def _open_client(account: ExchangeAccount, listings: Listings, clock: Clock) -> Iterator[Client]:
    """A client whose keys are forgotten at the end. Raises ExchangeError."""
    try:
        with (
            tenancy.acting_as(account.user_id),
            vault.open_keys(account_id=account.id, purpose=vault.Purpose.SYNC) as keys,
        ):
            client = registry.open_account(
                account.exchange, keys, urls=market.urls(), listings=listings, now=clock
            )
    except vault.NoKeys as error:
        raise ExchangeError(ErrorKind.AUTH, error.message, code=error.code) from None
    except VaultError as error:
        raise ExchangeError(ErrorKind.BUG, str(error), code="vault") from None
    try:
        yield cast(Client, PatientClient(client, now=clock))
    finally:
        client.close()


def _open_session(
    account: ExchangeAccount,
    run: SyncRun,
    client: Client,
    listings: Listings,
    clock: Clock,
    progress: Progress,
) -> Session:
    started = clock()
    with tenancy.acting_as(account.user_id):
        due = SyncCursor.objects.filter(account=account, due_at__lte=started).count()
        run.steps_total = due + 1
        return Session(
            account=account,
            run=run,
            client=client,
            listings=listings,
            clock=clock,
            progress=progress,
            started=started,
            is_active=schedule.is_active(account.user.seen_at, started),
            asked=cursors.symbols(account_id=account.id, stream=Stream.FILLS),
            followed=cursors.symbols(account_id=account.id, stream=Stream.ORDERS),
            unread=rejected.open_places(run=run),
        )
