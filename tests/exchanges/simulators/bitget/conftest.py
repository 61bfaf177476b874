"""Small simulated Bitgets on real time, which clients stamp their requests with; one account of each mode."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import Limits
from exchanges.simulators.clock import RealClock
from exchanges.simulators.profiles import COLLECTOR, SMALL_CONTRACTS

# Nobody goes on trading: what was told a moment ago stays the truth.
PEOPLE = (*(replace(profile, is_live=False) for profile in SMALL_CONTRACTS), COLLECTOR.shortened(20))


@pytest.fixture(scope="module")
def simulator() -> Iterator[BitgetSimulator]:
    """`leveraged`, `quiet` and `collector` are classic, `hedged` is unified."""
    with BitgetSimulator(
        seed=1, clock=RealClock(), profiles=PEOPLE, limits=Limits.none(), unified=["hedged"]
    ) as running:
        yield running
