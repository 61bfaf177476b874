"""The simulator as one object."""

from collections.abc import Sequence
from datetime import datetime

from exchanges.simulators.clock import RealClock, SimulatorClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.faults import Faults
from exchanges.simulators.houses import MEXC
from exchanges.simulators.mexc import telling
from exchanges.simulators.mexc.app import MexcApp
from exchanges.simulators.mexc.contract_desk import ContractDesk, Requests
from exchanges.simulators.mexc.limits import Limits, ledger
from exchanges.simulators.profiles import DEFAULT, Profile
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World


class MexcSimulator(SimulatedExchange):
    """Same seed, clock, profiles and `live_from` give the same facts, in any process."""

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
        clock = clock or RealClock()
        world = World(seed=seed, clock=clock, profiles=profiles, live_from=live_from, house=MEXC)
        limits = limits or Limits()
        self.desk = ContractDesk(world, Requests(limits.contracts, limits.contract_details))
        self.app = MexcApp(world, Faults(), ledger(limits), self.desk)
        super().__init__(self.app, port=port)

    def truth(self) -> Json:
        """All facts up to now, also those MEXC does not give any more, in the words of its wire."""
        with self.world.lock:
            return telling.in_mexcs_words(self.world.truth(), self.accounts)
