"""`make run`: the whole product on one machine."""

import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from core import clock
from web import demo, processes

_READY_SECONDS = 60
_SEED = "7"
_WORKERS = {
    "worker": "sync,market",
    "interactive": "interactive,celery",
}  # what a person waits for never queues
_RUN_ENV = settings.BASE_DIR / ".local" / "run.env"


class Command(BaseCommand):
    help = (
        "Migrates, then runs web, worker, beat and, unless DEMO=0, the simulated exchange with the demo user."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "0")))

    def handle(self, *args: Any, **options: Any) -> None:
        processes.raise_on_termination()
        home = settings.BASE_DIR / ".local" / "dev"
        home.mkdir(parents=True, exist_ok=True)
        self._say("Preparing the database …")
        call_command("migrate", verbosity=0, interactive=False)
        port = options["port"] or processes.free_port(8000)
        with_demo = os.environ.get("DEMO", "1") != "0"
        environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SITE_URL": os.environ.get("SITE_URL", f"http://127.0.0.1:{port}"),
            "VERIFY_EMAIL": os.environ.get("VERIFY_EMAIL", "0" if with_demo else "1"),
        }
        stack = processes.Stack(home / "logs", environment)
        try:
            if with_demo:
                self._start_simulator(stack, home)
            else:
                _RUN_ENV.unlink(missing_ok=True)  # exchanges answer at their own addresses again
            self._start_product(stack, port)
            self._greet(stack, port, home, with_demo)
            while True:
                for name in stack.check():
                    self._say(f"The {name} has ended; the product goes on without it, as in an outage.\n")
                time.sleep(1)
        except KeyboardInterrupt:
            self._say("\nStopping …")
        except processes.ChildDied as error:
            raise CommandError(str(error)) from None
        finally:
            stack.stop()

    def _start_simulator(self, stack: processes.Stack, home: Path) -> None:
        """Children and other terminals learn its address from `.local/run.env`."""
        port = processes.free_port(9001)
        truth = home / "simulator.json"
        url = f"http://127.0.0.1:{port}"
        command = [
            "simulate_exchange",
            "binance",
            "--port",
            str(port),
            "--seed",
            _SEED,
            "--truth",
            str(truth),
        ]
        stack.start("simulator", [sys.executable, "manage.py", *command])
        self._await(stack, f"{url}/api/v3/ping", "the simulated Binance")
        stack.spare("simulator")  # exchanges fail, and this one may be made to: then the pages tell
        os.environ["EXCHANGE_URLS"] = f"binance={url}"
        _RUN_ENV.write_text(f"EXCHANGE_URLS=binance={url}\n")
        settings.EXCHANGE_URLS = os.environ["EXCHANGE_URLS"]

    def _start_product(self, stack: processes.Stack, port: int) -> None:
        python = sys.executable
        granian = [python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        granian += ["--workers", "1", "--blocking-threads", "8", "--no-ws", "config.wsgi:application"]
        celery = [python, "-m", "celery", "--app", "config.celery"]
        stack.start("web", granian)
        for name, queues in _WORKERS.items():
            command = [*celery, "worker", "--hostname", f"{name}@%h", "--loglevel", "INFO"]
            stack.start(name, [*command, "--concurrency", "2", "--queues", queues])
        stack.start("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile", ""])
        self._await(stack, f"http://127.0.0.1:{port}/health/live", "the web server")

    def _greet(self, stack: processes.Stack, port: int, home: Path, with_demo: bool) -> None:
        address = f"http://127.0.0.1:{port}"
        self._say(f"\nCrypto Graph Trader is running: {address}")
        if with_demo:
            password = os.environ.get("DEMO_PASSWORD") or _remembered_password(home / "demo-password")
            truth = home / "simulator.json"
            demo.part_with_another_world(truth=truth, at=clock.now())
            user = demo.ensure_user(password=password)
            is_new = demo.ensure_connected(user=user, truth=truth, at=clock.now())
            self._say(f"Log in as {demo.EMAIL} with the password {password}")
            self._say(
                "The demo account is being synced over HTTP from a simulated Binance: positions, trades and the equity"
                " curve appear within a minute."
                if is_new
                else "The demo account goes on where it was; its simulated Binance trades on as time passes."
            )
        else:
            self._say(f"Make a user: .venv/bin/python manage.py createsuperuser   (admin: {address}/admin/)")
        self._say(f"API documentation: {address}/api/docs/   logs: {home / 'logs'}   stop: Ctrl-C\n")

    def _await(self, stack: processes.Stack, url: str, what: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            stack.check()
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310  (our own loopback address)
                    return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    raise CommandError(f"{what} did not answer within {_READY_SECONDS} s.") from None
                time.sleep(0.1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _remembered_password(path: Path) -> str:
    """The demo password of this machine, made once."""
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9))
    return path.read_text()
