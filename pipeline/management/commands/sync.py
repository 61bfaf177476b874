"""`manage.py sync`: what the workers do, in the foreground."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core import clock
from core.django import tenancy
from core.errors import DomainError
from credentials.models import ExchangeAccount
from pipeline import runs, sync, words
from pipeline.management.commands import _people
from pipeline.models import RunStatus, SyncRun, Trigger

_UNDER_WAY = (RunStatus.QUEUED, RunStatus.RUNNING)
_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Read everything new of a user's exchange accounts, and bring books, snapshots and metrics up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        _people.add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON document with the runs")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _people.find_user(options["user"])
        accounts = _people.find_synced(user, options["account"])
        try:
            finished = [(account, self._sync(account)) for account in accounts]
        except DomainError as error:
            raise CommandError(error.message) from None
        if options["json"]:
            document = {"user": user.email, "runs": [_as_json(account, run) for account, run in finished]}
            self.stdout.write(json.dumps(document, indent=2))
        else:
            for account, run in finished:
                self.stdout.write(_as_words(account, run))
        failed = [account.label for account, run in finished if run.status == RunStatus.FAILED]
        if failed:
            raise CommandError(f"The sync of {', '.join(failed)} failed.")

    def prepare(self, account: ExchangeAccount) -> None:
        """What is to be done before a run is asked for."""

    def work(self, **how: Any) -> SyncRun | None:
        """One run; `how` is for `sync_account`."""
        return sync.sync_account(**how)

    def _sync(self, account: ExchangeAccount) -> SyncRun:
        """Work until nothing more is due now. Where a worker was faster, its run is watched instead."""
        with tqdm(total=1, desc=account.label, file=sys.stderr, unit="step", disable=None) as bar:
            self.prepare(account)
            [asked] = runs.request(
                user_id=account.user_id,
                account_ids=[account.id],
                trigger=Trigger.COMMAND,
                at=clock.now(),
            )
            while True:
                run = self.work(
                    user_id=account.user_id,
                    account_id=account.id,
                    trigger=Trigger.COMMAND,
                    at=clock.now(),
                    progress=lambda run: _show(bar, run),
                    clock=clock.now,
                )
                run = run or _watch(bar, asked)
                if run.status != RunStatus.PARTIAL or run.error_kind:  # else there is more history
                    return run


def _show(bar: "tqdm[Any]", run: SyncRun) -> None:
    bar.total = max(run.steps_total, run.steps_done, 1)
    bar.n = run.steps_done
    bar.set_postfix_str(f"{sum(run.counts.values())} new; {run.step}", refresh=True)


def _watch(bar: "tqdm[Any]", run: SyncRun) -> SyncRun:
    """Follow a run that a worker does, to its end."""
    while run.status in _UNDER_WAY:
        time.sleep(_LOOK_SECONDS)
        with tenancy.acting_as(run.user_id):
            runs.close_dead(account_id=run.account_id, now=clock.now())
            run = SyncRun.objects.get(id=run.id)
        _show(bar, run)
    return run


def _as_json(account: ExchangeAccount, run: SyncRun) -> dict[str, Any]:
    return {
        "account": str(UUID(str(account.id))),
        "label": account.label,
        "exchange": account.exchange,
        "run": run.id,
        "status": run.status,
        "trigger": run.trigger,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "counts": run.counts,
        "rejected": run.rejected_count,
        "error_kind": run.error_kind or None,
        "error_detail": run.error_detail or None,
    }


def _as_words(account: ExchangeAccount, run: SyncRun) -> str:
    counts = ", ".join(f"{count} {stream}" for stream, count in run.counts.items()) or "nothing new"
    told = f"{account.label}: {run.status}; {counts}"
    if run.error_kind:
        told += f"\n  {run.error_detail}\n  {words.explain(run.error_kind)}"
    return told
