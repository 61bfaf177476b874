"""How often each stream of an account is asked, and when it is asked again after a failure. Pure."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zlib import crc32

from exchanges.errors import ErrorKind, ExchangeError
from pipeline.models import Stream

SEEN_LATELY: Final = timedelta(minutes=15)  # a user seen since then counts as active
PROMPT: Final = timedelta(minutes=3)
TRANSFERS: Final = timedelta(minutes=15)
HOURLY: Final = timedelta(hours=1)
SWEEP: Final = timedelta(minutes=5)
SWEPT: Final = timedelta(days=25)  # a symbol the account never traded; MEXC forgets fills after 30 days
STATES: Final = (Stream.BALANCES, Stream.OPEN_ORDERS, Stream.POSITIONS, Stream.CONTRACT_OPEN)  # what is now
_CALM = (timedelta(minutes=15), timedelta(minutes=60))
_DAILY = (timedelta(hours=22), timedelta(hours=24))

_SHORTEST_WAIT: Final = timedelta(seconds=10)
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(minutes=10)
_WAITS: Final = {
    ErrorKind.RATE: timedelta(minutes=1),
    ErrorKind.BANNED: timedelta(minutes=10),
    ErrorKind.CLOCK: timedelta(minutes=5),
    ErrorKind.AUTH: timedelta(minutes=10),
    ErrorKind.PERMISSION: timedelta(days=1),
    ErrorKind.USER: timedelta(days=1),
    ErrorKind.BUG: timedelta(hours=1),
}


def is_active(seen_at: datetime | None, at: datetime) -> bool:
    """Whether somebody looks at the pages now."""
    return seen_at is not None and at - seen_at < SEEN_LATELY


def next_due(
    stream: str,
    *,
    account_id: UUID,
    scope: str = "",
    at: datetime,
    is_active: bool,
    is_live: bool = False,
    is_followed: bool = True,
) -> datetime:
    """When a stream that was read at `at` is read next.

    `is_live`: the symbol has open or recent orders; of funding: contracts are held. `is_followed`: the account holds
    or traded an asset of the symbol; the others were only swept.
    """
    key = f"{account_id}:{stream}:{scope}"
    calm = _spread(*_CALM, key=str(account_id))  # both streams of an account together: one run serves them
    match stream:
        case Stream.BALANCES | Stream.OPEN_ORDERS | Stream.POSITIONS | Stream.CONTRACT_OPEN:
            return at + (PROMPT if is_active else calm)
        case Stream.DEPOSITS | Stream.WITHDRAWALS | Stream.TRANSFERS:
            return at + (TRANSFERS if is_active else max(TRANSFERS, calm))
        case Stream.FILLS | Stream.ORDERS | Stream.CONTRACT_FILLS | Stream.CONTRACT_ORDERS if is_live:
            return at + (PROMPT if is_active else calm)
        case Stream.REBATES | Stream.CHARGES | Stream.DIVIDENDS | Stream.CONVERSIONS if is_active:
            return at + HOURLY
        case Stream.FUNDING if is_live:
            return at + max(HOURLY, calm)
        case Stream.FILLS if not is_followed:
            return at + SWEPT
        case _:
            return at + _spread(*_DAILY, key=key)


def retry_at(error: ExchangeError, *, failures: int, at: datetime) -> datetime:
    """When to ask again after the `failures`-th failure in a row (1 = the first)."""
    wait = _WAITS.get(error.kind)
    if wait is None:  # DOWN and NETWORK
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT)
    if error.retry_at is None:
        return at + wait
    least = _FIRST_WAIT if error.kind is ErrorKind.DOWN else _SHORTEST_WAIT
    return max(error.retry_at, at + least)


def _spread(shortest: timedelta, longest: timedelta, *, key: str) -> timedelta:
    """A moment between the two that is always the same for a key: so that not all are due at once."""
    return shortest + (longest - shortest) * (crc32(key.encode()) % 1000) / 1000
