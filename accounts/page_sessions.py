"""Sessions of the pages: Django's cookie names a row of ours, and is worth nothing once that row is dead.

So logging out everywhere, a changed password, locking out and deleting take effect at the next request of pages and
admin alike. A password that was changed behind our back ends them too, by the hash Django keeps in the cookie's data.
"""

from datetime import datetime
from typing import Final, cast
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, login, logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from accounts import sessions, usage
from accounts.models import Session, User
from core import clock

_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
_ID: Final = "session_id"
_ROW: Final = "_page_session"


def log_in(request: HttpRequest, user: User, *, at: datetime) -> Session:
    """Log in somebody who has just shown who they are; the cookie gets a new key. Raises InvalidCredentials."""
    session = sessions.start(user, kind=Session.Kind.PAGE, at=at)
    login(request, user, backend=_BACKEND)
    request.session[_ID] = str(session.id)
    setattr(request, _ROW, session)
    return session


def log_out(request: HttpRequest, *, at: datetime) -> None:
    session = current(request)
    if session is not None:
        sessions.log_out(refresh_token=None, session_id=session.id, at=at)
    logout(request)


def current(request: HttpRequest) -> Session | None:
    """The living session a page is asked by."""
    _ = request.user.is_authenticated  # looks it up
    session: Session | None = getattr(request, _ROW, None)
    return session


class PageSessions(AuthenticationMiddleware):
    """`request.user` is whoever the living session belongs to; the look-up happens when somebody asks."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = cast("User", SimpleLazyObject(lambda: _user(request)))


def _user(request: HttpRequest) -> User | AnonymousUser:
    """Looked up once a request; what is left of a dead session is thrown away."""
    if SESSION_KEY not in request.session:
        return AnonymousUser()
    at = clock.now()
    session = _living(request, at)
    if session is None:
        request.session.flush()
        return AnonymousUser()
    usage.note(session, at)
    setattr(request, _ROW, session)
    return session.user


def _living(request: HttpRequest, at: datetime) -> Session | None:
    try:
        session_id = UUID(request.session.get(_ID, ""))
    except ValueError:
        return None
    rows = sessions.in_use(at).filter(id=session_id, kind=Session.Kind.PAGE)
    session = rows.select_related("user").first()
    if session is None or str(session.user_id) != request.session[SESSION_KEY]:
        return None
    stored = request.session.get(HASH_SESSION_KEY, "")
    hashes = [session.user.get_session_auth_hash(), *session.user.get_session_auth_fallback_hash()]
    return session if any(constant_time_compare(stored, known) for known in hashes) else None
