"""A small MEXC at noon on a fixed day; every test has its own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from exchanges.simulators.clock import FixedClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.profiles import SMALL

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def simulator(clock: FixedClock) -> Iterator[MexcSimulator]:
    with MexcSimulator(seed=1, clock=clock, profiles=SMALL) as running:
        yield running
