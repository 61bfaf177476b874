"""Redis where it only helps: nobody waits long for it, and while it is away the work goes on without it."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

import redis
from django.conf import settings

_T = TypeVar("_T")
_PAUSE_SECONDS: Final = 5  # how long a dead Redis is not asked again


def connect(url: str, *, as_text: bool = False) -> redis.Redis:
    """A connection that waits REDIS_PATIENCE_SECONDS at most."""
    seconds = settings.REDIS_PATIENCE_SECONDS
    return redis.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=seconds, decode_responses=as_text
    )


class Patience:
    """Of one process with one Redis: leaves it alone for some seconds when it does not answer.

    The log says once what is given up meanwhile, and once when Redis is back.
    """

    def __init__(self, logger: logging.Logger, *, without: str, again: str) -> None:
        self._logger, self._without, self._again = logger, without, again
        self._asked_again_at = 0.0
        self._is_down = False

    def ask(self, call: Callable[[], _T]) -> _T | None:
        """What `call` answers; None while Redis is away."""
        if time.monotonic() < self._asked_again_at:
            return None
        try:
            answer = call()
        except redis.RedisError as error:
            self._asked_again_at = time.monotonic() + _PAUSE_SECONDS
            if not self._is_down:
                self._logger.error("Redis does not answer (%s): %s.", type(error).__name__, self._without)
            self._is_down = True
            return None
        if self._is_down:
            self._logger.warning("Redis answers again: %s.", self._again)
            self._is_down = False
        return answer
