"""Everything behind a simulated exchange: a clock, a market, and the people who trade on it."""

import random
import threading
from collections.abc import Sequence
from datetime import datetime

from core import clock as time
from exchanges.simulators import bulk, late, truth
from exchanges.simulators.account import Account
from exchanges.simulators.clock import DAY_MS, MINUTE_MS, SimulatorClock
from exchanges.simulators.facts import Fill
from exchanges.simulators.generator import Trader
from exchanges.simulators.houses import BINANCE, House
from exchanges.simulators.market import Market
from exchanges.simulators.profiles import HISTORY_DAYS, Profile


class World:
    """Facts up to the clock's moment. `live_from` is where history ends; by default the moment of the start.

    The candle series is moved so that its last day is the day of `live_from`. A world built later with the
    same seed, profiles and `live_from` has the same history, longer: that is how a simulator goes on after
    a restart.
    """

    def __init__(
        self,
        *,
        seed: int,
        clock: SimulatorClock,
        profiles: Sequence[Profile],
        live_from: datetime | None = None,
        house: House = BINANCE,
    ) -> None:
        self.seed = seed
        self.house = house
        self.clock = clock
        self.lock = threading.RLock()
        moment = clock.now_ms() if live_from is None else time.to_ms(live_from)
        self.live_from_ms = moment // MINUTE_MS * MINUTE_MS
        first_day_ms = (self.live_from_ms // DAY_MS - HISTORY_DAYS + 1) * DAY_MS
        self.market = Market(seed=seed, first_day_ms=first_day_ms)
        self._traders = [
            Trader(seed=seed, profile=profile, market=self.market, live_from=self.live_from_ms, house=house)
            for profile in profiles
        ]
        self.accounts = {trader.profile.label: trader.account for trader in self._traders}
        self.refresh()

    def refresh(self) -> int:
        """Let everything happen up to now; returns now."""
        with self.lock:
            now_ms = self.clock.now_ms()
            for trader in self._traders:
                trader.advance(now_ms)
            return now_ms

    def report_late_fill(self, label: str, symbol: str, *, days: int, newest_id: bool) -> Fill:
        """A small fill dated `days` ago that nobody saw until now; its id is the newest, or just below the
        newest."""
        with self.lock:
            account = self.accounts[label]
            return late.report(account, symbol, at=self.refresh() - days * DAY_MS, newest_id=newest_id)

    def add_bulk_account(self, *, label: str, symbol: str, fills: int) -> Account:
        """An account with very many fills on one symbol, for measuring."""
        with self.lock:
            rng = random.Random(f"{self.seed}:{label}")  # noqa: S311
            account = Account(
                world=f"{self.seed}:{self.live_from_ms}", label=label, market=self.market, house=self.house
            )
            bulk.trade(account, symbol, fills=fills, until=self.live_from_ms, rng=rng)
            self.accounts[label] = account
            return account

    def truth(self) -> truth.Json:
        with self.lock:
            return truth.tell(
                exchange=self.house.name,
                accounts=self.accounts,
                seed=self.seed,
                live_from_ms=self.live_from_ms,
                now_ms=self.refresh(),
            )
