"""What can be asked now and what cannot, since when and why, and how old what is known has become meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Final
from uuid import UUID

from django.db.models import Max

from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from exchanges import registry
from exchanges.errors import ErrorKind
from marketdata.models import Ticker
from pipeline import breakers, market, pace, pauses, selectors, stops, words
from pipeline.models import Stream, SyncRun
from pipeline.schedule import USUAL, Pace
from pipeline.selectors import SyncState
from pipeline.stops import Stop
from portfolio.scope import Scope
from portfolio.selectors.freshness import STALE_AFTER, Freshness, freshness
from portfolio.selectors.positions import is_stale


class State(StrEnum):
    OK = "ok"
    WAITING = "waiting"  # the exchange asked for it
    DOWN = "down"  # it fails, or nothing reaches it
    REFUSED = "refused"  # the key


_UNANSWERED: Final = 2  # visits in a row: a single one happens
_STATES: Final[Mapping[str, State]] = {
    stops.PAUSED: State.WAITING,
    stops.BREAKER: State.DOWN,
    stops.NETWORK: State.DOWN,
}


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """Whether everything pauses because nothing can be reached."""

    is_paused: bool
    since: datetime | None
    reason: str
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExchangeReport:
    """`state`: ok, waiting (the exchange asked for it) or down. `data_as_of`: when its prices were read last."""

    exchange: str
    title: str
    state: str
    since: datetime | None
    reason: str
    retry_at: datetime | None
    data_as_of: datetime | None
    is_stale: bool
    read_every_seconds: int
    """How often accounts there are read while their owners look."""
    slowed_by: str
    """Why that is less often than usual, in words; empty when it is not."""


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """`state`: ok, waiting, down, or refused (its key). `data_as_of`: when its balances were read last, and
    `next_read_at` when they will be."""

    account_id: UUID
    label: str
    exchange: str
    state: str
    since: datetime | None
    reason: str
    retry_at: datetime | None
    data_as_of: datetime | None
    is_stale: bool
    next_read_at: datetime | None
    read_every_seconds: int
    slowed_by: str


@dataclass(frozen=True, slots=True)
class Connectivity:
    """The network, the exchanges that concern the user, and the user's own accounts."""

    network: NetworkReport
    exchanges: list[ExchangeReport]
    accounts: list[ConnectionReport]

    @property
    def troubled(self) -> list[ConnectionReport]:
        """Accounts that cannot be read now, though their keys are good."""
        return [account for account in self.accounts if account.state in (State.WAITING, State.DOWN)]

    @property
    def slowed(self) -> list[ExchangeReport]:
        """Exchanges that can be asked, but not as often as usual."""
        return [each for each in self.exchanges if each.slowed_by and each.state == State.OK]


def connectivity(*, user_id: UUID, at: datetime) -> Connectivity:
    """How it stands for a user. Opens its own door."""
    accounts = selectors.sync_state(user_id=user_id)
    names = sorted({state.account.exchange for state in accounts} & set(registry.supported()))
    network, by_exchange, by_account = _find([state.account for state in accounts], names, at)
    with tenancy.acting_as(user_id):
        failing = selectors.failing_runs([state.account.id for state in accounts])
    paces = {name: state.pace for name, state in pace.find_all(names).items()}
    prices = dict(
        Ticker.objects.filter(listing__exchange__in=names)
        .values_list("listing__exchange")
        .annotate(at=Max("read_at"))
        .order_by()
    )
    stopped = {
        state.account.id: by_account[state.account.id] or _unanswered(state, failing, at)
        for state in accounts
    }
    return Connectivity(
        network=NetworkReport(
            is_paused=network is not None,
            since=network.since if network else None,
            reason=network.detail if network else "",
            retry_at=network.until if network else None,
        ),
        exchanges=[
            _exchange(
                name, by_exchange[name] or _shared(name, accounts, stopped), prices.get(name), paces[name], at
            )
            for name in names
        ],
        accounts=[
            _account(state, stopped[state.account.id], paces.get(state.account.exchange, USUAL), at)
            for state in accounts
        ],
    )


def known_as_of(*, user_id: UUID, scope: Scope, at: datetime) -> Freshness:
    """The age of what is shown of these accounts: folding old facts anew makes them no younger than the exchange's
    last word. Inside an open door."""
    fresh = freshness(scope=scope, at=at)
    read = [
        state.balances_at
        for state in selectors.sync_state(user_id=user_id)
        if state.account.id in scope.living_ids and state.balances_at is not None
    ]
    times = [*read, *([fresh.as_of] if fresh.as_of else [])]
    oldest = min(times, default=None)
    is_old = any(at - moment > 2 * STALE_AFTER for moment in read)
    return Freshness(as_of=oldest, is_stale=fresh.is_stale or is_old)


