"""`manage.py create_user`: a user by hand or by script."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.hashers import identify_hasher
from django.core.management.base import BaseCommand, CommandError

from accounts import hashers, users
from accounts.models import User
from core import clock
from core.errors import DomainError


class Command(BaseCommand):
    help = (
        "Create a user. Without --password and --password-hash the password is asked for; a script may send it on"
        " standard input. It is never shown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument("--password", help="other users of this machine may see it in the process list")
        secret.add_argument(
            "--password-hash",
            metavar="HASH",
            help="Argon2 in Django's form, or bcrypt ($2b$…); not a password",
        )
        parser.add_argument("--staff", action="store_true", help="may use the operators' pages")
        verified = parser.add_mutually_exclusive_group()
        verified.add_argument("--verified", action="store_true", default=True, help="the default")
        verified.add_argument("--unverified", action="store_false", dest="verified")

    def handle(self, *args: Any, **options: Any) -> None:
        secret = _secret(password=options["password"], encoded=options["password_hash"])
        try:
            user = users.create(
                email=options["email"],
                name=options["name"],
                is_staff=options["staff"],
                is_verified=options["verified"],
                at=clock.now(),
                **secret,
            )
        except DomainError as error:
            raise CommandError(_reasons(error)) from None
        self.stdout.write(f"Created {_describe(user)} {user.email} ({user.id}).")


def _secret(*, password: str | None, encoded: str | None) -> dict[str, str]:
    if encoded is not None:
        return {"encoded": _readable(encoded)}
    return {"password": _ask() if password is None else password}


def _readable(given: str) -> str:
    """A hash that some hasher of ours reads, in Django's form. Raises CommandError; the text is not repeated."""
    encoded = hashers.normalise(given)
    try:
        hasher = identify_hasher(encoded)
        hasher.decode(encoded)
        hasher.verify("", encoded)
    except ValueError:
        raise CommandError("--password-hash is no hash this server reads: Argon2 or bcrypt.") from None
    return encoded


def _ask() -> str:
    """Raises CommandError when the two do not match."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if password != getpass("Password (again): "):
        raise CommandError("The two passwords are not the same.")
    return password


def _reasons(error: DomainError) -> str:
    refused = error.details.get("errors", ())
    return " ".join(f"{one['pointer'].lstrip('/')}: {one['detail']}" for one in refused) or error.message


def _describe(user: User) -> str:
    return " ".join(
        [*(["staff"] if user.is_staff else []), "user", *([] if user.is_verified else ["(unverified)"])]
    )
