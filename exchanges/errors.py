"""The few errors that cross the adapter border. Each says whether trying again can help, and when."""

from datetime import datetime
from enum import StrEnum


class ErrorKind(StrEnum):
    AUTH = "auth"  # wrong, revoked or IP-barred key: two in a row disable it
    PERMISSION = "permission"  # the key is good but may not do this
    CLOCK = "clock"  # our clock is off: measure it again, then once more
    RATE = "rate"  # too fast: wait as told
    BANNED = "banned"  # the whole address is barred until a moment
    DOWN = "down"  # the exchange is ill: 5xx, HTML, unreadable answers
    NETWORK = "network"  # no answer at all
    USER = "user"  # the request is wrong for this account (unknown symbol, no funds)
    BUG = "bug"  # anything unforeseen

    @property
    def retry_helps(self) -> bool:
        """Whether the same request may succeed later without anybody acting."""
        return self in (ErrorKind.CLOCK, ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.DOWN, ErrorKind.NETWORK)


class ExchangeError(Exception):
    """What an exchange or the way to it answered. `detail` is scrubbed: no URL, no key, no signature."""

    def __init__(
        self,
        kind: ErrorKind,
        detail: str,
        *,
        code: str = "",
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.code = code
        self.retry_at = retry_at

    @property
    def retry_helps(self) -> bool:
        return self.kind.retry_helps
