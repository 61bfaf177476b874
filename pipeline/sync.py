"""One go at one account: its key is checked, every due stream is read, what is new is stored and derived from."""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import InterfaceError, OperationalError

from core import clock as time
from core.django import tenancy
from core.errors import NotFound
from credentials import accounts, vault
from credentials.accounts import KeyReplaced
from credentials.models import ExchangeAccount, KeyState
from credentials.vault import KeyVersion, Purpose
from exchanges.base import NO_MARKETS, Markets
from exchanges.base import Account as Client
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import (
    backfill,
    contract_scopes,
    cursors,
    derive,
    discovery,
    governors,
    market,
    pace,
    reconcile,
    rejected,
    runs,
    schedule,
)
from pipeline.backfill import Span
from pipeline.clients import open_client
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.session import Clock, Progress, Session, SliceOver, Stopped
from pipeline.streams import MovedOn, end_forgotten
from pipeline.words import UNREADABLE
from pipeline.work import work_due
from portfolio.models import ReportedPosition

logger = logging.getLogger(__name__)

Ending = tuple[RunStatus, str, str]  # status, kind of error, detail in words
WAITS_FOR_BUDGET: Final[Ending] = (
    RunStatus.PARTIAL, "", "There is more; it goes on when the exchange allows more requests.",
)  # fmt: skip
# Each tells what to ask those after it.
_FIRST = (
    *(Stream.BALANCES, Stream.POSITIONS, Stream.OPEN_ORDERS, Stream.CONTRACT_OPEN, Stream.DEPOSITS),
    *(Stream.WITHDRAWALS, Stream.TRANSFERS, Stream.REBATES, Stream.CHARGES, Stream.DIVIDENDS),
    *(Stream.CONVERSIONS, Stream.FUNDING),
)
_CONTRACT_TRADES = (Stream.CONTRACT_ORDERS, Stream.CONTRACT_RECHECK, Stream.CONTRACT_ORDERS)


def sync_account(
    *,
    user_id: UUID,
    account_id: UUID,
    trigger: Trigger,
    at: datetime,
    progress: Progress | None = None,
    clock: Clock = time.now,
    purpose: Purpose = Purpose.SYNC,
    span: Span | None = None,
) -> SyncRun | None:
    """Read what is due (or, if given, a span again) and derive what follows; answers the finished run.

    For the purpose of a key check only the key is looked at: a run that finds it good is queued again, for whoever
    reads the rest. None: nothing is due, or another worker has the account. Opens its own doors; raises NotFound.
    `progress` is called with the run after every page. What an exchange refuses is told by the run, never raised.
    """
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").filter(id=account_id, is_active=True).first()
        if account is None:
            raise NotFound("There is no such account.")
        cursors.ensure_whole(account=account, due_at=at)
        if account.key_state == KeyState.UNCHECKED and cursors.has_due(account_id=account_id, at=at):
            cursors.make_due(account_id=account_id, streams=[Stream.PERMISSIONS], at=at)
        run = runs.begin(account=account, trigger=trigger, now=at)
    if run is None:
        return None
    try:
        _work(account, run, purpose, span, clock, progress or (lambda run: None))
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
        _stop(
            account,
            ExchangeError(ErrorKind.BUG, f"Our own fault: {type(error).__name__}."),
            None,
            None,
            clock,
        )
        _close(run, RunStatus.FAILED, ErrorKind.BUG, f"Our own fault: {type(error).__name__}.", clock)
    return run


def _work(
    account: ExchangeAccount,
    run: SyncRun,
    purpose: Purpose,
    span: Span | None,
    clock: Clock,
    progress: Progress,
) -> None:
    """Facts, then what follows from them; closes the run, or queues it again once its key was checked."""
    is_check = purpose is Purpose.KEY_CHECK
    try:
        governors.require(market.purse(account.exchange, account), market.watch(now=clock))
        markets = NO_MARKETS if is_check else market.known_markets(exchange=account.exchange, now=clock)
        with open_client(account, purpose=purpose, markets=markets, clock=clock) as (client, key):
            session = _open_session(account, run, client, key, markets, clock, progress)
            ending = _visit(session, key_only=is_check, span=span)
            if is_check and ending is None:
                _queue_again(run, clock)
                return
            _derive(session)
            reconcile.after_run(session, is_whole=ending is None)
        _close(run, *(ending or _verdict(session)), clock)
    except ExchangeError as error:  # before the first stream, or between two
        _stop(account, error, None, None, clock)
        is_put_off = error.code == governors.SPENT
        _close(
            run, *(WAITS_FOR_BUDGET if is_put_off else (RunStatus.FAILED, error.kind, error.detail)), clock
        )
    except MovedOn as moved:
        _close(run, RunStatus.OK, "", "The account was connected before and goes on there.", clock)
        _ask_anew(account.user_id, moved.account_id, clock)
    except KeyReplaced as replaced:
        _close(run, RunStatus.PARTIAL, "", replaced.message, clock)
        _ask_anew(account.user_id, account.id, clock)


def _visit(session: Session, *, key_only: bool, span: Span | None) -> Ending | None:
    """Read, and note what news cost. A first reading is none of those that come again and again, and a run that only
    goes on with history is no visit."""
    with pace.tallied() as tally:
        try:
            return _read(session, key_only=key_only, span=span)
        finally:
            if session.reported_at is not None and not session.is_first:
                pace.note(exchange=session.account.exchange, tally=tally, at=session.started)


