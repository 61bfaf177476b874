"""`manage.py import_export`: what `export --kind complete` wrote, into accounts without keys."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from core.errors import DomainError
from pipeline import derive
from pipeline.management.commands import _people
from portfolio.imports import reading
from portfolio.imports.reading import Outcome

_SHOWN = 100  # lines set aside, told one by one


class Command(BaseCommand):
    help = (
        "Import a complete export (`export --kind complete`): facts, prices used and what the user said of them, into"
        " accounts without keys. Their books, days and metrics follow. Lines that cannot be read are set aside and"
        " told, the others stay. A second import changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose accounts they become")
        parser.add_argument(
            "--account",
            metavar="LABEL",
            help="of the account to import into, new or empty; as in the file without it",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be stored, and store nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = _people.find_user(options["user"])
        try:
            with options["file"].open("rb") as file:
                outcome = reading.read(
                    user=user, file=file, label=options["account"], is_dry=options["dry_run"]
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        except DomainError as error:
            raise CommandError(error.message) from None
        self._tell(outcome, is_dry=options["dry_run"])
        if not options["dry_run"]:
            for account in outcome.accounts.values():
                derived = derive.bring_up_to_date(user_id=user.id, account_id=account.id, at=clock.now())
                self.stdout.write(f"{account.label}: {derived.books} books folded.")
                for asset, reason in derived.blocked.items():
                    self.stdout.write(f"  {asset} waits: {reason}")
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} lines were set aside.")

    def _tell(self, outcome: Outcome, *, is_dry: bool) -> None:
        read = ", ".join(f"{count} {name}" for name, count in outcome.rows.items() if count)
        self.stdout.write(
            f"Read: {read or 'nothing'}. {outcome.stored} rows {'would be ' if is_dry else ''}stored anew."
        )
        for note in outcome.notes:
            self.stdout.write(note)
        for one in outcome.set_aside[:_SHOWN]:
            self.stdout.write(f"  line {one.line}: {one.reason}")
