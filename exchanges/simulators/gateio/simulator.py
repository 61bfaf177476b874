"""The simulator as one object: a world, its faults, and the server in front of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from exchanges.simulators.clock import RealClock, SimulatorClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.faults import Faults
from exchanges.simulators.gateio import names, retelling
from exchanges.simulators.gateio.app import GateioApp
from exchanges.simulators.gateio.limits import Limits, RequestLedger
from exchanges.simulators.houses import GATEIO_CONTRACTS, House
from exchanges.simulators.profiles import DEFAULT, Profile
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World

HOUSE: Final = House(
    name=names.EXCHANGE,
    coin="GT",
    taker_fee=200,
    maker_fee=200,
    coin_percent=90,
    has_order_lists=False,
    realm="gateio:",
    key_length=32,
    contracts=GATEIO_CONTRACTS,
)


class GateioSimulator(SimulatedExchange):
    """Same seed, clock, profiles and `live_from` give the same facts, in any process. `profiles.SMALL` starts
    in a blink. Markets have the world's names here (`BTCUSDT`); on the wire and in the truth they are pairs.
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
        world = World(
            seed=seed, clock=clock or RealClock(), profiles=profiles, live_from=live_from, house=HOUSE
        )
        self.app = GateioApp(world, Faults(), RequestLedger(limits or Limits()))
        super().__init__(self.app, port=port)

    def truth(self) -> Json:
        """All facts up to now, as Gate.io words them; see `retelling`."""
        return retelling.tell(self.world)
