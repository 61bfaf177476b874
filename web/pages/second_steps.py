"""Between password and code: the cookie's data remember for some minutes whose password was right."""

from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User

MINUTES: Final = 5
_KEY: Final = "awaits_code"


def await_code(request: HttpRequest, user: User, *, at: datetime) -> None:
    """The next thing this browser says may be the user's code; it gets a new cookie."""
    request.session.cycle_key()
    request.session[_KEY] = {
        "user": str(user.id),
        "until": (at + timedelta(minutes=MINUTES)).isoformat(),
        "password": user.get_session_auth_hash(),
    }


def awaited(request: HttpRequest, *, at: datetime) -> User | None:
    """Whose code is awaited; nobody's once the time is over, the password changed or the user is out."""
    pending = request.session.get(_KEY)
    if pending is None or datetime.fromisoformat(pending["until"]) <= at:
        return None
    user = User.objects.filter(id=pending["user"], is_active=True, is_deleted=False).first()
    if user is None or not constant_time_compare(pending["password"], user.get_session_auth_hash()):
        return None
    return user


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)
