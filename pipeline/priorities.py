"""Who goes first when an exchange allows less than everybody wants."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import Final

from pipeline.models import CursorState, Stream, SyncCursor, Trigger


class Priority(IntEnum):
    """The higher goes first."""

    DISCOVERY = 0  # symbols nobody is known to have traded
    BACKFILL = 1  # history, and looking for what came late
    INCREMENTAL = 2  # news, and public data for all
    INTERACTIVE = 3  # somebody waits
    ORDERS = 4


# What of a budget each may use up: the rest is kept for those above.
SHARES: Final[Mapping[Priority, int]] = {  # percent
    Priority.DISCOVERY: 40,
    Priority.BACKFILL: 60,
    Priority.INCREMENTAL: 80,
    Priority.INTERACTIVE: 90,
    Priority.ORDERS: 100,
}
# Seconds a request waits where it is before its caller is sent away.
PATIENCE: Final[Mapping[Priority, float]] = {
    Priority.DISCOVERY: 3,
    Priority.BACKFILL: 3,
    Priority.INCREMENTAL: 3,
    Priority.INTERACTIVE: 10,
    Priority.ORDERS: 10,
}
_LATE: Final = (Stream.RECHECK, Stream.CONTRACT_RECHECK)
_AWAITED: Final = (Trigger.CONNECT, Trigger.USER)
_STATES: Final = (  # what an account is now: little to ask, and the page shows it first
    Stream.PERMISSIONS,
    Stream.BALANCES,
    Stream.OPEN_ORDERS,
    Stream.POSITIONS,
    Stream.CONTRACT_OPEN,
)
_current: ContextVar[Priority] = ContextVar("priority", default=Priority.INCREMENTAL)


def current() -> Priority:
    return _current.get()


@contextmanager
def using(priority: Priority) -> Iterator[None]:
    """Requests sent inside the block have this priority."""
    token = _current.set(priority)
    try:
        yield
    finally:
        _current.reset(token)


def of(cursor: SyncCursor, *, trigger: str, is_followed: bool) -> Priority:
    """The priority of reading a cursor. `is_followed`: the account is known to trade the cursor's symbol."""
    if cursor.stream in _STATES:
        return Priority.INTERACTIVE if trigger in _AWAITED else Priority.INCREMENTAL
    if cursor.stream == Stream.DISCOVERY or (cursor.stream == Stream.FILLS and not is_followed):
        return Priority.DISCOVERY
    if cursor.state == CursorState.BACKFILL or cursor.stream in _LATE:
        return Priority.BACKFILL
    return Priority.INTERACTIVE if trigger in _AWAITED else Priority.INCREMENTAL
