"""The small state all workers share in Redis.

Losing it is harmless; while Redis is away each process goes on alone.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Final, TypeVar

import redis
from django.conf import settings

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

PREFIX: Final = "exchanges"
REDIS_SECONDS: Final = 0.25  # nobody waits longer for the state
_PAUSE_SECONDS: Final = 5  # how long a dead Redis is not asked again


class Shared:
    """A connection that is left alone for some seconds when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, decode_responses=True
        )
        self._asked_again_at = 0.0
        self._is_down = False

    def ask(self, call: Callable[["redis.Redis"], _T]) -> _T | None:
        """What `call` answers; None while Redis is away. The log says once that it is."""
        if time.monotonic() < self._asked_again_at:
            return None
        try:
            answer = call(self._redis)
        except redis.RedisError as error:
            self._asked_again_at = time.monotonic() + _PAUSE_SECONDS
            if not self._is_down:
                logger.error("Redis does not answer (%s): each worker counts alone.", type(error).__name__)
            self._is_down = True
            return None
        if self._is_down:
            logger.warning("Redis answers again: workers count together.")
            self._is_down = False
        return answer


def state() -> Shared:
    """The process's own connection to what all share."""
    return _shared(settings.EXCHANGE_STATE_URL)


def key(*parts: str) -> str:
    return ":".join((PREFIX, *parts))


@cache
def _shared(url: str) -> Shared:
    return Shared(url)
