"""`manage.py import_legacy_orders`: the predecessors' orders, as facts."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.django import tenancy
from core.errors import DomainError
from orders import legacy_orders, legacy_rows
from orders.legacy_orders import Outcome
from pipeline.management.commands import _people
from portfolio import books

_EXPLANATION = """\
Reads the table `orders` with the columns
  order_id, exchange, symbol, side, type, quantity, status, order_timestamp (required)
  client_order_id, price, executed_qty, parent_order_id, order_group_id, order_role, sl_price, filled_timestamp, note,
  user_id
from a CSV or JSON dump, or from a PostgreSQL database (--database-url), and stores its orders as spot orders of the
user's accounts. Orders that the exchange itself told stay as they are; their links and notes are added. An order that
executed something and has no fills gets one inferred fill, which goes when real ones come. A second run changes
nothing. Rows that cannot be read are set aside and listed; the others are stored. `backfill_positions` makes positions
of them.
"""


class Command(BaseCommand):
    help = "Import orders that a predecessor of this platform kept."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, epilog=_EXPLANATION, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a .csv or .json dump")
        parser.add_argument("--database-url", metavar="URL", help="read the table of this database instead")
        parser.add_argument("--legacy-user", metavar="ID", help="only rows with this user_id")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be stored, and store nothing"
        )
        _people.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["file"] is None) == (options["database_url"] is None):
            raise CommandError("Give a file, or --database-url.")
        user = _people.find_user(options["user"])
        try:
            raw = (
                legacy_rows.read_file(options["file"])
                if options["file"]
                else legacy_rows.read_table(options["database_url"])
            )
            orders, bad = legacy_rows.parse_rows(raw)
            if options["legacy_user"]:
                orders = [order for order in orders if order.user_id == options["legacy_user"]]
            with tenancy.acting_as(user.id):
                outcome = legacy_orders.store(orders, label=options["account"])
                for account, touched in outcome.touched:
                    books.mark_stale(account=account, touched=touched)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except DomainError as error:
            raise CommandError(error.message) from None
        outcome.set_aside = [*bad, *outcome.set_aside]
        self._tell(outcome, is_dry=options["dry_run"])
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} of {len(raw)} rows were set aside.")

    def _tell(self, outcome: Outcome, *, is_dry: bool) -> None:
        would = "would be " if is_dry else ""
        self.stdout.write(
            f"{outcome.orders} orders {would}stored, {outcome.changed} {would}changed, {outcome.known} known before;"
            f" {outcome.linked} {would}linked or noted, {outcome.inferred} fills {would}inferred;"
            f" {len(outcome.set_aside)} set aside."
        )
        for one in outcome.set_aside:
            place = f"row {one.row}, " if one.row else ""
            self.stdout.write(f"  {place}order {one.order_id or '?'}: {one.reason}")
