"""Whom a command works for."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from accounts.models import User
from core.django import tenancy
from credentials.accounts import list_synced
from credentials.models import DATA_SOURCES, ExchangeAccount


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="EMAIL", help="whose accounts")
    parser.add_argument("--account", metavar="LABEL", help="one account by its label; all without it")


def find_user(email: str) -> User:
    """Raises CommandError."""
    user = User.objects.filter(email__iexact=email, is_deleted=False).first()
    if user is None:
        raise CommandError(f"There is no user {email!r}: check the address, or register it first.")
    return user


def find_accounts(user: User, label: str | None) -> list[ExchangeAccount]:
    """Accounts with a history, closed ones and those known from files included, oldest first. Raises CommandError when
    there is none."""
    with tenancy.acting_as(user.id):
        rows = ExchangeAccount.objects.exclude(exchange__in=DATA_SOURCES)
        return _named(user, list(rows.order_by("created_at", "id")), label)


def find_synced(user: User, label: str | None) -> list[ExchangeAccount]:
    """Living accounts of exchanges we speak to, oldest first. Raises CommandError when there is none."""
    return _named(user, list_synced(user_id=user.id), label)


def _named(user: User, known: list[ExchangeAccount], label: str | None) -> list[ExchangeAccount]:
    found = [account for account in known if label in (None, account.label)]
    if found:
        return found
    if not known:
        raise CommandError(f"{user.email} has no exchange account: connect one first.")
    labels = ", ".join(repr(account.label) for account in known)
    raise CommandError(f"{user.email} has no account {label!r}; there are: {labels}.")
