"""The simulator as one object: a world, its faults, and the server in front of them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from exchanges.simulators.bitget import names, retelling, signing
from exchanges.simulators.bitget.app import BitgetApp
from exchanges.simulators.bitget.limits import Limits, RequestLedger
from exchanges.simulators.clock import RealClock, SimulatorClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.faults import Faults
from exchanges.simulators.houses import BITGET_CONTRACTS, House
from exchanges.simulators.profiles import DEFAULT, Profile
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World

# Contracts that settle in coins are left out, as the adapter leaves them out.
CONTRACTS: Final = replace(
    BITGET_CONTRACTS,
    contracts=tuple(name for name in BITGET_CONTRACTS.contracts if name != "BTCUSD"),
    outside_wallet="margin",
)
HOUSE: Final = House(
    name=names.EXCHANGE,
    coin="BGB",
    taker_fee=100,
    maker_fee=100,
    coin_percent=80,
    has_order_lists=False,
    realm="bitget:",
    key_prefix="bg_",
    key_length=35,
    contracts=CONTRACTS,
)


class BitgetSimulator(SimulatedExchange):
    """Same seed, clock, profiles and `live_from` give the same facts, in any process. `profiles.SMALL` starts
    in a blink. `unified` are the labels of accounts in unified mode; the others are classic.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: SimulatorClock | None = None,
        profiles: Sequence[Profile] = DEFAULT,
        live_from: datetime | None = None,
        limits: Limits | None = None,
        unified: Collection[str] = (),
        port: int = 0,
    ) -> None:
        world = World(
            seed=seed, clock=clock or RealClock(), profiles=profiles, live_from=live_from, house=HOUSE
        )
        self._unified = frozenset(unified)
        ledger = RequestLedger(limits or Limits())
        super().__init__(BitgetApp(world, Faults(), ledger, self._unified), port=port)

    def passphrase(self, label: str) -> str:
        """What the key of an account is used with."""
        return signing.passphrase(self.accounts[label])

    def truth(self) -> Json:
        """All facts up to now, as Bitget words them; see `retelling`."""
        return retelling.tell(self.world, self._unified)
