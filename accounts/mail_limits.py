"""How many mails anybody may cause at one address: forms that are open to all must not fill a mailbox.

Counted beside the attempts to log in, and forgotten with them.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.db import connection

from core.errors import DomainError

MOST: Final = 5
WINDOW: Final = timedelta(minutes=15)

_TAKE: Final = """
INSERT INTO accounts_loginattempts AS made (key, count, window_started_at)
VALUES ('mail:' || encode(sha256(convert_to(lower(%(address)s::text), 'UTF8')), 'hex'), 1, %(at)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN made.window_started_at <= %(over)s THEN 1 ELSE made.count + 1 END,
  window_started_at = CASE WHEN made.window_started_at <= %(over)s THEN %(at)s ELSE made.window_started_at END
RETURNING count
"""


class TooManyMails(DomainError):
    """Said only to those who know already that the address is theirs."""

    code = "too_many_mails"
    status = HTTPStatus.TOO_MANY_REQUESTS


def take(address: str, *, at: datetime) -> bool:
    """Count a mail to this address; answers whether it still fits. What does not fit is neither sent nor issued, so
    that the last link that was sent goes on working."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"address": address, "at": at, "over": at - WINDOW})
        count: int = cursor.fetchone()[0]
    return count <= MOST
