"""Answers kept in Redis for some minutes, each under its owner and its version.

A version changes whenever the answer may (see `conditional`), so nothing has to be thrown away after a write: what was
kept is asked for no more, and goes when its time is over. While Redis is away everything is computed.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from uuid import UUID

from django.conf import settings

from core.django.optional_redis import Patience, connect

logger = logging.getLogger(__name__)


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
    """Bytes in Redis; none while it is away."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._patience = Patience(logger, without="answers are not kept", again="answers are kept")

    def take(self, key: str) -> bytes | None:
        found = self._patience.ask(lambda: self._redis.get(key))
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        self._patience.ask(lambda: self._redis.set(key, value, ex=seconds))


@cache
def _shelf(url: str) -> Shelf:
    """The process's own, for the Redis at an address."""
    return Shelf(url)
