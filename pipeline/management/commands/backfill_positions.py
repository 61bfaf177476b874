"""`manage.py backfill_positions`: positions and trades of what is stored already."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import legacy_orders
from pipeline import derive
from pipeline.management.commands import _people
from portfolio import books, rebuild
from portfolio.models import Position, Trade


class Command(BaseCommand):
    help = (
        "Make positions and trades of a user's orders and fills: imported orders without fills get an inferred one, and"
        " what is stale is folded. A second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        _people.add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="tell what would come of it, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _people.find_user(options["user"])
        for account in _people.find_accounts(user, options["account"]):
            with transaction.atomic():
                self._backfill(account, is_dry=options["dry_run"])
                transaction.set_rollback(options["dry_run"])
            if not options["dry_run"]:
                derive.bring_up_to_date(user_id=user.id, account_id=account.id, at=clock.now(), now=clock.now)

    def _backfill(self, account: ExchangeAccount, *, is_dry: bool) -> None:
        """In one transaction, that a dry run undoes; no exchange is asked within it."""
        with tenancy.acting_as(account.user_id):
            before = _counts(account)
            touched, inferred, without_price = legacy_orders.fill_in(account=account)
            books.mark_stale(account=account, touched=touched)
        done = rebuild.rebuild_account(user_id=account.user_id, account_id=account.id, at=clock.now())
        with tenancy.acting_as(account.user_id):
            after = _counts(account)
        would = "would be " if is_dry else ""
        changes = ", ".join(
            f"{after[name] - before[name]:+d} {name} ({after[name]} in all)"
            for name in ("positions", "trades")
        )
        self.stdout.write(
            f"{account.label}: {inferred} fills {would}inferred, {done.books} books {would}folded; {changes}."
        )
        for one in without_price:
            self.stdout.write(f"  order {one.order_id}: {one.reason}")
        for asset, reason in done.blocked.items():
            self.stdout.write(f"  {asset} waits: {reason}")


def _counts(account: ExchangeAccount) -> dict[str, int]:
    rows: dict[str, Any] = {"positions": Position, "trades": Trade}
    return {name: model.objects.filter(account=account).count() for name, model in rows.items()}
