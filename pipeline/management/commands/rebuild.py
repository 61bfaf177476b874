"""`manage.py rebuild`: everything derived, once more from the facts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core import clock
from core.django import tenancy
from pipeline import derive
from pipeline.management.commands import _people
from portfolio import books


class Command(BaseCommand):
    help = "Rebuild books, positions, trades, snapshots and metrics of a user from zero; the facts stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        _people.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = _people.find_user(options["user"])
        for account in _people.find_accounts(user, options["account"]):
            with tenancy.acting_as(user.id):
                books.recount_days(account=account)
            done = derive.bring_up_to_date(
                user_id=user.id, account_id=account.id, at=clock.now(), from_zero=True, now=clock.now
            )
            self.stdout.write(
                f"{account.label}: {done.facts} facts into {done.books} books; {done.snapshots} snapshots and"
                f" {done.metrics} metrics written."
            )
            for asset, reason in done.blocked.items():
                self.stdout.write(f"  {asset} waits: {reason}")
            if done.problem is not None:
                self.stdout.write(f"  Prices could not be fetched: {done.problem.detail}")
