"""Keyset cursors: where a page ended, as opaque text; the next page starts right after it."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from core import clock
from core.errors import Invalid

_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST: Final = 80
_MAX_ID: Final = 2**63 - 1
_MAX_TIME: Final = 2**53


@dataclass(frozen=True, slots=True)
class Place:
    """A row's time and id in a list ordered by both, newest first."""

    time: datetime
    id: int

    def text(self) -> str:
        plain = f"{(self.time - clock.EPOCH) // _MICROSECOND}.{self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises Invalid for anything `text` did not write."""
        try:
            if len(text) > _LONGEST:
                raise ValueError
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            time, row_id = map(int, base64.b64decode(padded, altchars=b"-_", validate=True).split(b"."))
            if not (0 <= row_id <= _MAX_ID and abs(time) <= _MAX_TIME):
                raise ValueError
            return cls(clock.EPOCH + time * _MICROSECOND, row_id)
        except (ValueError, binascii.Error, OverflowError):
            detail = "This is no cursor of ours: take it from the page before, or leave it out."
            raise Invalid(
                detail, errors=[{"pointer": "/cursor", "code": "invalid_cursor", "detail": detail}]
            ) from None
