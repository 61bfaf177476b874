"""`manage.py verify_books`: the stored books held against a rebuild from the facts, of which nothing is kept."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

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
        "Fold all books from their facts once more, compare with what is stored, and print the first difference."
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
        for user, account in _accounts(options["user"], options["account"]):
            found = verification.verify(user_id=user.id, account_id=account.id, at=clock.now())
            self.stdout.write(f"{user.email}, {account.label}: {_told(found)}")
            if found.mismatch is not None:
                different += 1
                self.stdout.write(_first(found.mismatch))
        if different:
            raise CommandError(
                f"The books of {different} account(s) are not what their facts give: rebuild them."
            )


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
    rows = ", ".join(f"{count} of {what}" for what, count in found.rows.items())
    told = f"{found.facts} facts folded; rows compared: {rows}."
    if found.waiting:
        told += f" Not folded yet, and left out: {', '.join(found.waiting)}."
    return told


def _first(one: Mismatch) -> str:
    if one.stored is None:
        return f"  First difference: the {one.what} {one.place} is missing."
    if one.rebuilt is None:
        return f"  First difference: the {one.what} {one.place} follows from no fact."
    columns = (f"{name} is {one.stored[name]}, facts give {one.rebuilt[name]}" for name in one.stored)
    return f"  First difference: {one.what} {one.place}: {'; '.join(columns)}."
