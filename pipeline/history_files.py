"""A file's history as facts of an account: stored once, what was not understood set aside, then derived from and held
against reports. Facts of a time that the exchange itself told are left to it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from accounts import audit
from core.django import tenancy
from core.errors import Conflict, Invalid
from credentials.models import Exchange, ExchangeAccount
from exchanges.histories import formats
from exchanges.histories.history import Format, History, Wanted
from exchanges.rows import ConversionRow, FillRow, TransferRow
from orders import conversions, ingest, told
from orders.conversions import CONVERSION_ID
from orders.models import Fill, Transfer
from orders.touched import Touched
from pipeline import derive, reconcile, rejected
from pipeline.derive import Derived
from pipeline.models import RejectedRow, RunStatus, Stream, SyncRun, Trigger
from pipeline.rejected import FROM_FILES
from portfolio import books, marks, reconciliation
from portfolio.reconciliation import Outcome as Reconciled

MOST_ASIDE: Final = 10_000
_MOMENTS: Final[tuple[tuple[Any, str], ...]] = ((Fill, "executed_at"), (Transfer, "occurred_at"))
_Row = TypeVar("_Row", FillRow, ConversionRow, TransferRow)


@dataclass(slots=True)
class Outcome:
    """What became of a file. Counts are of facts stored anew; `aside` of lines, `aside_anew` never seen before,
    `mended` set aside by an earlier file and not by this."""

    format: Format
    history: History
    fills: int = 0
    conversions: int = 0
    transfers: int = 0
    known: int = 0
    aside_anew: int = 0
    mended: int = 0
    conflicts: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def stored(self) -> int:
        return self.fills + self.conversions + self.transfers


def load(
    *,
    account: ExchangeAccount,
    text: str,
    at: datetime,
    name: str | None = None,
    place: str = "",
    is_dry: bool = False,
) -> Outcome:
    """Read the whole file, then store it in one transaction, that a dry run undoes. Opens its own door.

    Raises Invalid for a file of no known format, Conflict for one of another exchange, and as long as the exchange
    itself has not told the account's history: only then it can be seen what of the file is the same.
    """
    one, table = formats.recognise(text, name=name)
    if one.exchange and account.exchange not in (one.exchange, Exchange.FILES):
        raise Conflict(
            f"{one.title}: {account.label!r} is an account of {account.exchange}, which has no such file."
        )
    history = one.read(table, Wanted(settings.CASH_ASSETS, place))
    if len(history.set_aside) > MOST_ASIDE:
        raise Invalid(f"More than {MOST_ASIDE} lines are not understood as {one.title}: nothing was stored.")
    outcome = Outcome(one, history, left_out=Counter(history.left_out))
    with tenancy.acting_as(account.user_id), transaction.atomic():
        if reconcile.is_being_read(account):
            raise Conflict(
                f"The history of {account.label!r} is still being read: import the file after that."
            )
        _require_own(account, one, one.owners(table))
        _require_once(account, one, history)
        _store(account, outcome, at)
        if is_dry or not (outcome.stored or outcome.aside_anew or outcome.mended):
            transaction.set_rollback(True)
    return outcome


def follow(*, account: ExchangeAccount, at: datetime) -> tuple[Derived, Reconciled | None]:
    """Books, days and metrics of what was stored, and the questions that it leaves. Opens its own doors."""
    derived = derive.bring_up_to_date(user_id=account.user_id, account_id=account.id, at=at)
    with tenancy.acting_as(account.user_id):
        is_reported = account.id in marks.heard_at(account_ids=[account.id])
        known = reconcile.know(account)
    if is_reported and account.is_active:
        return derived, reconcile.after_read(user_id=account.user_id, account_id=account.id, at=at, since=at)
    found = reconciliation.reconcile(user_id=account.user_id, account_id=account.id, known=known, at=at)
    return derived, found


@dataclass(frozen=True, slots=True)
class _Into:
    """Where facts of a file go, beside what the exchange told; what became of them is counted in `outcome`."""

    account: ExchangeAccount
    outcome: Outcome
    theirs: told.Told
    source: str
    run_id: int


def _store(account: ExchangeAccount, outcome: Outcome, at: datetime) -> None:
    history = outcome.history
    source = f"{FROM_FILES}{outcome.format.name}"
    run = SyncRun.objects.create(
        user_id=account.user_id, account=account, trigger=Trigger.COMMAND, requested_at=at, started_at=at,
        finished_at=at, status=RunStatus.PARTIAL if history.set_aside else RunStatus.OK,
        rejected_count=len(history.set_aside),
    )  # fmt: skip
    touched = Touched()
    into = _Into(account, outcome, told.Told(account), source, run.pk)
    for store in (_store_fills, _store_conversions, _store_transfers):
        touched.merge(store(into))
    outcome.conflicts = touched.conflicts
    read = len(history.fills) + len(history.inferred) + len(history.conversions) + len(history.transfers)
    outcome.known = read - outcome.stored - (sum(outcome.left_out.values()) - sum(history.left_out.values()))
    outcome.aside_anew = _set_aside(run, outcome)
    books.mark_stale(account=account, touched=touched)
    run.counts = {"fills": outcome.fills, "conversions": outcome.conversions, "transfers": outcome.transfers}
    run.save(update_fields=["counts"])
    audit.record(
        audit.Action.IMPORT,
        user_id=account.user_id,
        table=Fill._meta.db_table,
        format=outcome.format.name,
        stored=outcome.stored,
    )


def _store_fills(into: _Into) -> Touched:
    touched = Touched()
    contracts = told.unknown_contracts(
        into.account, (row for row in into.outcome.history.fills if row.contract is not None)
    )
    spot = [row for row in into.outcome.history.fills if row.contract is None]
    fills = [
        *contracts,
        *_older(
            spot,
            attrgetter("executed_at"),
            lambda row: into.theirs.fills(row.base_asset, row.quote_asset, is_conversion=False),
            into.outcome,
        ),
    ]
    for rows, is_inferred in ((fills, False), (into.outcome.history.inferred, True)):
        stored = ingest.store_fills(
            account=into.account, rows=rows, source=into.source, run_id=into.run_id, is_inferred=is_inferred
        )
        into.outcome.fills += stored.stored
        touched.merge(stored)
    return touched


def _store_conversions(into: _Into) -> Touched:
    changes = _older(
        into.outcome.history.conversions,
        attrgetter("occurred_at"),
        lambda row: into.theirs.fills(row.from_asset, row.to_asset, is_conversion=True),
        into.outcome,
    )
    stored = conversions.store_conversions(
        account=into.account, rows=changes, source=into.source, run_id=into.run_id
    )
    into.outcome.conversions = stored.stored
    return stored


def _store_transfers(into: _Into) -> Touched:
    transfers = _older(
        into.outcome.history.transfers,
        attrgetter("occurred_at"),
        lambda row: into.theirs.moves(
            row.kind.value, row.asset, source=row.from_wallet, target=row.to_wallet
        ),
        into.outcome,
    )
    moved = told.unknown_transfers(into.account, transfers)
    stored = ingest.store_transfers(account=into.account, rows=moved, source=into.source, run_id=into.run_id)
    into.outcome.transfers = stored.stored
    return stored


def _set_aside(run: SyncRun, outcome: Outcome) -> int:
    """Keep lines that were not understood, and let go of those that are now; answers how many are new."""
    place = Stream.FILLS.value, "", f"{FROM_FILES}{outcome.format.name}"
    bad = [one.row for one in outcome.history.set_aside]
    texts = {one.line.text for one in outcome.history.set_aside}
    facts: Sequence[FillRow | ConversionRow | TransferRow] = [
        *outcome.history.fills, *outcome.history.conversions, *outcome.history.transfers,
    ]  # fmt: skip
    understood = {text for fact in facts for text in fact.raw.get("lines", ())} - texts
    waiting = RejectedRow.objects.filter(account_id=run.account_id, position=place[2], mended_at__isnull=True)
    corrected = _corrected(run, outcome.history, {row.run_id for row in waiting})
    mended = [
        row.pk
        for row in waiting
        if (line := row.raw.get("line")) in understood or (row.run_id in corrected and line not in texts)
    ]
    outcome.mended = RejectedRow.objects.filter(pk__in=mended).update(mended_at=run.finished_at)
    return rejected.keep(run=run, place=place, bad=bad)


def _corrected(run: SyncRun, history: History, earlier: Collection[int]) -> set[int]:
    """Of earlier runs those of which this file has all the facts: it is theirs once more, and a line that it lacks was
    corrected. What came by an export has no run's facts of its own: they are those without a run."""
    if not earlier:
        return set()
    told = {row.fill_id for row in (*history.fills, *history.inferred)}
    told |= {row.transfer_id for row in history.transfers}
    told |= {f"{CONVERSION_ID}{row.conversion_id}" for row in history.conversions}
    found: dict[int | None, bool] = {}
    for model, name in ((Fill, "exchange_fill_id"), (Transfer, "exchange_transfer_id")):
        rows = model.objects.filter(account_id=run.account_id, raw__has_key="lines").exclude(run_id=run.pk)
        for run_id, fact in rows.values_list("run_id", name):
            found[run_id] = found.get(run_id, True) and fact in told
    return {run_id for run_id in earlier if found.get(run_id, found.get(None, False))}


