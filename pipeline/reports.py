"""How syncs are told to users: runs and the state of each account, as plain rows. Each function opens its door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.django import tenancy
from core.errors import Conflict, NotFound
from credentials import scope
from pipeline import pace, runs, selectors, words
from pipeline.models import RunStatus, SyncRun, Trigger
from pipeline.schedule import Pace
from pipeline.selectors import SyncState


class NothingToSync(Conflict):
    """The user has no connected account."""

    code = "no_account"


@dataclass(frozen=True, slots=True)
class RunReport:
    """One go at an account. `counts`: rows stored anew, by stream; `rejected_count`: rows set aside."""

    id: int
    account_id: UUID
    trigger: str
    status: str
    is_under_way: bool
    step: str
    steps_done: int
    steps_total: int
    counts: dict[str, int]
    rejected_count: int
    error_kind: str
    error_detail: str
    explanation: str
    """What went wrong and what to do, in plain words; empty when nothing did."""
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class StreamReport:
    """A kind of facts, over all symbols. `last_ok_at` is that of the oldest: the age of the data."""

    stream: str
    last_ok_at: datetime | None
    due_at: datetime
    cursors: int
    failing: int
    error_kind: str
    error_detail: str
    explanation: str


@dataclass(frozen=True, slots=True)
class AccountReport:
    """How the sync of an account stands. `rejected` rows were set aside and nobody could read them since.
    `slowed_by` says why `read_every_seconds` is more than usual; it is for owners who look."""

    account_id: UUID
    label: str
    exchange: str
    mode: str
    key_state: str
    key_note: str
    balances_at: datetime | None
    next_read_at: datetime | None
    read_every_seconds: int
    slowed_by: str
    rejected: int
    run: RunReport | None
    streams: list[StreamReport]


@dataclass(frozen=True, slots=True)
class RunReports:
    results: list[RunReport]
    next_cursor: str | None = None
    """Always None: there is one run an account."""


@dataclass(frozen=True, slots=True)
class AccountReports:
    results: list[AccountReport]
    next_cursor: str | None = None
    """Always None: accounts are one page."""


def request(*, user_id: UUID, account: str | None, at: datetime) -> RunReports:
    """Ask for a sync of one account (id or label), or of all connected ones. Raises NotFound, NothingToSync."""
    with tenancy.acting_as(user_id):
        if account is not None:
            wanted = list(scope.resolve(account=account).account_ids)
        else:
            wanted = [state.account.id for state in selectors.sync_state(user_id=user_id)]
        if not wanted:
            raise NothingToSync("Connect an exchange account first.")
        rows = runs.request(user_id=user_id, account_ids=wanted, trigger=Trigger.USER, at=at)
        return RunReports([report_run(row) for row in rows])


def run(*, user_id: UUID, run_id: int) -> RunReport:
    """One run. Raises NotFound."""
    with tenancy.acting_as(user_id):
        row = SyncRun.objects.filter(id=run_id).first()
    if row is None:
        raise NotFound("There is no such run.")
    return report_run(row)


def accounts(*, user_id: UUID) -> AccountReports:
    """Every connected account, oldest first."""
    states = selectors.sync_state(user_id=user_id)
    paces = pace.find_all(sorted({state.account.exchange for state in states}))
    return AccountReports([_account(state, paces[state.account.exchange].pace) for state in states])


def report_run(row: SyncRun) -> RunReport:
    """A run as users see it."""
    counts: Mapping[str, int] = row.counts
    return RunReport(
        id=row.pk,
        account_id=row.account_id,
        trigger=row.trigger,
        status=row.status,
        is_under_way=row.status in (RunStatus.QUEUED, RunStatus.RUNNING),
        step=row.step,
        steps_done=row.steps_done,
        steps_total=row.steps_total,
        counts=dict(counts),
        rejected_count=row.rejected_count,
        error_kind=row.error_kind,
        error_detail=row.error_detail,
        explanation=words.explain(row.error_kind),
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _account(state: SyncState, rhythm: Pace) -> AccountReport:
    return AccountReport(
        account_id=state.account.id,
        label=state.account.label,
        exchange=state.account.exchange,
        mode=state.account.mode,
        key_state=state.account.key_state,
        key_note=state.account.key_note,
        balances_at=state.balances_at,
        next_read_at=state.next_read_at(rhythm),
        read_every_seconds=round(rhythm.prompt.total_seconds()),
        slowed_by=words.slowed(state.account.exchange, rhythm),
        rejected=state.rejected,
        run=report_run(state.run) if state.run is not None else None,
        streams=[
            StreamReport(
                stream=stream.stream,
                last_ok_at=stream.last_ok_at,
                due_at=stream.due_at,
                cursors=stream.cursors,
                failing=stream.failing,
                error_kind=stream.error_kind,
                error_detail=stream.error_detail,
                explanation=stream.explanation,
            )
            for _, stream in sorted(state.streams.items())
        ],
    )
