"""Deterministic traders: from a seed and a moment follow all facts up to that moment.

A trader keeps an agenda. `advance` works it off up to a moment; going there in one step or in many gives
the same facts.
"""

import random
from functools import partial

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.amounts import ONE
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from exchanges.simulators.collector import Collector
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_trader import ContractTrader
from exchanges.simulators.desk import Desk
from exchanges.simulators.facts import Hole
from exchanges.simulators.houses import BINANCE, House
from exchanges.simulators.market import Market
from exchanges.simulators.plans import Plan, Style
from exchanges.simulators.profiles import Profile
from exchanges.simulators.scalper import Scalper
from exchanges.simulators.symbols import SYMBOLS, Symbol
from exchanges.simulators.transfers import Treasurer

_STYLES = (
    *([Style.RESTING_TARGETS] * 3),
    *([Style.RESTING_STOP] * 2),
    *([Style.ORDER_LIST] * 3),
    *([Style.BY_HAND] * 2),
)
_MOST_PLANS = 12
_WEEK_MS = 7 * DAY_MS
_COIN_LOW_WATER = 20 * ONE  # USDT


class Trader:
    """One account and the person behind it. `live_from` is where history ends and trading by the minute
    begins."""

    def __init__(
        self, *, seed: int, profile: Profile, market: Market, live_from: int, house: House = BINANCE
    ) -> None:
        self.profile = profile
        self._live_from = live_from
        self.market = market
        self.account = Account(
            world=f"{seed}:{live_from}",
            label=profile.label,
            market=market,
            can_withdraw=profile.can_withdraw,
            house=house,
        )
        self._coin = house.coin
        self._styles = [style for style in _STYLES if house.has_order_lists or style is not Style.ORDER_LIST]
        self._rng = random.Random(f"{house.realm}{seed}:{profile.label}")  # noqa: S311
        self.desk = Desk(account=self.account, market=market, rng=self._rng)
        self._symbols = [SYMBOLS[name] for name in profile.symbols]
        self._plans: list[Plan] = []
        opened = max(market.first_day_ms, (live_from // DAY_MS - profile.days + 1) * DAY_MS)
        Treasurer(self.desk, profile, opened=opened).plan()
        self.desk.schedule(opened + 12 * HOUR_MS, self._settle_in)
        self.desk.schedule(opened + 13 * HOUR_MS, self._each_hour)
        if profile.saves:
            self.desk.schedule(opened + 2 * DAY_MS + 9 * HOUR_MS, self._save)
        if profile.has_holes:
            self.desk.schedule(opened + 4 * DAY_MS, self._earn)
            self.desk.schedule(opened + profile.days * DAY_MS // 2, self._convert)
        if profile.collects:
            Collector(self.desk, coin=house.coin).start(opened + 3 * DAY_MS)
        if profile.contracts and house.contracts:
            self._trade_contracts(house, seed=seed, opened=opened)
        if profile.is_live:
            Scalper(self.desk).start(live_from)

    def advance(self, until: int) -> None:
        self.desk.run(until)

    def _trade_contracts(self, house: House, *, seed: int, opened: int) -> None:
        if house.contracts is None:
            return
        own = f"{house.realm}{seed}:{self._live_from}:{self.profile.label}"
        margin = MarginAccount(
            self.account, house.contracts, is_hedged=self.profile.contracts == "hedge", seed=own
        )
        self.account.margin = margin
        begun = max(opened, (self._live_from // DAY_MS - self.profile.days_of_contracts + 1) * DAY_MS)
        ContractTrader(self.desk, margin, self.profile, opened=begun, live_from=self._live_from, seed=own)

    def _settle_in(self, at: int) -> None:
        """The first purchases: some of the coin for fees, some of each quote that is traded against."""
        self._buy(f"{self._coin}USDT", 60 * ONE, at)
        if any(symbol.quote == "USDC" for symbol in self._symbols):
            self._buy("USDCUSDT", self.profile.capital // 6, at + 1)
        if any(symbol.quote == "BTC" for symbol in self._symbols):
            self._buy("BTCUSDT", self.profile.capital // 10, at + 2)

    def _each_hour(self, at: int) -> None:
        self.desk.schedule(at + HOUR_MS, self._each_hour)
        for plan in self._plans:
            plan.look_ahead(at)
        self._plans = [plan for plan in self._plans if not plan.is_done]
        if at % DAY_MS == 0:
            self._each_day(at)
        if self._rng.randrange(2_400) < self._eagerness(at):
            self.desk.schedule(at + self._rng.randrange(MINUTE_MS, 55 * MINUTE_MS), self._have_idea)

    def _eagerness(self, at: int) -> int:
        """Ideas in 100 days. A live account is busy just before the world starts, so that positions are
        open."""
        busy = self.profile.is_live and self._live_from - 3 * DAY_MS <= at < self._live_from
        return self.profile.ideas_per_100_days * (5 if busy else 1)

    def _each_day(self, at: int) -> None:
        """Three weeks of four fees are paid in the coin, kept topped up; in the fourth the switch is off."""
        self.account.pays_in_coin = at // _WEEK_MS % 4 != 3
        value = amounts.product(self.account.free[self._coin], self.market.usdt_price(self._coin, at))
        if self.account.pays_in_coin and value < _COIN_LOW_WATER:
            topped_up = partial(self._buy, f"{self._coin}USDT", 60 * ONE)
            self.desk.schedule(at + self._rng.randrange(1, HOUR_MS), topped_up)

    def _have_idea(self, at: int) -> None:
        """Open a plan, more willingly in a market that rises; one plan a symbol at a time."""
        taken = {plan.symbol.name for plan in self._plans}
        symbol = self._rng.choice(self._symbols)
        if symbol.name in taken or len(self._plans) >= _MOST_PLANS:
            return
        if not self._rises(symbol, at) and self._rng.random() < 0.6:
            return
        budget = self.account.free[symbol.quote] * self._rng.randrange(8, 22) // 100
        quantity = self.desk.affordable(symbol, budget, self.market.price(symbol, at))
        if quantity:
            style = self._rng.choice(self._styles)
            self._plans.append(Plan(self.desk, symbol, style, quantity=quantity, at=at))

    def _rises(self, symbol: Symbol, at: int) -> bool:
        earlier = max(at - 8 * DAY_MS, self.market.first_day_ms)
        return self.market.price(symbol, at) > self.market.hour(symbol, earlier).close

    def _save(self, at: int) -> None:
        self.desk.schedule(at + _WEEK_MS, self._save)
        self._buy("ETHUSDT" if at // _WEEK_MS % 2 else "BTCUSDT", 50 * ONE, at)

    def _buy(self, name: str, budget: int, at: int) -> None:
        symbol = SYMBOLS[name]
        quantity = self.desk.affordable(symbol, budget, self.market.price(symbol, at))
        if quantity:
            self.desk.trade_at_market(symbol, side="BUY", quantity=quantity, at=at)

    def _earn(self, at: int) -> None:
        """Interest on idle USDT, paid every day into the balance."""
        self.desk.schedule(at + DAY_MS, self._earn)
        interest = self.account.free["USDT"] // 12_000
        if interest:
            self.account.change_silently(Hole("earn_interest", "USDT", interest, at))

    def _convert(self, at: int) -> None:
        """A conversion of USDT into the coin outside the order book."""
        self.desk.schedule(at + 45 * DAY_MS + self._rng.randrange(600) * SECOND_MS, self._convert)
        paid = min(200 * ONE, self.account.free["USDT"] // 10)
        got = amounts.quotient(paid, self.market.usdt_price(self._coin, at))
        self.account.change_silently(Hole("convert", "USDT", -paid, at))
        self.account.change_silently(Hole("convert", self._coin, got, at))
