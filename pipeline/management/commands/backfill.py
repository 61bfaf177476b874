"""`manage.py backfill`: history read again, all of it or a span."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.reading import EARLIEST_MS
from pipeline import cursors, sync
from pipeline.backfill import Span
from pipeline.coverage import FACTS
from pipeline.management.commands.sync import Command as SyncCommand
from pipeline.models import SyncRun


class Command(SyncCommand):
    help = (
        "Read the history of a user's exchange accounts again: all the exchanges still tell, or the fills of a span."
        " What is known already stays as it is."
    )
    span: Span | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since", type=_moment, metavar="DATE", help="begin here (UTC); without it, at the oldest"
        )
        parser.add_argument(
            "--until", type=_moment, metavar="DATE", help="end before this moment (UTC); now without it"
        )
        parser.add_argument(
            "--symbols",
            type=_names,
            default=(),
            metavar="A,B",
            help="spot symbols to follow beside those known",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"] or clock.now()
        if since is None and (options["until"] or options["symbols"]):
            raise CommandError("--until and --symbols need --since: from when on is to be read?")
        if since is not None:
            if since >= until:
                raise CommandError("--since must be before --until.")
            self.span = Span(since, until, options["symbols"])
        super().handle(*args, **options)

    def prepare(self, account: ExchangeAccount) -> None:
        if self.span is None:
            with tenancy.acting_as(account.user_id):
                cursors.rewind(account=account, streams=FACTS, at=clock.now())

    def work(self, **how: Any) -> SyncRun | None:
        return sync.sync_account(**how, span=self.span)


def _moment(text: str) -> datetime:
    """A day or a moment; UTC where no zone is given."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is no date like 2024-03-31 or 2024-03-31T12:00.") from None
    if clock.to_ms(moment) < EARLIEST_MS:
        raise ArgumentTypeError(f"No exchange tells anything of {text}: begin in 2010 at the earliest.")
    return moment


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
