"""`manage.py simulate_exchange`: an exchange on this machine, for the demo, tests and benchmarks."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from exchanges.simulators import command


class Command(BaseCommand):
    help = "Serve a simulated exchange (its real wire protocol) on 127.0.0.1 until interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("exchange", help=f"one of: {', '.join(command.SIMULATORS)}")
        parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same world")
        parser.add_argument(
            "--truth", type=Path, metavar="FILE", help="where keys and the truth are written as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            command.run(
                options["exchange"],
                options["port"],
                options["seed"],
                options["truth"],
                lambda url: self.stdout.write(f"{options['exchange']} is simulated at {url}"),
            )
        except DomainError as error:
            raise CommandError(error.message) from None
        except OSError as error:
            raise CommandError(f"The simulator cannot start: {error}") from None
