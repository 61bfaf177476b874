"""Answers kept in Redis for some minutes, each under its owner and its version.

A version changes whenever the answer may (see `conditional`), so nothing has to be thrown away after a write: what was
kept is asked for no more, and goes when its time is over. While Redis is away everything is computed.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Final
from uuid import UUID

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

REDIS_SECONDS: Final = 0.25  # nobody waits longer for what can be computed
_PAUSE_SECONDS: Final = 5  # how long a dead Redis is not asked again


def answer(*, owner: UUID, version: str, seconds: int, make: Callable[[], bytes]) -> bytes:
    """What is kept for this owner under this version, else what `make` answers, which is kept from now on."""
    shelf = _shelf(settings.REDIS_URL)
    key = f"kept:{owner}:{hashlib.sha256(version.encode()).hexdigest()}"
    found = shelf.take(key)
    if found is None:
        found = make()
        shelf.put(key, found, seconds)
    return found


class Shelf:
    """Bytes in Redis, left alone for some seconds when it does not answer."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self._asked_again_at = 0.0

    def take(self, key: str) -> bytes | None:
        found = self._ask(lambda: self._redis.get(key))
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        self._ask(lambda: self._redis.set(key, value, ex=seconds))

    def _ask(self, call: Callable[[], object]) -> object:
        if time.monotonic() < self._asked_again_at:
            return None
        try:
            return call()
        except redis.RedisError as error:
            self._asked_again_at = time.monotonic() + _PAUSE_SECONDS
            logger.warning("Answers are not kept: Redis does not answer (%s).", type(error).__name__)
            return None


@cache
def _shelf(url: str) -> Shelf:
    """The process's own, for the Redis at an address."""
    return Shelf(url)
