"""`manage.py rotate_credential_keys`: after a new primary key, everything sealed under it."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from credentials import rotation
from credentials.rotation import Report

_LARGEST_BATCH = 1000


class Command(BaseCommand):
    help = (
        "Seal everything anew that a key other than the primary holds: exchange keys and authenticator secrets. "
        "Readers and writers may go on; a run that is stopped goes on when it is started again. "
        "To replace a key: add the new one at the end of the ring and restart every process; move it to the front "
        "and restart again; run this; take the old one out of the ring once it is said to be unused, and keep it "
        "with the backups that were made under it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=100, metavar="N", help="rows a transaction (100)")
        parser.add_argument(
            "--dry-run", action="store_true", help="open what would be sealed anew, write nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = options["batch"]
        if not 1 <= batch <= _LARGEST_BATCH:
            raise CommandError(f"--batch is a number between 1 and {_LARGEST_BATCH}.")
        if options["dry_run"]:
            report = rotation.survey(batch=batch)
        else:
            with tqdm(file=sys.stderr, unit="row", disable=None) as bar:
                report = rotation.rotate(batch=batch, progress=bar.update)
        if options["json"]:
            document = {each.name: getattr(report, each.name) for each in fields(report)}
            document["dry_run"] = options["dry_run"]
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self._tell(report, is_dry=options["dry_run"])
        self._judge(report, is_dry=options["dry_run"])

    def _tell(self, report: Report, *, is_dry: bool) -> None:
        self.stdout.write(f"Primary key: {report.primary}")
        for table, left in sorted(report.left.items()):
            done = "" if is_dry else f"{report.rotated[table]} rows sealed anew, "
            self.stdout.write(
                f"{table}: {done}{left} sealed with another key, {report.unreadable[table]} unreadable"
            )
        for key in report.removable:
            self.stdout.write(
                f"Nothing is sealed with key {key!r} any more: take it out of the ring once every process runs with"
                f" {report.primary!r} as its first key; old backups still need it."
            )

    def _judge(self, report: Report, *, is_dry: bool) -> None:
        """Raises CommandError for what somebody must look at."""
        if report.missing:
            raise CommandError(
                f"Values are sealed with keys that are not in the ring: {', '.join(report.missing)}. Add them back."
            )
        if report.unreadable.total():
            raise CommandError(
                f"{report.unreadable.total()} rows do not open: they were changed or moved. They stay as they are."
            )
        if report.left.total() and not is_dry:
            raise CommandError(
                f"{report.left.total()} rows are sealed with another key still: somebody writes with an older ring,"
                " or held them. Restart every process with the new ring, then run this again."
            )
