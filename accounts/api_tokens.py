"""API tokens: a program's way in. Named, scoped, ending; shown once, stored as a hash, looked up by it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError

from accounts import bearers, details, mail, tokens, usage
from accounts.errors import InvalidToken
from accounts.models import ApiToken, User
from accounts.sessions import Claims
from core.django import actors
from core.errors import Conflict, NotFound

PREFIX: Final = "cgt_"  # tells a leaked token from other texts, and from an access token
LONGEST_DAYS: Final = 365
NAME_LENGTH: Final = 100
_MOST: Final = 50
_HINT_LENGTH: Final = 4


class TokenNameTaken(Conflict):
    code = "token_name_taken"


class TooManyTokens(Conflict):
    code = "too_many_tokens"


@dataclass(frozen=True, slots=True)
class NewToken:
    row: ApiToken
    token: str


def create(*, user: User, name: str, can_trade: bool, expires_in_days: int, at: datetime) -> NewToken:
    """A new token. Raises Invalid, TokenNameTaken, TooManyTokens."""
    if not 1 <= expires_in_days <= LONGEST_DAYS:
        raise details.invalid("/expires_in_days", "out_of_range", f"A token lives 1 to {LONGEST_DAYS} days.")
    token = PREFIX + secrets.token_urlsafe(tokens.SECRET_BYTES)
    try:
        with actors.stamped():
            if ApiToken.objects.filter(user_id=user.id, revoked_at__isnull=True).count() >= _MOST:
                raise TooManyTokens(
                    f"There are {_MOST} tokens already: revoke one that is not used any more."
                )
            row = ApiToken.objects.create(
                user_id=user.id,
                name=name,
                token_hash=tokens.digest(token),
                hint=token[-_HINT_LENGTH:],
                can_trade=can_trade,
                created_at=at,
                expires_at=at + timedelta(days=expires_in_days),
            )
    except IntegrityError:
        raise TokenNameTaken("Another token has this name: choose another, or revoke that one.") from None
    mail.tell_access_changed(
        to=user.email,
        subject="A new API token opens your account",
        what=f"It ends in {row.hint}, {'may read and trade' if can_trade else 'may read'}, and works for"
        f" {expires_in_days} day{'' if expires_in_days == 1 else 's'}.",
    )
    return NewToken(row, token)


def list_for(*, user_id: UUID) -> list[ApiToken]:
    """All the user ever had and what became of them, the newest first."""
    return list(ApiToken.objects.filter(user_id=user_id).order_by("-created_at", "id"))


def revoke(*, user_id: UUID, token_id: UUID, at: datetime) -> None:
    """It opens nothing any more. Raises NotFound."""
    with actors.stamped():
        won = ApiToken.objects.filter(id=token_id, user_id=user_id, revoked_at__isnull=True).update(
            revoked_at=at
        )
    if not won:
        raise NotFound("There is no such token.")


def revoke_all(*, user_id: UUID, at: datetime) -> int:
    """End all tokens of a user; answers how many there were."""
    with actors.stamped():
        return ApiToken.objects.filter(user_id=user_id, revoked_at__isnull=True).update(revoked_at=at)


def authenticate(*, token: str, at: datetime) -> tuple[User, Claims]:
    """Who a token speaks for, by one indexed look-up. Raises InvalidToken."""
    row = bearers.find_token(tokens.digest(token), at=at)
    if row is None:
        raise InvalidToken("The API token is unknown, expired or revoked.")
    usage.note(row, at)
    return row.user, Claims(row.user_id, session_id=None, token_id=row.id, can_trade=row.can_trade)
