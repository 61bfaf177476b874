"""Clocks a simulated exchange reads; nothing in it asks the operating system for the time by itself."""

import threading
from datetime import datetime
from typing import Protocol

from core import clock

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class SimulatorClock(Protocol):
    """Milliseconds since 1970, UTC; never runs backwards."""

    def now_ms(self) -> int: ...


class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return clock.to_ms(clock.now())


class FixedClock:
    """Stands still until it is told to move."""

    def __init__(self, start: datetime) -> None:
        self._now_ms = clock.to_ms(start)
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        return self._now_ms

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, ms: int = 0
    ) -> None:
        """Move forward by the sum of the parts."""
        step = ms + round(((days * 24 + hours) * 60 + minutes) * MINUTE_MS + seconds * SECOND_MS)
        if step < 0:
            raise ValueError("the clock of an exchange does not run backwards")
        with self._lock:
            self._now_ms += step
