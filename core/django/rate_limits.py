"""How many requests somebody may make: a moving window in Redis for each user, each token's user, or else each address.

A courtesy to everybody else, not a wall: what guards passwords is counted in PostgreSQL (`accounts.attempts`). While
Redis does not answer everything passes, and the log says so once.
"""

import logging
import math
import time
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Final
from uuid import UUID

import limits
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from core.django import actors
from core.django.optional_redis import Patience
from core.errors import DomainError

logger = logging.getLogger(__name__)
_SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
_NETWORK_BITS: Final = 64  # of an IPv6 address: a subscriber has them all
_ATTRIBUTE: Final = "rate_limit_state"


class RateLimited(DomainError):
    """Too many requests; `retry_after` says in seconds when the next one fits."""

    code = "rate_limited"
    status = HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class State:
    """Where somebody stands with one limit after a request."""

    name: str
    amount: int
    window: int
    remaining: int
    reset: int
    """Seconds until a request leaves the window."""


def consume(request: HttpRequest, *, name: str, limit: str, key: str) -> None:
    """Count the request against a limit such as `600/minute`. Raises RateLimited when there is no room."""
    if not limit:
        return
    item = limits.parse(limit)
    state = counter(settings.REDIS_URL).hit(item, name, key)
    if state is None:
        return
    fits, remaining, reset = state
    known = State(name, item.amount, item.get_expiry(), max(remaining, 0), reset)
    earlier: State | None = getattr(request, _ATTRIBUTE, None)
    if earlier is None or known.remaining <= earlier.remaining:  # the tightest is told
        setattr(request, _ATTRIBUTE, known)
    if not fits:
        raise RateLimited(
            f"Too many requests: at most {item.amount} in {known.window} seconds. Try again in {reset} seconds.",
            retry_after=reset,
        )


def consume_for(request: HttpRequest, user_id: UUID | None) -> None:
    """Count the request against every limit that concerns it: the user's, or the address's where nobody is known."""
    address = network(actors.current().address)
    route = request.resolver_match.view_name if request.resolver_match else ""
    if request.method not in _SAFE and route in settings.SENSITIVE_ROUTES:
        consume(request, name=route, limit=settings.RATE_LIMIT_SENSITIVE, key=address)
    if user_id is None:
        consume(request, name="address", limit=settings.RATE_LIMIT, key=address)
    else:
        consume(request, name="user", limit=settings.RATE_LIMIT, key=str(user_id))


def add_headers(request: HttpRequest, response: HttpResponse) -> None:
    """`RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-10."""
    state: State | None = getattr(request, _ATTRIBUTE, None)
    if state is not None:
        response.headers["RateLimit-Policy"] = f'"{state.name}";q={state.amount};w={state.window}'
        response.headers["RateLimit"] = f'"{state.name}";r={state.remaining};t={state.reset}'


def network(address: str) -> str:
    """What stands for one subscriber: an IPv4 address, or the first half of an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> (128 - _NETWORK_BITS):x}"
    return str(parsed)


class Counter:
    """The windows in Redis."""

    def __init__(self, url: str) -> None:
        seconds = settings.REDIS_PATIENCE_SECONDS
        storage = RedisStorage(
            f"redis+{url}" if url.startswith("unix://") else url,
            key_prefix="rate",
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
        )
        self._limiter = MovingWindowRateLimiter(storage)
        self._patience = Patience(logger, without="requests are not counted", again="requests are counted")

    def hit(self, item: limits.RateLimitItem, name: str, key: str) -> tuple[bool, int, int] | None:
        """Whether it fits, how many more would, seconds until one leaves the window; None while Redis is away."""
        return self._patience.ask(lambda: self._hit(item, name, key))

    def _hit(self, item: limits.RateLimitItem, name: str, key: str) -> tuple[bool, int, int]:
        fits = self._limiter.hit(item, name, key)
        stats = self._limiter.get_window_stats(item, name, key)
        return fits, int(stats.remaining), max(math.ceil(stats.reset_time - time.time()), 1)


@cache
def counter(url: str) -> Counter:
    """The process's own, for the Redis at an address."""
    return Counter(url)
