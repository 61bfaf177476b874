"""How the reading of each account stands, in words for its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from credentials.models import ExchangeAccount, KeyState
from exchanges import registry
from exchanges.errors import ErrorKind
from pipeline import pace, runs, selectors
from pipeline.models import RunStatus, SyncRun
from pipeline.schedule import Pace
from portfolio.models import Book
from portfolio.scope import Scope
from portfolio.selectors import freshness

BUSY_SECONDS: Final = 4
QUIET_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class AccountState:
    """`tone` is the chip's: good, bad, warn or busy. `run` is the latest."""

    account: ExchangeAccount
    exchange: str
    run: SyncRun | None
    status: str
    tone: str
    new_rows: int
    read_at: datetime | None
    """When its balances were read last: the age of what is shown."""
    next_read_at: datetime | None
    """When they will be, while somebody looks."""
    is_key_bad: bool
    problem: str
    """What is wrong, and what helps."""
    rejected: int
    waiting_books: list[str]
    """Why books cannot be brought up to date."""


@dataclass(frozen=True, slots=True)
class SyncCard:
    """`pace`: seconds until the next look. `version` changes whenever anything else on the dashboard may."""

    accounts: list[AccountState]
    is_busy: bool
    pace: int
    version: str


def sync_card(*, user_id: UUID, scope: Scope, at: datetime) -> SyncCard:
    """The living accounts of a scope, oldest first. Inside an open door."""
    waiting = _waiting_books(scope)
    states = [each for each in selectors.sync_state(user_id=user_id) if each.account.id in scope.living_ids]
    paces = pace.find_all(sorted({each.account.exchange for each in states}))
    accounts = [
        _state(state, waiting.get(state.account.id, []), paces[state.account.exchange].pace)
        for state in states
    ]
    is_busy = any(account.tone == "busy" for account in accounts)
    return SyncCard(
        accounts=accounts,
        is_busy=is_busy,
        pace=BUSY_SECONDS if is_busy else QUIET_SECONDS,
        version=freshness.version(scope=scope, at=at, with_prices=True)[:16],
    )


def _waiting_books(scope: Scope) -> Mapping[UUID, list[str]]:
    rows = Book.objects.filter(account_id__in=scope.living_ids, stale_from__isnull=False)
    waiting: dict[UUID, list[str]] = {}
    for account_id, asset, reason in (
        rows.exclude(blocked_reason="").order_by("asset").values_list("account_id", "asset", "blocked_reason")
    ):
        waiting.setdefault(account_id, []).append(f"{asset} waits. {reason}")
    return waiting


def _state(state: selectors.SyncState, waiting: list[str], rhythm: Pace) -> AccountState:
    status, tone = _status(state.account, state.run)
    known = registry.supported().get(state.account.exchange)
    return AccountState(
        account=state.account,
        exchange=known.title if known else state.account.exchange,
        run=state.run,
        status=status,
        tone=tone,
        new_rows=sum(state.run.counts.values()) if state.run else 0,
        read_at=state.balances_at,
        next_read_at=None if state.account.key_state == KeyState.DISABLED else state.next_read_at(rhythm),
        is_key_bad=state.account.key_state in (KeyState.FAILING, KeyState.DISABLED),
        problem="" if state.is_under_way else state.explanation,
        rejected=state.rejected,
        waiting_books=waiting,
    )


def _status(account: ExchangeAccount, run: SyncRun | None) -> tuple[str, str]:
    """A word or two, and its tone. A partial run without an error goes on by itself: there is more history."""
    if run is None:
        return "not read yet", "busy"
    if run.status == RunStatus.QUEUED:
        return "waiting its turn", "busy"
    if run.status == RunStatus.RUNNING:
        return "reading", "busy"
    if account.key_state == KeyState.DISABLED:
        return "key refused", "bad"
    if run.status == RunStatus.FAILED:
        return ("waiting to go on", "warn") if _goes_on_by_itself(run) else ("failed", "bad")
    if run.status == RunStatus.PARTIAL and not run.error_kind:
        return "reading on", "busy"
    return ("up to date", "good") if run.status == RunStatus.OK else ("partly read", "warn")


def _goes_on_by_itself(run: SyncRun) -> bool:
    """Nobody has to act: trying again later helps."""
    if run.error_kind == runs.INTERRUPTED:
        return True
    return run.error_kind in set(ErrorKind) and ErrorKind(run.error_kind).retry_helps
