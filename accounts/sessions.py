"""Log-in, rotating refresh tokens, log-out. A token is used once; using it twice kills its session.

Rotation is one guarded UPDATE plus an INSERT (security.md of the design found simplejwt's own rotation not to be
single-use under parallel requests).
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import RefreshToken, Session, User
from core.errors import NotAuthenticated

logger = logging.getLogger(__name__)
_MINUTE = timedelta(minutes=1)


class InvalidCredentials(NotAuthenticated):
    """The same answer whether the e-mail exists or not."""

    code = "invalid_credentials"


class InvalidToken(NotAuthenticated):
    code = "invalid_token"


class TokenReused(InvalidToken):
    """A refresh token came twice: somebody else may hold it, so the session is dead."""

    code = "token_reused"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a request speaks for, and by which session."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    refresh_token: str
    user: User


def log_in(*, email: str, password: str, at: datetime) -> Tokens:
    """Open a session. Raises InvalidCredentials; one hash is computed either way."""
    user = verify_password(email=email, password=password)
    with transaction.atomic():
        session = Session.objects.create(
            user=user, created_at=at, expires_at=at + timedelta(days=settings.SESSION_ABSOLUTE_DAYS)
        )
        refresh = _issue(session, parent=None, at=at)
    return Tokens(_access_token(session, at), refresh, user)


def verify_password(*, email: str, password: str) -> User:
    """The living, active user of that e-mail and password. Raises InvalidCredentials."""
    try:
        user = User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        make_password(password)  # as long as a real check takes
        raise InvalidCredentials("E-mail or password is wrong.") from None
    if (
        not check_password(password, user.password, setter=lambda raw: _upgrade(user, raw))
        or not user.is_active
    ):
        raise InvalidCredentials("E-mail or password is wrong.")
    return user


def refresh(*, refresh_token: str, at: datetime) -> Tokens:
    """Exchange a refresh token for its only child. Raises TokenReused (and kills the session) or InvalidToken."""
    digest = _hash(refresh_token)
    with transaction.atomic():
        # No joins here: Django would move the guard into a subselect, which PostgreSQL does not evaluate again for
        # the one who waited, and both of two parallel requests would win.
        won = RefreshToken.objects.filter(
            token_hash=digest, used_at__isnull=True, expires_at__gt=at, session__in=_living_sessions(at)
        ).update(used_at=at)
        if won:
            token = RefreshToken.objects.select_related("session__user").get(token_hash=digest)
            child = _issue(token.session, parent=token, at=at)
            return Tokens(_access_token(token.session, at), child, token.session.user)
    _refuse(digest, at)
    raise InvalidToken("The refresh token is unknown or expired: log in again.")


def log_out(*, refresh_token: str | None, session_id: UUID, at: datetime) -> None:
    """End the session of the access token, and that of the refresh token if one is given."""
    ids = {session_id}
    if refresh_token:
        ids |= set(
            RefreshToken.objects.filter(token_hash=_hash(refresh_token)).values_list("session_id", flat=True)
        )
    Session.objects.filter(id__in=ids, revoked_at__isnull=True).update(
        revoked_at=at, revoked_reason="log-out"
    )


def revoke_all(*, user_id: UUID, except_session: UUID | None, reason: str, at: datetime) -> int:
    """End every living session of a user but one; answers how many there were."""
    living = Session.objects.filter(user_id=user_id, revoked_at__isnull=True)
    if except_session is not None:
        living = living.exclude(id=except_session)
    return living.update(revoked_at=at, revoked_reason=reason)


def authenticate(*, access_token: str, at: datetime) -> tuple[User, Claims]:
    """Who an access token speaks for. Raises InvalidToken when it is false, late, or its session is dead."""
    try:
        payload = AccessToken(access_token)  # type: ignore[arg-type]  # the stubs ask for a Token, the code takes text
        session_id = UUID(str(payload["sid"]))
    except (TokenError, KeyError, ValueError):
        raise InvalidToken("The access token is not valid: refresh it or log in again.") from None
    session = _living_sessions(at).select_related("user").filter(id=session_id).first()
    if session is None:
        raise InvalidToken("The session has ended: log in again.")
    return session.user, Claims(user_id=session.user_id, session_id=session.id)


def note_seen(user: User, at: datetime) -> None:
    """Remember to the minute that the user is here: it sets the pace of the sync."""
    if user.seen_at is None or at - user.seen_at >= _MINUTE:
        stale = Q(seen_at__isnull=True) | Q(seen_at__lte=at - _MINUTE)  # of parallel requests, one writes
        User.objects.filter(stale, id=user.id).update(seen_at=at)
        user.seen_at = at


def _living_sessions(at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(
        revoked_at__isnull=True, expires_at__gt=at, user__is_active=True, user__is_deleted=False
    )


def _upgrade(user: User, raw: str) -> None:
    user.set_password(raw)
    user.save(update_fields=["password"])


def _issue(session: Session, *, parent: RefreshToken | None, at: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    idle_end = at + timedelta(days=settings.REFRESH_TOKEN_IDLE_DAYS)
    RefreshToken.objects.create(
        session=session,
        parent=parent,
        token_hash=_hash(secret),
        created_at=at,
        expires_at=min(idle_end, session.expires_at),
    )
    return secret


def _access_token(session: Session, at: datetime) -> str:
    token = AccessToken()
    token.set_exp(from_time=at, lifetime=timedelta(minutes=settings.ACCESS_TOKEN_MINUTES))
    token["sub"] = str(session.user_id)
    token["sid"] = str(session.id)
    return str(token)


def _refuse(digest: bytes, at: datetime) -> None:
    """Kill the session of a token that was used before; committed before the error is raised."""
    killed = Session.objects.filter(
        tokens__token_hash=digest, tokens__used_at__isnull=False, revoked_at__isnull=True
    ).update(revoked_at=at, revoked_reason="refresh token reused")
    if killed:
        logger.warning("A refresh token came twice: its session was ended.")
    if killed or RefreshToken.objects.filter(token_hash=digest, used_at__isnull=False).exists():
        raise TokenReused("This refresh token was used before; the session is ended. Log in again.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
