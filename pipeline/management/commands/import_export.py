"""`manage.py import_export`: what `export --kind complete` wrote, into accounts without keys."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from core.errors import DomainError
from pipeline import rejected_files
from pipeline.management.commands import _following, _people
from portfolio.imports import reading
from portfolio.imports.reading import Outcome


class Command(BaseCommand):
    help = (
        "Import a complete export (`export --kind complete`): facts, prices used and what the user said of them, into"
        " accounts without keys, or into those that are the same at the exchange. Their books, days and metrics follow,"
        " and the questions they leave. Lines that cannot be read are set aside and told, the others stay. A second"
        " import changes nothing."
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
                    user=user,
                    file=file,
                    label=options["account"],
                    is_dry=options["dry_run"],
                    more=rejected_files.stores(at=clock.now()),
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror or error}") from None
        except DomainError as error:
            raise CommandError(error.message) from None
        self._tell(outcome, is_dry=options["dry_run"])
        if not options["dry_run"]:
            for account in outcome.accounts.values():
                _following.follow(account, at=clock.now(), out=self.stdout)
            with options["file"].open("rb") as file:
                reading.restore(user=user, file=file, accounts=outcome.accounts)
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} lines were set aside.")

    def _tell(self, outcome: Outcome, *, is_dry: bool) -> None:
        read = ", ".join(f"{count} {name}" for name, count in outcome.rows.items() if count)
        self.stdout.write(
            f"Read: {read or 'nothing'}. {outcome.stored} rows {'would be ' if is_dry else ''}stored anew."
        )
        for note in outcome.notes:
            self.stdout.write(note)
        _following.tell([f"line {one.line}: {one.reason}" for one in outcome.set_aside], out=self.stdout)
