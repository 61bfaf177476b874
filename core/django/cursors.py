"""Keyset cursors: where a page ended, as opaque text; the next page starts right after it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self, TypeVar

from django.db.models import Q

from core import clock
from core.errors import Invalid

_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST: Final = 80
_MAX_ID: Final = 2**63 - 1
_MAX_TIME: Final = 2**53
_R = TypeVar("_R")


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

    def beyond(self, time: str) -> Q:
        """Rows that come after this place, by the field of their time. The bound by time alone is where the index is
        entered: without it every page is read from the newest row on."""
        return Q(**{f"{time}__lte": self.time}) & (Q(**{f"{time}__lt": self.time}) | Q(id__lt=self.id))


def cut(found: Sequence[_R], limit: int, place: Callable[[_R], Place]) -> tuple[list[_R], str | None]:
    """A page of rows, of which one more was asked for than it holds, and the next one's cursor; None: the last."""
    page = list(found[:limit])
    return page, place(page[-1]).text() if len(found) > limit else None
