"""The worker's side of live reads: the streams behind an answer are read at once, by the same functions and into the
same rows as a sync, under the same leases, but without a run: a long sync of the account goes on beside it."""

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from core import clock as clocks
from core.django import tenancy
from credentials import accounts, vault
from credentials.accounts import KeyReplaced
from credentials.models import ExchangeAccount, KeyState
from credentials.vault import KeyVersion, Purpose
from exchanges import registry
from exchanges.base import Account as Client
from exchanges.base import Markets
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow
from orders.models import Fill
from pipeline import cursors, derive, market, priorities, rejected, schedule
from pipeline.clients import open_client
from pipeline.live import BUSY, CLOSED, TIMEOUT, Reading, What
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.priorities import Priority
from pipeline.session import Clock, Session, SliceOver
from pipeline.work import HANDLERS

logger = logging.getLogger(__name__)

LONGEST: Final = timedelta(seconds=8)  # then whoever waits is told what came so far
JUST_NOW: Final = timedelta(seconds=2)  # whoever asks again and again gets what came last
_LOOK_SECONDS: Final = 0.2
_MOST_SCOPES: Final = 10  # symbols of one reading
_LATEST: Final = 500  # fills that tell which were traded last
NOT_SUPPORTED: Final = "not_supported"
NEVER_READ: Final = "never_read"
_STATES: Final[Mapping[What, tuple[Stream, ...]]] = {
    What.BALANCES: (Stream.BALANCES,),
    What.SNAPSHOT: (Stream.BALANCES,),
    What.OPEN_ORDERS: (Stream.OPEN_ORDERS,),
    What.ORDERS: (Stream.OPEN_ORDERS,),
    What.FILLS: (Stream.BALANCES, Stream.OPEN_ORDERS),
    What.DEPOSITS: (Stream.DEPOSITS,),
    What.WITHDRAWALS: (Stream.WITHDRAWALS,),
    What.TRANSFERS: (Stream.BALANCES, Stream.TRANSFERS),
}
_CONTRACT_STATES: Final = (What.OPEN_ORDERS, What.ORDERS, What.FILLS)
_BY_SYMBOL: Final = {What.ORDERS: Stream.ORDERS, What.FILLS: Stream.FILLS}
_BY_CONTRACT: Final = {What.ORDERS: Stream.CONTRACT_ORDERS, What.FILLS: Stream.CONTRACT_FILLS}


class Refused(Exception):
    """The read cannot be done now; the text says why, in a word."""


class LiveSession(Session):
    """A session without a run: nothing is told of its progress, and it has seconds, not minutes."""

    __slots__ = ()

    @contextmanager
    def door(self, step: str = "") -> Iterator[datetime]:
        with tenancy.acting_as(self.account.user_id):
            yield self.clock()

    def set_aside(self, place: rejected.Place, bad: Sequence[BadRow]) -> int:
        """Undone with its page: the next sync reads it again and keeps what is wrong with it."""
        if bad:
            raise ExchangeError(ErrorKind.DOWN, f"A row is unreadable: {bad[0].reason}", code="row")
        return 0

    def mend(self, place: rejected.Place, bad: Sequence[BadRow]) -> None:
        """Left to the next sync."""

    def check_time(self) -> None:
        if self.clock() - self.started > LONGEST:
            raise SliceOver


def perform(reading: Reading, *, clock: Clock = clocks.now) -> str:
    """Read what is asked for and store it; answers why not all of it came, in a word, "" when it did. Outside any
    door; raises nothing an exchange could cause."""
    try:
        with priorities.using(Priority.INTERACTIVE):
            if reading.user_id is None or reading.account_id is None:
                _refresh_public(reading, clock)
            else:
                _read_account(reading, reading.user_id, reading.account_id, clock)
    except Refused as refused:
        return str(refused)
    except ExchangeError as error:
        logger.info("Live read of %s: %s", reading.what, error)
        return str(error.kind)
    except SliceOver:
        return TIMEOUT
    except KeyReplaced:
        return "key_replaced"
    return ""


def _refresh_public(reading: Reading, clock: Clock) -> None:
    if reading.exchange not in registry.supported():
        raise Refused(NOT_SUPPORTED)
    market.refresh_prices(exchange=reading.exchange, now=clock)


def _read_account(reading: Reading, user_id: UUID, account_id: UUID, clock: Clock) -> None:
    account = _usable(user_id, account_id)
    markets = market.known_markets(exchange=account.exchange, now=clock)
    with open_client(account, purpose=Purpose.LIVE, markets=markets, clock=clock) as (client, key):
        session = _open(account, client, key, markets, clock)
        try:
            for stream in _STATES[reading.what]:
                _read(
                    session, stream, is_optional=stream is Stream.TRANSFERS
                )  # not of an account of one wallet
            if reading.contracts and reading.what in _CONTRACT_STATES:
                _read(session, Stream.CONTRACT_OPEN, is_optional=True)
            _read_scopes(session, reading)
        except ExchangeError as error:
            _judge(account, error, key, clock)
            raise
    if reading.what is What.SNAPSHOT and not _is_synced_now(account):
        derive.bring_up_to_date(user_id=user_id, account_id=account_id, at=clock(), now=clock)


