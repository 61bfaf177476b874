"""The small state all workers share in Redis.

Losing it is harmless; while Redis is away each process goes on alone.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Final, TypeVar

import redis
from django.conf import settings

from core.django.optional_redis import Patience, connect

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

PREFIX: Final = "exchanges"


class Shared:
    """A connection that is left alone for some seconds when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url, as_text=True)
        self._patience = Patience(logger, without="each worker counts alone", again="workers count together")

    def ask(self, call: Callable[["redis.Redis"], _T]) -> _T | None:
        """What `call` answers; None while Redis is away."""
        return self._patience.ask(lambda: call(self._redis))


def state() -> Shared:
    """The process's own connection to what all share."""
    return _shared(settings.EXCHANGE_STATE_URL)


def key(*parts: str) -> str:
    return ":".join((PREFIX, *parts))


@cache
def _shared(url: str) -> Shared:
    return Shared(url)
