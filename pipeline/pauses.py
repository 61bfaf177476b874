"""Exchanges that told this address to wait: nobody asks them before. Kept in the cache, where losing it is harmless."""

from datetime import datetime
from typing import Final

from django.core.cache import cache

from exchanges.errors import ErrorKind, ExchangeError

_KINDS: Final = (ErrorKind.RATE, ErrorKind.BANNED)
_SWEEP_SECONDS: Final = 30  # one slice of the slow search per exchange in this time, whoever's turn it is


def note(*, exchange: str, error: ExchangeError, until: datetime, now: datetime) -> None:
    """Remember a refusal that concerns the whole address."""
    seconds = (until - now).total_seconds()
    if error.kind in _KINDS and seconds > 0:
        cache.set(_key(exchange), [error.kind.value, until.isoformat()], timeout=seconds)


def check(*, exchange: str, now: datetime) -> None:
    """Raises ExchangeError while the exchange is not to be asked."""
    known = cache.get(_key(exchange))
    if known is None:
        return
    until = datetime.fromisoformat(known[1])
    if until > now:
        detail = f"The exchange asked this server to wait until {until:%H:%M:%S} UTC."
        raise ExchangeError(ErrorKind(known[0]), detail, code="paused", retry_at=until)


def take_sweep(exchange: str) -> bool:
    """Whether a slice of the slow search may run now."""
    return bool(cache.add(f"sync:sweep:{exchange}", 1, timeout=_SWEEP_SECONDS))


def _key(exchange: str) -> str:
    return f"sync:pause:{exchange}"
