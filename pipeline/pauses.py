"""Who told us to wait: the exchange this address, or only one account. Nobody asks before."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache
from redis import RedisError

from exchanges.errors import ErrorKind, ExchangeError
from exchanges.limits import Payer
from pipeline import schedule, shared, stops
from pipeline.stops import Stop

KINDS: Final = (ErrorKind.RATE, ErrorKind.BANNED)
_SWEEP_SECONDS: Final = 30  # one slice of the slow search per exchange in this time, whoever's turn it is


def note(*, exchange: str, account: str, payer: Payer, error: ExchangeError, now: datetime) -> None:
    """Remember a refusal for everybody it concerns; a ban is always the address's."""
    until = error.retry_at or schedule.retry_at(error, failures=1, at=now)
    if until <= now:
        return
    is_own = payer is Payer.ACCOUNT and bool(account) and error.kind is not ErrorKind.BANNED
    whom = "this account" if is_own else "this server"
    detail = f"The exchange asked {whom} to wait until {until:%H:%M:%S} UTC."
    stop = Stop(stops.PAUSED, error.kind, detail, since=now, until=until)
    stops.put(account_key(exchange, account) if is_own else address_key(exchange), stop, lasts=until - now)


def address_key(exchange: str) -> str:
    return shared.key(exchange, "pause", "address", settings.OUTGOING_ADDRESS)


def account_key(exchange: str, account: str) -> str:
    return shared.key(exchange, "pause", "account", account)


def take_sweep(exchange: str) -> bool:
    """Whether a slice of the slow search may run now."""
    try:
        return bool(cache.add(f"sync:sweep:{exchange}", 1, timeout=_SWEEP_SECONDS))
    except RedisError:
        return False
