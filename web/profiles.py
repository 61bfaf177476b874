"""A user with what other rooms know of them."""

from dataclasses import dataclass
from datetime import datetime

from accounts import sessions
from accounts.models import User
from credentials import accounts


@dataclass(frozen=True, slots=True)
class Profile:
    user: User
    configured_exchanges: list[str]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    tokens: sessions.Tokens
    profile: Profile


def profile_of(user: User) -> Profile:
    return Profile(user, accounts.configured_exchanges(user_id=user.id))


def log_in(*, email: str, password: str, code: str | None = None, at: datetime) -> LoggedIn:
    """Open a session and show whose it is. Raises what `accounts.proofs.identify` raises."""
    tokens = sessions.log_in(email=email, password=password, code=code, at=at)
    return LoggedIn(tokens, profile_of(tokens.user))
