"""A user with what other rooms know of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from accounts import passwords, profile, sessions, two_factor
from accounts.models import User
from core.django import tenancy
from credentials import accounts
from credentials.models import ExchangeAccount
from pipeline import exports
from portfolio import books, statements
from portfolio.models import Book

_OF_BOOKS: Final = ("cost_method", "cost_scope")


@dataclass(frozen=True, slots=True)
class Profile:
    user: User
    configured_exchanges: list[str]
    two_factor: bool
    books_to_recompute: int
    """Books that the background still has to fold anew, after another cost method or scope, say."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    tokens: sessions.Tokens
    profile: Profile


def profile_of(user: User) -> Profile:
    exchanges = accounts.configured_exchanges(user_id=user.id)
    left = books.left_to_recompute(user_id=user.id)
    return Profile(user, exchanges, two_factor.is_on(user_id=user.id), left)


def log_in(*, email: str, password: str, code: str | None = None, at: datetime) -> LoggedIn:
    """Open a session and show whose it is. Raises what `accounts.proofs.identify` raises."""
    tokens = sessions.log_in(email=email, password=password, code=code, at=at)
    return LoggedIn(tokens, profile_of(tokens.user))


def update(*, user: User, at: datetime, **changes: Any) -> Profile:
    """`accounts.profile.update`; another cost method or scope has every book folded anew. Raises Invalid."""
    with tenancy.acting_as(user.id):
        # As it is stored: another request may have changed it since `user` was read.
        stored = User.objects.select_for_update(no_key=True).values_list(*_OF_BOOKS)
        before = list(stored.get(id=user.id))
        profile.update(user=user, at=at, **changes)
        if [getattr(user, name) for name in _OF_BOOKS] != before:
            books.lock(Book.objects.all())
            for account in ExchangeAccount.objects.select_related("user").order_by("created_at", "id"):
                books.mark_all_stale(account=account)
    return profile_of(user)


def close_user(*, user: User, password: str, at: datetime) -> None:
    """Close a user for good: keys, files and notes are destroyed, nothing opens the account any more; trades stay.

    Not inside a transaction, as an attempt is counted. Raises Invalid (wrong password), TooManyAttempts.
    """
    passwords.verify(user=user, password=password, at=at)
    with tenancy.acting_as(user.id):
        # No account is connected meanwhile: its foreign key waits for this row (connections.connect looks again).
        User.objects.select_for_update().values_list("id").get(id=user.id)
        for connected in accounts.list_for(user_id=user.id):
            accounts.close(user_id=user.id, account_id=connected.account.id)
        exports.delete_all(user_id=user.id)
        statements.forget_notes(user_id=user.id)
        profile.erase(user=user, at=at)
