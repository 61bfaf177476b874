"""Sessions: a log-in of a person, by the API (a family of refresh tokens) or by the pages (a cookie).

A refresh token is used once; using it twice kills its session. Rotation is one guarded UPDATE plus an INSERT.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import audit, bearers, mail, proofs, tokens, usage
from accounts.audit import Action
from accounts.errors import InvalidCredentials, InvalidToken, TokenReused
from accounts.models import RefreshToken, Session, User
from accounts.tokens import Tokens
from core.django import actors
from core.django.actors import ActorKind
from core.errors import NotFound

__all__ = ["Claims", "InvalidCredentials", "InvalidToken", "TokenReused", "Tokens"]

logger = logging.getLogger(__name__)
_TABLE = Session._meta.db_table


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a request speaks for, and by what: a session, or an API token with its scopes."""

    user_id: UUID
    session_id: UUID | None
    token_id: UUID | None = None
    stepped_up_at: datetime | None = None
    can_trade: bool = True


def log_in(*, email: str, password: str, code: str | None = None, at: datetime) -> Tokens:
    """Open a session of the API. Raises what `proofs.identify` raises."""
    user = proofs.identify(email=email, password=password, code=code, at=at)
    with actors.stamped():
        return tokens.issue(start(user, kind=Session.Kind.API, at=at), parent=None, at=at)


def start(user: User, *, kind: Session.Kind, at: datetime) -> Session:
    """A session of somebody who has just shown who they are, which counts as a step-up. Raises InvalidCredentials.

    The user's row is held meanwhile: who changes the password or locks the user out either is seen here, or sees and
    ends this session.
    """
    actor = actors.current()
    with actors.acting(replace(actor, kind=ActorKind.USER, user_id=user.id)), actors.stamped():
        same = User.objects.filter(id=user.id, password=user.password, is_active=True, is_deleted=False)
        if same.select_for_update(no_key=True).values_list("id").first() is None:
            raise InvalidCredentials("Your password was changed a moment ago: log in again.")
        session = Session.objects.create(
            user=user,
            kind=kind,
            ip_address=actor.address or None,
            user_agent=actor.user_agent,
            stepped_up_at=at,
            last_used_at=at,
            created_at=at,
            expires_at=at + timedelta(days=settings.SESSION_ABSOLUTE_DAYS),
        )
        audit.record(Action.LOG_IN, user_id=user.id, table=_TABLE, record_id=str(session.id), kind=str(kind))
    return session


def refresh(*, refresh_token: str, at: datetime) -> Tokens:
    """Exchange a refresh token for its only child. Raises TokenReused (and kills the session) or InvalidToken."""
    digest = tokens.digest(refresh_token)
    with actors.stamped():
        # No joins here: Django would move the guard into a subselect, which PostgreSQL does not evaluate again for
        # the one who waited, and both of two parallel requests would win.
        won = RefreshToken.objects.filter(
            token_hash=digest, used_at__isnull=True, expires_at__gt=at, session__in=living(at)
        ).update(used_at=at)
        if won:
            token = RefreshToken.objects.select_related("session__user").get(token_hash=digest)
            Session.objects.filter(id=token.session_id).update(last_used_at=at)
            return tokens.issue(token.session, parent=token, at=at)
    _refuse(digest, at)
    raise InvalidToken("The refresh token is unknown or expired: log in again.")


def authenticate(*, access_token: str, at: datetime) -> tuple[User, Claims]:
    """Who an access token speaks for; noted to the minute. Raises InvalidToken, also when its session is dead."""
    session_id = tokens.session_of(access_token)
    session = bearers.find_session(session_id, at=at)
    if session is None or session.kind != Session.Kind.API:
        raise InvalidToken("The session has ended: log in again.")
    usage.note(session, at)
    claims = Claims(user_id=session.user_id, session_id=session.id, stepped_up_at=session.stepped_up_at)
    return session.user, claims


