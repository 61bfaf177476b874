"""What a session hands out: signed access tokens, and refresh tokens of which only a hash is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.errors import InvalidToken
from accounts.models import RefreshToken, Session, User

SECRET_BYTES = 32  # random enough that a plain hash of it tells nothing


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    refresh_token: str
    user: User


def issue(session: Session, *, parent: RefreshToken | None, at: datetime) -> Tokens:
    """A refresh token, the parent's only child, with an access token."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    idle_end = at + timedelta(days=settings.REFRESH_TOKEN_IDLE_DAYS)
    RefreshToken.objects.create(
        session=session,
        parent=parent,
        token_hash=digest(secret),
        created_at=at,
        expires_at=min(idle_end, session.expires_at),
    )
    return Tokens(_access_token(session, at), secret, session.user)


def session_of(access_token: str) -> UUID:
    """The session an access token of ours names. Raises InvalidToken when it is false or late."""
    try:
        payload = AccessToken(access_token)  # type: ignore[arg-type]  # the stubs ask for a Token, the code takes text
        return UUID(str(payload["sid"]))
    except (TokenError, KeyError, ValueError):
        raise InvalidToken("The access token is not valid: refresh it or log in again.") from None


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _access_token(session: Session, at: datetime) -> str:
    token = AccessToken()
    token.set_exp(from_time=at, lifetime=timedelta(minutes=settings.ACCESS_TOKEN_MINUTES))
    token["sub"] = str(session.user_id)
    token["sid"] = str(session.id)
    return str(token)
