"""Why nothing is asked for now: a refusal to be waited out, or an outage. Kept where all workers see it.

A process keeps its own copy of what it noted itself, for the time when Redis is away.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import shared

PAUSED: Final = "paused"  # the exchange asked for it
BREAKER: Final = "breaker"  # the exchange fails
NETWORK: Final = "network"  # nothing can be reached
STOPS: Final = (PAUSED, BREAKER, NETWORK)

_own: dict[str, str] = {}
_passing: ContextVar[bool] = ContextVar("passing", default=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """`until`: the end of a pause, or when an outage is looked at again. `wait`: seconds between the last two looks.

    `exchanges` are the ones probed, and `good` how often in a row all of them answered.
    """

    code: str
    kind: ErrorKind
    detail: str
    since: datetime
    until: datetime
    wait: float = 0
    exchanges: tuple[str, ...] = ()
    good: int = 0

    def holds(self, now: datetime) -> bool:
        """A pause ends by itself; an outage is ended by whoever looks whether it is over."""
        return self.code != PAUSED or self.until > now

    def error(self) -> ExchangeError:
        return ExchangeError(self.kind, self.detail, code=self.code, retry_at=self.until)

    def text(self) -> str:
        moments = {"since": clock.to_ms(self.since), "until": clock.to_ms(self.until)}
        return json.dumps({**asdict(self), **moments})

    @classmethod
    def parse(cls, text: str) -> Self:
        told: Mapping[str, Any] = json.loads(text)
        return cls(
            **{
                **told,
                "kind": ErrorKind(told["kind"]),
                "since": clock.from_ms(told["since"]),
                "until": clock.from_ms(told["until"]),
                "exchanges": tuple(told["exchanges"]),
            }
        )


def put(key: str, stop: Stop, *, lasts: timedelta) -> None:
    text = stop.text()
    _own[key] = text
    milliseconds = max(lasts // timedelta(milliseconds=1), 1)
    shared.state().ask(lambda redis: redis.set(key, text, px=milliseconds))


def put_first(key: str, stop: Stop, *, lasts: timedelta) -> bool:
    """Put it unless there is one; answers whether it was."""
    text = stop.text()
    milliseconds = max(lasts // timedelta(milliseconds=1), 1)
    is_first = bool(shared.state().ask(lambda redis: redis.set(key, text, px=milliseconds, nx=True)))
    if is_first:
        _own[key] = text
    return is_first


def drop(key: str) -> None:
    _own.pop(key, None)
    shared.state().ask(lambda redis: redis.delete(key))


def find(keys: Sequence[str], *, now: datetime) -> list[Stop | None]:
    """What holds at `now`, one for each key."""
    texts = shared.state().ask(lambda redis: redis.mget(keys))
    if texts is None:
        texts = [_own.get(key) for key in keys]
    stops = [Stop.parse(str(text)) if text else None for text in texts]
    return [stop if stop is not None and stop.holds(now) else None for stop in stops]


@contextmanager
def passing() -> Iterator[None]:
    """Requests of this block go out in spite of an outage: they find out whether it is over."""
    token = _passing.set(True)
    try:
        yield
    finally:
        _passing.reset(token)


def is_passing() -> bool:
    return _passing.get()