def _require_own(account: ExchangeAccount, one: Format, owners: Collection[str]) -> None:
    """Raises Invalid for a file of several accounts at the exchange, Conflict for one of another than this is, or than
    its files before were of."""
    if len(owners) > 1:
        names = ", ".join(sorted(owners))[:100]
        raise Invalid(
            f"The file tells of several accounts at the exchange ({names}): import one file of each."
        )
    for owner in owners:
        known = {account.exchange_uid} if owner.isdecimal() else set[str]()
        known.add(_owner_before(account, one))
        if others := known - {"", owner}:
            raise Conflict(
                f"The file is of the account {owner[:40]} at the exchange; {account.label!r} is {min(others)[:40]}."
            )


def _owner_before(account: ExchangeAccount, one: Format) -> str:
    """Whom a file of the format told of here before; "" for none."""
    for model, _ in _MOMENTS:
        rows = model.objects.filter(account=account, source=f"{FROM_FILES}{one.name}", raw__has_key="lines")
        raw = rows.order_by("id").values_list("raw", flat=True).first()
        if raw is not None and raw["lines"]:
            return str(raw["lines"][0]).partition(",")[0]
    return ""


def _require_once(account: ExchangeAccount, one: Format, history: History) -> None:
    """Raises Conflict where another file told the account the same times, of which its exchange has several exports."""
    moments = [row.executed_at for row in history.fills]
    moments += [row.occurred_at for row in history.conversions] + [
        row.occurred_at for row in history.transfers
    ]
    for name in one.tells_like if moments else ():
        stored = [
            at
            for model, moment in _MOMENTS
            for at in model.objects.filter(account=account, source=f"{FROM_FILES}{name}")
            .aggregate(first=Min(moment), last=Max(moment))
            .values()
            if at is not None
        ]
        if stored and min(stored) <= max(moments) and min(moments) <= max(stored):
            raise Conflict(
                f"What this file tells of {min(moments):%Y-%m-%d} to {max(moments):%Y-%m-%d} the account has from"
                f" “{formats.FORMATS[name].title}”: import each time from one of them."
            )


def _older(
    rows: Iterable[_Row],
    moment: Callable[[_Row], datetime],
    since: Callable[[_Row], tuple[str, datetime] | None],
    outcome: Outcome,
) -> list[_Row]:
    """Rows of before the exchange told such ones under its own ids."""
    older = []
    for row in rows:
        told_since = since(row)
        if told_since is None or moment(row) < told_since[1]:
            older.append(row)
        else:
            what, at = told_since
            outcome.left_out[f"{what} since {at:%Y-%m-%d %H:%M}, told by the exchange itself"] += 1
    return older
