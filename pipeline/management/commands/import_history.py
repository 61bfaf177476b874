"""`manage.py import_history`: a file that an exchange or a program wrote, as facts of an account."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core import clock
from core.django import tenancy
from core.errors import DomainError
from credentials import accounts
from credentials.models import DATA_SOURCES, ExchangeAccount
from exchanges.histories import contents
from exchanges.histories.formats import FORMATS
from pipeline import history_files
from pipeline.history_files import Outcome
from pipeline.management.commands import _following, _people

_EXPLANATION = """\
The format is recognised by the file's header; --format says it where that is not enough:

{formats}

The file is read whole before anything is stored. Lines that are not understood are set aside, with their number and the
reason; the others are stored. A second run changes nothing. docs/importing.md says what each format tells.
"""


class Command(BaseCommand):
    help = "Import trades, conversions, deposits and withdrawals from a file."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        names = "\n".join(f"  {one.name:<26}{one.title}" for one in FORMATS.values())
        parser = super().create_parser(
            prog_name, subcommand, epilog=_EXPLANATION.format(formats=names), **kwargs
        )
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose account")
        parser.add_argument("--account", required=True, metavar="LABEL", help="the account the file is of")
        parser.add_argument(
            "--new",
            action="store_true",
            help="open the account first: of a place that is known from files alone",
        )
        parser.add_argument("--format", choices=FORMATS, metavar="NAME", help="instead of by the header")
        parser.add_argument(
            "--place", default="", metavar="NAME", help="only lines of this exchange, wallet or portfolio"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be stored, and store nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user, at, is_dry = _people.find_user(options["user"]), clock.now(), options["dry_run"]
        try:
            with options["file"].open("rb") as file:
                content = contents.text_of(file.read(contents.LARGEST + 1))
            with tenancy.acting_as(user.id):
                label = options["account"]
                account = (
                    accounts.open_without_key(user_id=user.id, label=label)
                    if options["new"]
                    else _find(label)
                )
                outcome = history_files.load(
                    account=account, text=content, at=at, name=options["format"], place=options["place"],
                    is_dry=is_dry,
                )  # fmt: skip
                if is_dry:
                    transaction.set_rollback(True)
        except OSError as error:
            raise CommandError(f"{options['file'].name} cannot be read: {error.strerror}") from None
        except DomainError as error:
            raise CommandError(error.message) from None
        self._tell(outcome, is_dry=is_dry)
        if not is_dry:
            _following.follow(account, at=at, out=self.stdout)
        if outcome.history.set_aside:
            raise CommandError(f"{len(outcome.history.set_aside)} lines were set aside.")

    def _tell(self, outcome: Outcome, *, is_dry: bool) -> None:
        would = "would be " if is_dry else ""
        self.stdout.write(
            f"{outcome.format.title}: {outcome.fills} fills, {outcome.conversions} conversions, {outcome.transfers}"
            f" transfers {would}stored; {outcome.known} known before; {len(outcome.history.set_aside)} lines set aside."
        )
        aside = sorted((one.line.number, one.reason) for one in outcome.history.set_aside)
        for lines in (
            [f"left out: {count} {reason}" for reason, count in sorted(outcome.left_out.items())],
            outcome.history.remarks,
            outcome.conflicts,
            [f"set aside: line {number}: {reason}" for number, reason in aside],
        ):
            _following.tell(lines, out=self.stdout)


def _find(label: str) -> ExchangeAccount:
    """Raises CommandError."""
    living = (
        ExchangeAccount.objects.select_related("user")
        .filter(is_active=True)
        .exclude(exchange__in=DATA_SOURCES)
    )
    account = living.filter(label=label).first()
    if account is None:
        labels = ", ".join(
            repr(name) for name in living.order_by("created_at").values_list("label", flat=True)
        )
        raise CommandError(f"There is no account {label!r}; there are: {labels or 'none'}.")
    return account
