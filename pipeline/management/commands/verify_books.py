"""`manage.py verify_books`: the stored books held against a rebuild from the facts, of which nothing is kept."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.management.commands import _people
from portfolio import verification
from portfolio.verification import Mismatch, Verified


class Command(BaseCommand):
    help = (
        "Fold all books from their facts once more, draw their days and measure performance, compare with what is"
        " stored, and print the first difference."
        " Nothing is changed; ends with 1 where something differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--user", metavar="EMAIL", help="whose accounts")
        whose.add_argument("--all", action="store_true", help="everybody's")
        parser.add_argument("--account", metavar="LABEL", help="one account of the user by its label")

    def handle(self, *args: Any, **options: Any) -> None:
        different = 0
        if options["all"] and options["account"]:
            raise CommandError("--account needs --user: whose account is it?")
        owners: dict[UUID, User] = {}
        for user, account in _accounts(options["user"], options["account"]):
            owners[user.id] = user
            found = verification.verify(user_id=user.id, account_id=account.id, at=clock.now())
            different += self._tell(f"{user.email}, {account.label}: {_told(found)}", found)
        measured = 0
        for user in owners.values():
            found = verification.verify_metrics(user_id=user.id)
            measured += self._tell(f"{user.email}, metrics: {_measured(found)}", found)
        if different or measured:
            whose = (
                [f"The books of {different} account(s) are not what their facts give"] if different else []
            )
            whose += [f"The metrics of {measured} user(s) are not what their trades give"] if measured else []
            raise CommandError(f"{'. '.join(whose)}: rebuild them.")

    def _tell(self, line: str, found: Verified) -> bool:
        """Answers whether something differs."""
        self.stdout.write(line)
        if found.mismatch is not None:
            self.stdout.write(_first(found.mismatch))
        return found.mismatch is not None


def _accounts(email: str | None, label: str | None) -> Iterator[tuple[User, ExchangeAccount]]:
    if email is not None:
        user = _people.find_user(email)
        for account in _people.find_accounts(user, label):
            yield user, account
        return
    for user in User.objects.order_by("created_at", "id"):
        with tenancy.acting_as(user.id):
            accounts = list(ExchangeAccount.objects.order_by("created_at", "id"))
        for account in accounts:
            yield user, account


def _told(found: Verified) -> str:
    told = f"{found.facts} facts folded; {_compared(found)}"
    if found.waiting:
        told += f" Not folded yet, and left out: {', '.join(found.waiting)}."
    return told


def _measured(found: Verified) -> str:
    if found.waiting:
        return f"not measured yet since these days changed: {', '.join(found.waiting[:9])}."
    return _compared(found)


def _compared(found: Verified) -> str:
    if found.waiting and not found.facts:
        return f"not measured yet since these days changed: {', '.join(found.waiting[:9])}."
    return (
        f"rows compared: {', '.join(f'{count} of {what}' for what, count in found.rows.items()) or 'none'}."
    )


def _first(one: Mismatch) -> str:
    if one.stored is None:
        return f"  First difference: the {one.what} {one.place} is missing."
    if one.rebuilt is None:
        return f"  First difference: the {one.what} {one.place} follows from no fact."
    columns = (f"{name} is {one.stored[name]}, facts give {one.rebuilt[name]}" for name in one.stored)
    return f"  First difference: {one.what} {one.place}: {'; '.join(columns)}."
