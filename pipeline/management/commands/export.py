"""`manage.py export`: a user's rows as a file."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from accounts import audit
from core import clock
from core.django import tenancy
from core.errors import DomainError
from pipeline import exports
from pipeline.management.commands import _people
from portfolio.exports import kinds
from portfolio.exports.tables import Counts


class Command(BaseCommand):
    help = (
        "Write a user's rows into a file, as `POST /api/exports` does. `complete` holds all facts of the accounts, for"
        " import_export."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        _people.add_arguments(parser)
        parser.add_argument("--kind", required=True, choices=sorted(kinds.KINDS))
        parser.add_argument("--format", choices=sorted(kinds.MEDIA_TYPES), default=kinds.JSONL)
        parser.add_argument("--mode", choices=["live", "demo"], help="which accounts, where none is named")
        parser.add_argument("--since", type=_moment, metavar="TIME", help="from this day or moment on (UTC)")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="before this day or moment (UTC)")
        parser.add_argument("-o", "--output", required=True, metavar="FILE", help="- for the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _people.find_user(options["user"])
        if options["output"] == "-":
            counts = self._write(user, sys.stdout.buffer, options)
        else:
            path = Path(options["output"])
            unfinished = path.with_name(f"{path.name}.part")
            try:
                with unfinished.open("wb") as file:
                    counts = self._write(user, file, options)
                unfinished.replace(path)
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from None
            finally:
                unfinished.unlink(missing_ok=True)
        self.stderr.write(f"{counts.total} rows.")

    def _write(self, user: Any, file: BinaryIO, options: dict[str, Any]) -> Counts:
        counts = Counts({})
        asked = exports.Asked(
            kind=options["kind"],
            format=options["format"],
            account=options["account"],
            mode=options["mode"],
            since=options["since"],
            until=options["until"],
        )
        try:
            asked.require_sense()
            with tenancy.acting_as(user.id):
                content = exports.content(user=user, asked=asked, counts=counts, at=clock.now())
                for chunk in content:
                    file.write(chunk)
                audit.record(
                    audit.Action.EXPORT, user_id=user.id, step="written", kind=asked.kind, rows=counts.total
                )
        except DomainError as error:
            reasons = [one["detail"] for one in error.details.get("errors", ())]
            raise CommandError(" ".join([error.message, *reasons])) from None
        return counts


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            return clock.day_start(day)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if moment is None:
        raise ArgumentTypeError("Give a day or a moment: 2026-01-31, 2026-01-31T12:00:00Z.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
