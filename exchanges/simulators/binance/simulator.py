"""The simulator as one object."""

from collections.abc import Sequence
from datetime import datetime

from exchanges.simulators.binance.app import BinanceApp
from exchanges.simulators.binance.limits import Limits, ledger
from exchanges.simulators.clock import RealClock, SimulatorClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.faults import Faults
from exchanges.simulators.profiles import DEFAULT, Profile
from exchanges.simulators.world import World


class BinanceSimulator(SimulatedExchange):
    """Same seed, clock, profiles and `live_from` give the same facts, in any process. `profiles.SMALL` starts
    in a blink.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: SimulatorClock | None = None,
        profiles: Sequence[Profile] = DEFAULT,
        live_from: datetime | None = None,
        limits: Limits | None = None,
        port: int = 0,
    ) -> None:
        world = World(seed=seed, clock=clock or RealClock(), profiles=profiles, live_from=live_from)
        limits = limits or Limits()
        super().__init__(BinanceApp(world, Faults(), limits, ledger(limits)), port=port)
