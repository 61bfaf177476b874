"""Attempts to log in, counted in PostgreSQL before anything is checked, so that parallel ones cannot pass the limit.

Per account (whether it exists or not) 5 and per address 30 in 15 minutes, which begin with the first; from then on
each further failure doubles the wait, from a minute up to an hour, until nothing was tried for 15 minutes after one.
An attempt is taken off again when it turns out to be right.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any, Final

from django.db import connection, transaction
from django.db.models.functions import Coalesce

from accounts.errors import TooManyAttempts
from accounts.models import LogInAttempts
from core.django import actors

PER_ACCOUNT: Final = 5
PER_ADDRESS: Final = 30
WINDOW: Final = timedelta(minutes=15)
FIRST_DELAY: Final = timedelta(minutes=1)
LONGEST_DELAY: Final = timedelta(hours=1)
_NETWORK_BITS: Final = 64  # who has one IPv6 address has the 2**64 of its network
_LONGEST_EMAIL: Final = 1000

# Lower case as the database sees it: two spellings that find the same user must not have two counts.
_ACCOUNT_KEY: Final = "'account:' || encode(sha256(convert_to(lower(%(of)s::text), 'UTF8')), 'hex')"
_ADDRESS_KEY: Final = "'address:' || %(of)s::text"

# A blocked row does not match the WHERE and answers no row: only then is an attempt refused.
_TAKE: Final = """
INSERT INTO accounts_loginattempts AS made (key, count, window_started_at) VALUES ({key}, 1, %(at)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN {quiet} THEN 1 ELSE made.count + 1 END,
  window_started_at = CASE WHEN {quiet} THEN excluded.window_started_at ELSE made.window_started_at END,
  blocked_until = CASE WHEN NOT {quiet} AND made.count + 1 >= %(limit)s THEN
    %(at)s + least(%(first)s * power(2, least(made.count + 1 - %(limit)s, 20)), %(longest)s) END
WHERE coalesce(made.blocked_until, %(at)s) <= %(at)s
RETURNING key
"""
_QUIET: Final = "(coalesce(made.blocked_until, made.window_started_at) + %(window)s <= %(at)s)"
_END_OF_BLOCK: Final = "SELECT blocked_until FROM accounts_loginattempts WHERE key = {key}"

_START_ANEW: Final = "DELETE FROM accounts_loginattempts WHERE key = {key}"

# What it was before: below the limit not blocked, above it with the last wait behind it.
_GIVE_BACK: Final = """
UPDATE accounts_loginattempts SET
  count = greatest(count - 1, 0),
  blocked_until = CASE WHEN count > %(limit)s THEN %(at)s END
WHERE key = %(key)s
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that was counted as failed and has not been decided yet; left alone, it stays counted."""

    account_key: str
    address_key: str | None
    at: datetime

    def succeed(self) -> None:
        """It was right: the account starts anew, the address has one failure less."""
        LogInAttempts.objects.filter(key=self.account_key).delete()
        self._give_back(self.address_key, PER_ADDRESS)

    def withdraw(self) -> None:
        """It was no failure, but proves too little to start anew."""
        self._give_back(self.account_key, PER_ACCOUNT)
        self._give_back(self.address_key, PER_ADDRESS)

    def _give_back(self, key: str | None, limit: int) -> None:
        if key is not None:
            with connection.cursor() as cursor:
                cursor.execute(_GIVE_BACK, {"key": key, "limit": limit, "at": self.at})


def begin(*, email: str, at: datetime) -> Attempt:
    """Count an attempt on an account from the current actor's address. Raises TooManyAttempts.

    Durable: whatever becomes of the request, the count is committed. A refusal counts nowhere, so that waiting helps.
    """
    address = _network(actors.current().address)
    with transaction.atomic(durable=True):  # always the account first: no two wait for each other
        account_key = _take(_ACCOUNT_KEY, email[:_LONGEST_EMAIL], PER_ACCOUNT, at)
        address_key = _take(_ADDRESS_KEY, address, PER_ADDRESS, at) if address else None
    return Attempt(account_key, address_key, at)


def start_anew(*, email: str) -> None:
    """Forget the failures of an account: its owner has just shown that it is theirs."""
    with connection.cursor() as cursor:
        cursor.execute(_START_ANEW.format(key=_ACCOUNT_KEY), {"of": email})


def forget(*, before: datetime) -> int:
    """Delete the rows that were quiet for long enough to start anew; answers how many."""
    quiet = Coalesce("blocked_until", "window_started_at")
    return LogInAttempts.objects.alias(since=quiet).filter(since__lt=before - WINDOW).delete()[0]


def _take(key: str, of: str, limit: int, at: datetime) -> str:
    values: dict[str, Any] = {
        "of": of,
        "limit": limit,
        "at": at,
        "window": WINDOW,
        "first": FIRST_DELAY,
        "longest": LONGEST_DELAY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(key=key, quiet=_QUIET), values)
        taken = cursor.fetchone()
        if taken is not None:
            found: str = taken[0]
            return found
        cursor.execute(_END_OF_BLOCK.format(key=key), values)
        row = cursor.fetchone()
    wait = row[0] - at if row and row[0] else FIRST_DELAY  # taken back meanwhile
    raise TooManyAttempts(max(ceil(wait.total_seconds()), 1))


def _network(address: str) -> str:
    """What counts as one address; nothing where none is known, which is a server's own work."""
    if not address:
        return ""
    known = ip_address(address)
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ip_network((int(known), _NETWORK_BITS), strict=False))