def living(at: datetime) -> QuerySet[Session]:
    """Sessions that open something: their users are active, they were not ended, nor are they over."""
    return Session.objects.filter(
        revoked_at__isnull=True, expires_at__gt=at, user__is_active=True, user__is_deleted=False
    )


def in_use(at: datetime) -> QuerySet[Session]:
    """Living sessions that were used within the idle time."""
    idle = at - timedelta(days=settings.REFRESH_TOKEN_IDLE_DAYS)
    return living(at).alias(used_at=Coalesce("last_used_at", "created_at")).filter(used_at__gt=idle)


def list_for(*, user_id: UUID, at: datetime) -> list[Session]:
    """The user's living sessions, the last used first."""
    return list(in_use(at).filter(user_id=user_id).order_by("-last_used_at", "-created_at"))


def step_up(*, user: User, session_id: UUID, password: str, code: str | None = None, at: datetime) -> None:
    """The person in front of a session shows again who they are. Raises TooManyAttempts, Unconfirmed."""
    proofs.confirm(user=user, password=password, code=code, at=at)
    with actors.stamped():
        Session.objects.filter(id=session_id, user_id=user.id).update(stepped_up_at=at)
        audit.record(Action.STEP_UP, user_id=user.id, table=_TABLE, record_id=str(session_id))


def log_out(*, refresh_token: str | None, session_id: UUID, at: datetime) -> None:
    """End the session of the access token, and that of the refresh token if one is given."""
    ids = {session_id}
    if refresh_token:
        digest = tokens.digest(refresh_token)
        ids |= set(RefreshToken.objects.filter(token_hash=digest).values_list("session_id", flat=True))
    with actors.stamped():
        for session in Session.objects.filter(id__in=ids, revoked_at__isnull=True):
            if _end(Q(id=session.id), reason="log-out", at=at):
                audit.record(Action.LOG_OUT, user_id=session.user_id, table=_TABLE, record_id=str(session.id))


def revoke(*, user_id: UUID, session_id: UUID, reason: str, at: datetime) -> None:
    """End one of the user's living sessions. Raises NotFound."""
    with actors.stamped():
        if not _end(Q(id__in=in_use(at).filter(id=session_id, user_id=user_id)), reason=reason, at=at):
            raise NotFound("There is no such session.")
        audit.record(
            Action.SESSION_REVOKED, user_id=user_id, table=_TABLE, record_id=str(session_id), reason=reason
        )


def revoke_all(*, user_id: UUID, except_session: UUID | None = None, reason: str, at: datetime) -> int:
    """End every session of a user, of the API and the pages, but one; answers how many there were."""
    with actors.stamped():
        count = _end(Q(user_id=user_id) & ~Q(id=except_session), reason=reason, at=at)
        audit.record(
            Action.SESSION_REVOKED, user_id=user_id, table=_TABLE, reason=reason, count=count,
            kept=None if except_session is None else str(except_session),
        )  # fmt: skip
    return count


def _end(which: Q, *, reason: str, at: datetime) -> int:
    """The one place that ends sessions; each ends once."""
    return Session.objects.filter(which, revoked_at__isnull=True).update(revoked_at=at, revoked_reason=reason)


def _refuse(digest: bytes, at: datetime) -> None:
    """Kill the session of a token that was used before; committed before the error is raised."""
    token = (
        RefreshToken.objects.select_related("session__user")
        .filter(token_hash=digest, used_at__isnull=False)
        .first()
    )
    if token is None:
        return
    session = token.session
    with actors.stamped():
        killed = _end(Q(id=session.id), reason="refresh token reused", at=at)
        if killed:
            audit.record(
                Action.TOKEN_REUSED, user_id=session.user_id, table=_TABLE, record_id=str(session.id)
            )
    if killed:
        logger.warning("A refresh token came twice: its session was ended.")
        mail.send("token_reused", to=session.user.email, subject="One of your sessions was ended")
    raise TokenReused("This refresh token was used before; the session is ended. Log in again.")
