"""One-time tokens that travel by mail: for one purpose, once, for a quarter of an hour. Only their hash is stored."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from core.django import actors
from core.errors import DomainError


class Purpose(StrEnum):
    """What a token is good for; part of its hash, so that none serves another purpose."""

    VERIFY = "verify"
    RESET = "reset"
    EMAIL = "email"


class InvalidOneTimeToken(DomainError):
    """Unknown, used, replaced, expired, or for another purpose: all answer alike."""

    code = "invalid_one_time_token"


def issue(*, user_id: UUID, purpose: Purpose, at: datetime, **changes: Any) -> str:
    """A new token, which replaces the user's last one whatever it was for; `changes` are stored along with it."""
    token = secrets.token_urlsafe(32)
    with actors.stamped():
        User.objects.filter(id=user_id, is_deleted=False).update(
            secret_token=_hash(purpose, token), secret_token_created_at=at, **changes
        )
    return token


def find(*, purpose: Purpose, token: str, at: datetime) -> User:
    """Whose living token it is; it stays good. Raises InvalidOneTimeToken."""
    user = _holders(purpose, token, at).first()
    if user is None:
        raise refused()
    return user


def redeem(*, purpose: Purpose, token: str, at: datetime, **changes: Any) -> None:
    """Use the token up and make the changes it permits, as one guarded UPDATE. Raises InvalidOneTimeToken.

    Of parallel calls one wins: the others wait for its row and then find the token gone.
    """
    with actors.stamped():
        won = _holders(purpose, token, at).update(
            secret_token=None, secret_token_created_at=None, updated_at=at, **changes
        )
    if not won:
        raise refused()


def refused() -> InvalidOneTimeToken:
    return InvalidOneTimeToken(
        "This link does not work any more: it was used, replaced or is too old. Ask for another."
    )


def _holders(purpose: Purpose, token: str, at: datetime) -> QuerySet[User]:
    oldest = at - timedelta(minutes=settings.ONE_TIME_TOKEN_MINUTES)
    return User.objects.filter(
        secret_token=_hash(purpose, token),
        secret_token_created_at__gt=oldest,
        is_deleted=False,
        is_active=True,
    )


def _hash(purpose: Purpose, token: str) -> str:
    return hashlib.sha256(f"{purpose}:{token}".encode()).hexdigest()
