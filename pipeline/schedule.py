"""How often each stream of an account is asked, and when it is asked again after a failure. Pure."""

from dataclasses import dataclass
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
CALMEST: Final = timedelta(minutes=60)
_CALM: Final = (timedelta(minutes=15), CALMEST)
_DAILY = (timedelta(hours=22), timedelta(hours=24))

_TURNS: Final = (timedelta(seconds=30), timedelta(seconds=75))
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How often what an account is now is read: `prompt` while its owner looks, and `calm` times the usual interval
    otherwise. Longer than usual where an exchange allows no more, see `pipeline.pace`."""

    prompt: timedelta = PROMPT
    calm: float = 1.0

    @property
    def is_slowed(self) -> bool:
        return self.prompt > PROMPT


USUAL: Final = Pace()


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
    pace: Pace = USUAL,
) -> datetime:
    """When a stream that was read at `at` is read next.

    `is_live`: the symbol has open or recent orders; of funding: contracts are held. `is_followed`: the account holds
    or traded an asset of the symbol; the others were only swept.
    """
    key = f"{account_id}:{stream}:{scope}"
    # All such streams of an account together: one run serves them.
    calm = max(_spread(*_CALM, key=str(account_id)) * pace.calm, pace.prompt)
    match stream:
        case Stream.BALANCES | Stream.OPEN_ORDERS | Stream.POSITIONS | Stream.CONTRACT_OPEN:
            return at + (pace.prompt if is_active else calm)
        case Stream.DEPOSITS | Stream.WITHDRAWALS | Stream.TRANSFERS:
            return at + max(TRANSFERS, pace.prompt if is_active else calm)
        case Stream.FILLS | Stream.ORDERS | Stream.CONTRACT_FILLS | Stream.CONTRACT_ORDERS if is_live:
            return at + (pace.prompt if is_active else calm)
        case Stream.REBATES | Stream.CHARGES | Stream.DIVIDENDS | Stream.CONVERSIONS if is_active:
            return at + max(HOURLY, pace.prompt)
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


def next_turn(*, account_id: UUID, retry_at: datetime, at: datetime) -> datetime:
    """When history that waits for a budget goes on. Coming back the moment something is left again, all who wait would
    come at once, and each visit costs something by itself."""
    return max(retry_at, at + _spread(*_TURNS, key=str(account_id)))


def _spread(shortest: timedelta, longest: timedelta, *, key: str) -> timedelta:
    """A moment between the two that is always the same for a key: so that not all are due at once."""
    return shortest + (longest - shortest) * (crc32(key.encode()) % 1000) / 1000