def _usable(user_id: UUID, account_id: UUID) -> ExchangeAccount:
    """An account whose key was looked at and found good. Raises Refused."""
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").filter(id=account_id, is_active=True).first()
    if account is None:
        raise Refused(CLOSED)
    if account.exchange not in registry.supported():
        raise Refused(NOT_SUPPORTED)
    if account.key_state not in (KeyState.GOOD, KeyState.FAILING):
        raise Refused(f"key_{account.key_state}")
    return account


def _read_scopes(session: Session, reading: Reading) -> None:
    """The symbol that was asked for, those where something moved, and the ones traded last."""
    if stream := _BY_SYMBOL.get(reading.what):
        for symbol in _first(session, reading, session.live, among=session.asked):
            _read(session, stream, symbol, is_optional=True)
    if reading.contracts and (stream := _BY_CONTRACT.get(reading.what)):
        for scope in _first(session, reading, session.contract_live, among=session.contract_scopes):
            _read(session, stream, scope, is_optional=True)


def _first(
    session: Session, reading: Reading, moved: Collection[str], *, among: Collection[str]
) -> list[str]:
    """What is worth asking for, the most wanted first. A round trip moves no balance: only looking finds it."""
    with session.door():
        fills = Fill.objects.filter(account=session.account).order_by("-executed_at")
        traded = list(fills.values_list("symbol", flat=True)[:_LATEST])
    whole = among if len(among) <= _MOST_SCOPES else ()
    wanted = dict.fromkeys([reading.symbol, *sorted(moved), *traded, *sorted(whole)])
    return [scope for scope in wanted if scope in among][:_MOST_SCOPES]


def _read(session: Session, stream: Stream, scope: str = "", *, is_optional: bool = False) -> None:
    """One stream, under a lease, unless it was read just now; a sync that holds it is waited for.

    Raises ExchangeError, SliceOver, Refused.
    """
    while True:
        stored = _find(session, stream, scope)
        if stored is None:
            if is_optional:
                return
            raise Refused(NEVER_READ)
        if stored.last_ok_at is not None and stored.last_ok_at > session.started - JUST_NOW:
            return
        if (cursor := _claim(session, stored)) is not None:
            break
        if session.clock() - session.started > LONGEST:
            raise Refused(BUSY)
        time.sleep(_LOOK_SECONDS)
    try:
        HANDLERS[stream](session, cursor)
    finally:
        with session.door():  # unless `finish` gave it back already
            SyncCursor.objects.filter(id=cursor.id, leased_until=cursor.leased_until).update(
                leased_until=None
            )
    session.check_time()


def _find(session: Session, stream: Stream, scope: str) -> SyncCursor | None:
    with session.door():
        return SyncCursor.objects.filter(account=session.account, stream=stream, scope=scope).first()


def _claim(session: Session, stored: SyncCursor) -> SyncCursor | None:
    """The cursor as it is now, ours for the length of a lease; None while somebody has it."""
    with session.door() as now:
        rows = SyncCursor.objects.filter(id=stored.id)
        free = rows.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
        return rows.get() if free.update(leased_until=now + cursors.LEASE) else None


def _judge(account: ExchangeAccount, error: ExchangeError, key: KeyVersion, clock: Clock) -> None:
    """A refused key is, as in a sync. Budgets and outages are noted where requests go out."""
    if error.kind is not ErrorKind.AUTH or error.code == vault.NoKeys.code:
        return
    now = clock()
    with tenancy.acting_as(account.user_id):
        again = schedule.retry_at(error, failures=1, at=now)
        cursors.make_due(account_id=account.id, streams=[Stream.PERMISSIONS], at=again)
        accounts.note_auth_failure(account=account, detail=error.detail, at=now, version=key)


def _is_synced_now(account: ExchangeAccount) -> bool:
    """A run derives by itself."""
    with tenancy.acting_as(account.user_id):
        return SyncRun.objects.filter(account=account, status=RunStatus.RUNNING).exists()


def _open(
    account: ExchangeAccount, client: Client, key: KeyVersion, markets: Markets, clock: Clock
) -> LiveSession:
    started = clock()
    with tenancy.acting_as(account.user_id):
        return LiveSession(
            account=account,
            run=SyncRun(user_id=account.user_id, account=account, trigger=Trigger.USER, requested_at=started),
            client=client,
            key=key,
            markets=markets,
            clock=clock,
            progress=lambda run: None,
            started=started,
            is_active=schedule.is_active(account.user.seen_at, started),
            asked=_scopes(account, Stream.FILLS),
            followed=_scopes(account, Stream.ORDERS),
            contract_scopes=_scopes(account, Stream.CONTRACT_FILLS),
            unread=set(),
        )


def _scopes(account: ExchangeAccount, stream: Stream) -> set[str]:
    return cursors.symbols(account_id=account.id, stream=stream)