def _find(
    accounts: Sequence[ExchangeAccount], names: Sequence[str], at: datetime
) -> tuple[Stop | None, dict[str, Stop | None], dict[UUID, Stop | None]]:
    """What stops everything, each exchange, each account; in one question."""
    keys = [breakers.network_key()]
    for name in names:
        keys += [breakers.exchange_key(name), pauses.address_key(name)]
    keys += [
        pauses.account_key(account.exchange, market.purse(account.exchange, account).account)
        for account in accounts
    ]
    network, *rest = stops.find(keys, now=at)
    pairs, own = rest[: 2 * len(names)], rest[2 * len(names) :]
    by_exchange = {
        name: network or down or paused
        for name, down, paused in zip(names, pairs[::2], pairs[1::2], strict=True)
    }
    by_account = {
        account.id: by_exchange.get(account.exchange) or paused
        for account, paused in zip(accounts, own, strict=True)
    }
    return network, by_exchange, by_account


def _unanswered(state: SyncState, failing: Mapping[UUID, Sequence[SyncRun]], at: datetime) -> Stop | None:
    """What its owner sees of an exchange that fails for too few accounts to be called down: visits in a row that
    did not reach it or that it failed, or that brought no balances while the rest could be read."""
    runs = list(takewhile(lambda run: run.error_kind in breakers.KINDS, failing.get(state.account.id, [])))
    if len(runs) < _UNANSWERED:
        return _without_balances(state, at)
    return Stop(
        stops.BREAKER,
        ErrorKind(runs[0].error_kind),
        words.explain(runs[0].error_kind),
        since=runs[-1].started_at or runs[-1].requested_at,
        until=min((stream.due_at for stream in state.streams.values()), default=runs[0].requested_at),
    )


def _shared(exchange: str, accounts: Sequence[SyncState], stopped: Mapping[UUID, Stop | None]) -> Stop | None:
    """An exchange that fails for every account its user has there is down for this user, whoever else it answers."""
    stops_there = [
        stopped[state.account.id]
        for state in accounts
        if state.account.exchange == exchange and state.account.key_state != KeyState.DISABLED
    ]
    failing = [stop for stop in stops_there if stop is not None and stop.code == stops.BREAKER]
    return max(failing, key=lambda stop: stop.since) if failing and len(failing) == len(stops_there) else None


def _without_balances(state: SyncState, at: datetime) -> Stop | None:
    told = state.streams.get(Stream.BALANCES)
    if told is None or told.failures < _UNANSWERED or told.error_kind not in breakers.KINDS:
        return None
    reason = f"Balances cannot be read. {told.explanation}"
    since = told.last_ok_at or state.account.created_at
    return Stop(stops.BREAKER, ErrorKind(told.error_kind), reason, since=since, until=max(told.due_at, at))


def _exchange(
    name: str, stop: Stop | None, read_at: datetime | None, rhythm: Pace, at: datetime
) -> ExchangeReport:
    return ExchangeReport(
        exchange=name,
        title=registry.supported()[name].title,
        state=_STATES[stop.code] if stop else State.OK,
        since=stop.since if stop else None,
        reason=stop.detail if stop else "",
        retry_at=stop.until if stop else None,
        data_as_of=read_at,
        is_stale=is_stale(read_at, at),
        read_every_seconds=round(rhythm.prompt.total_seconds()),
        slowed_by=words.slowed(name, rhythm),
    )


def _account(state: SyncState, stop: Stop | None, rhythm: Pace, at: datetime) -> ConnectionReport:
    account = state.account
    is_refused = account.key_state == KeyState.DISABLED
    known = _STATES[stop.code] if stop else State.OK
    read_at = state.balances_at
    return ConnectionReport(
        account_id=account.id,
        label=account.label,
        exchange=account.exchange,
        state=State.REFUSED if is_refused else known,
        since=account.checked_at if is_refused else stop.since if stop else None,
        reason=account.key_note if is_refused else stop.detail if stop else "",
        retry_at=stop.until if stop and not is_refused else None,
        data_as_of=read_at,
        is_stale=read_at is None or at - read_at > 2 * STALE_AFTER,
        next_read_at=None if is_refused else state.next_read_at(rhythm),
        read_every_seconds=round(rhythm.prompt.total_seconds()),
        slowed_by=words.slowed(account.exchange, rhythm),
    )
