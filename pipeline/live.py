"""Live reads: somebody waits while a worker asks an exchange. What it reads is stored like any other page; only
whether it worked comes back, by a short-lived key in Redis. Losing that loses nothing: what is stored is shown.

Parallel reads of the same thing are one, and so are reads within two seconds of each other.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from threading import BoundedSemaphore
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings

from pipeline import broker, shared

ASKED_SECONDS: Final = 12  # a worker that comes later finds that nobody waits any more
TOLD_SECONDS: Final = 2
_LOOK_SECONDS: Final = 0.1
_waiting: Final = BoundedSemaphore(4)  # of this process's threads: the others go on answering

TIMEOUT: Final = "timeout"
BUSY: Final = "busy"
CLOSED: Final = "closed"
UNAVAILABLE: Final = "unavailable"  # no broker, no Redis, or turned off


class What(StrEnum):
    """What can be read live."""

    BALANCES = "balances"
    OPEN_ORDERS = "open_orders"
    ORDERS = "orders"
    FILLS = "fills"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"
    SNAPSHOT = "snapshot"
    TICKERS = "tickers"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read: of an account, or public data of an exchange. `symbol` is read beside what moved."""

    what: What
    exchange: str
    user_id: UUID | None = None
    account_id: UUID | None = None
    symbol: str = ""
    contracts: bool = False

    @property
    def key(self) -> str:
        """Where its state stands; the same for everybody who may share it."""
        whose = str(self.account_id or self.exchange)
        return shared.key("live", whose, self.what, self.symbol, str(int(self.contracts)))

    def words(self) -> dict[str, Any]:
        """For the broker."""
        ids = {name: str(value) if value else None for name, value in self._ids().items()}
        return {**asdict(self), **ids}

    def _ids(self) -> Mapping[str, UUID | None]:
        return {"user_id": self.user_id, "account_id": self.account_id}

    @classmethod
    def parse(cls, words: Mapping[str, Any]) -> "Reading":
        ids = {name: UUID(words[name]) if words[name] else None for name in ("user_id", "account_id")}
        return cls(**{**words, **ids, "what": What(words["what"])})


@dataclass(frozen=True, slots=True)
class _State:
    """`reason` is None until a worker answered, and "" when it worked."""

    token: str
    reason: str | None = None

    def text(self) -> str:
        return json.dumps(asdict(self))


def read(readings: Sequence[Reading]) -> str:
    """Have these read, all at once, and wait up to LIVE_READ_SECONDS. Answers why it did not work, in a word; "" when
    it did.

    Outside any door: nothing is held meanwhile.
    """
    seconds = settings.LIVE_READ_SECONDS
    if seconds <= 0:
        return UNAVAILABLE
    if not _waiting.acquire(blocking=False):
        return BUSY
    try:
        deadline = time.monotonic() + seconds
        refusals = [_request(reading) for reading in readings]
        reasons = [
            refusal or _outcome(reading, deadline)
            for reading, refusal in zip(readings, refusals, strict=True)
        ]
    finally:
        _waiting.release()
    return next((reason for reason in reasons if reason), "")


def is_wanted(reading: Reading, token: str) -> bool:
    """Whether somebody waits for this very request; a worker's question."""
    state = _find(reading)
    return state is not None and state.token == token and state.reason is None


def tell(reading: Reading, token: str, reason: str) -> None:
    """How it went, to all who wait."""
    text = _State(token, reason).text()
    shared.state().ask(lambda redis: redis.set(reading.key, text, ex=TOLD_SECONDS))


def _request(reading: Reading) -> str:
    """Ask a worker unless somebody did already; answers why that is not possible."""
    state = _State(uuid4().hex)
    is_first = shared.state().ask(
        lambda redis: bool(redis.set(reading.key, state.text(), ex=ASKED_SECONDS, nx=True))
    )
    if is_first is None:
        return UNAVAILABLE
    arguments = [reading.words(), state.token]
    if is_first and not broker.hint(
        broker.LIVE_TASK, arguments, queue=broker.INTERACTIVE, expires=ASKED_SECONDS
    ):
        tell(reading, state.token, UNAVAILABLE)
    return ""


def _outcome(reading: Reading, deadline: float) -> str:
    while True:
        state = _find(reading)
        if state is None:  # nobody came in time, or Redis went away
            return TIMEOUT
        if state.reason is not None:
            return state.reason
        if time.monotonic() >= deadline:
            return TIMEOUT
        time.sleep(_LOOK_SECONDS)


def _find(reading: Reading) -> _State | None:
    text = shared.state().ask(lambda redis: redis.get(reading.key))
    return _State(**json.loads(str(text))) if text else None