def _read(session: Session, *, key_only: bool, span: Span | None) -> Ending | None:
    """Every due stream, in the order in which one tells what to ask the next; says why when it ended early."""
    try:
        work_due(session, Stream.PERMISSIONS)
        _require_checked(session)
        if key_only:
            return None
        if span is not None:
            backfill.read(session, span)
            return None
        contract_scopes.ensure(session)
        if session.is_first:
            _glance(session)
        for stream in _FIRST:
            work_due(session, stream)
        discovery.explore_contracts(session)
        discovery.explore(session)
        work_due(session, Stream.ORDERS)
        for stream in _CONTRACT_TRADES:
            work_due(session, stream)
        discovery.search(session)
        work_due(session, Stream.RECHECK)
        work_due(session, Stream.ORDERS)
        end_forgotten(session)
    except SliceOver:
        return RunStatus.PARTIAL, "", "There is more history; the next run goes on."
    except Stopped as stopped:
        _stop(session.account, stopped.error, stopped.until, session.key, session.clock)
        return RunStatus.FAILED, stopped.error.kind, stopped.error.detail
    return None


def _glance(session: Session) -> None:
    """Of an account never read: what it is now and the newest days, shown before the long reading begins."""
    session.glances = True
    for stream in schedule.STATES:
        work_due(session, stream)
    discovery.explore_contracts(session)
    discovery.explore(session)
    session.glances = False
    with session.door():
        cursors.release(account_id=session.account.id)
    session.run.steps_total += 1
    _derive(session)


def _require_checked(session: Session) -> None:
    """A key that nobody looked at yet may be one that can withdraw: it is used for nothing. Raises Stopped, or
    ExchangeError where the look waits for the budget."""
    if session.account.key_state != KeyState.UNCHECKED:
        return
    if session.spent and not session.problems:
        raise governors.spent(retry_at=max(session.spent.values()))
    error = next(
        iter(session.problems), ExchangeError(ErrorKind.DOWN, "The key is not checked yet.", code="unchecked")
    )
    raise Stopped(error, schedule.retry_at(error, failures=1, at=session.clock()))


def _derive(session: Session) -> None:
    """Only when something changed: a quiet account costs nothing."""
    if not session.run.counts and not session.stored:
        return
    session.let_files_go()

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
    if session.spent:
        return WAITS_FOR_BUDGET
    return RunStatus.OK, "", ""


def _close(run: SyncRun, status: RunStatus, kind: str, detail: str, clock: Clock) -> None:
    run.error_kind, run.error_detail = str(kind), detail
    with tenancy.acting_as(run.user_id):
        runs.finish(run, status=status, now=clock())


def _queue_again(run: SyncRun, clock: Clock) -> None:
    with tenancy.acting_as(run.user_id):
        runs.queue_again(run, now=clock())


def _ask_anew(user_id: UUID, account_id: UUID, clock: Clock) -> None:
    with suppress(NotFound):  # closed meanwhile
        runs.request(user_id=user_id, account_ids=[account_id], trigger=Trigger.CONNECT, at=clock())


def _stop(
    account: ExchangeAccount,
    error: ExchangeError,
    until: datetime | None,
    key: KeyVersion | None,
    clock: Clock,
) -> None:
    """The whole account waits; a refused key is judged."""
    now = clock()
    until = until or schedule.retry_at(error, failures=1, at=now)
    with tenancy.acting_as(account.user_id):
        cursors.postpone(account_id=account.id, until=until)
        if error.kind is not ErrorKind.AUTH:
            accounts.note_unasked(account=account)
        else:
            cursors.make_due(account_id=account.id, streams=[Stream.PERMISSIONS], at=until)
            if error.code not in ("disabled", vault.NoKeys.code):
                accounts.note_auth_failure(account=account, detail=error.detail, at=now, version=key)


def _open_session(
    account: ExchangeAccount,
    run: SyncRun,
    client: Client,
    key: KeyVersion,
    markets: Markets,
    clock: Clock,
    progress: Progress,
) -> Session:
    started = clock()
    with tenancy.acting_as(account.user_id):
        due = SyncCursor.objects.filter(account=account, due_at__lte=started).count()
        run.steps_total = run.steps_done + due + 1
        return Session(
            account=account,
            run=run,
            client=client,
            key=key,
            markets=markets,
            clock=clock,
            progress=progress,
            started=started,
            is_active=schedule.is_active(account.user.seen_at, started),
            pace=pace.find(account.exchange).pace,
            asked=cursors.symbols(account_id=account.id, stream=Stream.FILLS),
            followed=cursors.symbols(account_id=account.id, stream=Stream.ORDERS),
            contract_scopes=cursors.symbols(account_id=account.id, stream=Stream.CONTRACT_FILLS),
            is_first=not SyncCursor.objects.filter(
                account=account, stream=Stream.BALANCES, last_ok_at__isnull=False
            ).exists(),
            holds_contracts=ReportedPosition.objects.filter(account=account, quantity__gt=0).exists(),
            unread=rejected.open_places(run=run),
        )
