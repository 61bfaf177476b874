"""The side of a trader that deals in contracts: moves money, has ideas, holds a position for long, is liquidated
once, and goes on by the minute. Its randomness is its own, so that the spot side does not change with it."""

import random

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import BOTH, LONG, SHORT, ContractOrder, Position
from exchanges.simulators.contract_plans import ContractPlan, Hand, affordable, least_wallet
from exchanges.simulators.contracts import FUNDING_MS, Listing
from exchanges.simulators.desk import Desk
from exchanges.simulators.profiles import Profile

KEPT, GAMBLED, SCALPED = "BTCUSDT", "SOLUSDT", "XRPUSDT"  # each has a contract to itself
_RESERVED = (KEPT, GAMBLED, SCALPED)
_LEVERAGES = (2, 3, 5, 10, 20)
_GAMBLE_LEVERAGE = 50
_WEEK_MS = 7 * DAY_MS
_FUNDING_LATE_MS = 50  # more than the exchange is ever late


class ContractTrader:
    """`opened` is 00:00 of the first day with contracts; on the account's own first day money arrives in the
    spot wallet ten hours later."""

    def __init__(
        self, desk: Desk, margin: MarginAccount, profile: Profile, *, opened: int, live_from: int, seed: str
    ) -> None:
        self.desk = desk
        self.margin = margin
        self.profile = profile
        self._rng = random.Random(f"{seed}:contracts")  # noqa: S311
        self._hand = Hand(desk, margin, self._rng)
        listings = margin.terms.listings
        self._choice = [listing for name, listing in listings.items() if name not in _RESERVED]
        self._plans: list[ContractPlan] = []
        self._resting: list[ContractOrder] = []
        self._fees_told = 0
        self._schedule(opened, live_from)

    def _schedule(self, opened: int, live_from: int) -> None:
        later, span = self.desk.schedule, self.profile.days_of_contracts * DAY_MS
        later(opened + 14 * HOUR_MS, self._move_in)
        later(opened + 15 * HOUR_MS, self._each_hour)
        later(opened + 16 * HOUR_MS + _FUNDING_LATE_MS, self._fund)
        later(opened + span // 4 // HOUR_MS * HOUR_MS + 7 * MINUTE_MS, self._move_coins)
        later(opened + span * 45 // 100 // HOUR_MS * HOUR_MS + 3 * MINUTE_MS, self._gamble)
        later(opened + _WEEK_MS + 5 * HOUR_MS + 1, self._each_week)
        later(
            max(live_from // HOUR_MS * HOUR_MS - 2 * DAY_MS, opened + 17 * HOUR_MS) + 9 * MINUTE_MS,
            self._keep,
        )
        later(live_from // HOUR_MS * HOUR_MS - 2 * HOUR_MS, self._half_fill)
        if self.profile.is_live:
            later(live_from + self._rng.randrange(20, 60) * SECOND_MS, self._scalp)

    # Money

    def _move_in(self, at: int) -> None:
        """The first transfers: money, and some of the coin that pays fees."""
        free = self.desk.account.free
        self._move("USDT", free["USDT"] * 45 // 100, at, into=True)
        if any(listing.settle == "USDC" for listing in self._choice):
            self._move("USDC", free["USDC"] // 2, at + 1_000, into=True)
        if self.margin.terms.coin_percent:
            coin = self.desk.account.house.coin
            self._move(coin, free[coin] // 2, at + 2_000, into=True)

    def _move_coins(self, at: int) -> None:
        """Coins for contracts that settle in them."""
        if any(listing.is_inverse for listing in self._choice):
            self._move("BTC", self.desk.account.free["BTC"] // 2, at, into=True)

    def _each_week(self, at: int) -> None:
        """Returned commission, and money moved between the wallets in turns."""
        self.desk.schedule(at + _WEEK_MS, self._each_week)
        paid = sum(
            row.fee
            for rows in self.margin.fills.values()
            for row in rows
            if row.fee_asset == "USDT" and row.fee > 0
        )
        if (paid - self._fees_told) // 10:
            self.margin.credit("kickback", "USDT", (paid - self._fees_told) // 10, at=at)
            self._fees_told = paid
        turn = at // _WEEK_MS % 4
        if turn == 0:
            self._move("USDT", self.margin.available("USDT", at) // 12, at + 60_000, into=False)
        elif turn == 1:
            self._move("USDT", self.desk.account.free["USDT"] // 20, at + 60_000, into=True)
        elif turn == 2:
            self.margin.credit("rebate", "USDT", ONE + at // _WEEK_MS % 97, at=at + 3)
        self._step_outside(turn, at)

    def _step_outside(self, turn: int, at: int) -> None:
        wallet = self.margin.terms.outside_wallet
        if wallet and turn == 1:
            amount = amounts.floor_to(self.desk.account.free["USDT"] // 50, ONE // 100)
            if amount:
                self.margin.transfer("USDT", amount, from_wallet="spot", to_wallet=wallet, at=at + 7)
        if wallet and turn == 3:
            amount = amounts.floor_to(self.margin.outside["USDT"] // 2, ONE // 100)
            if amount:
                self.margin.transfer("USDT", amount, from_wallet=wallet, to_wallet="futures", at=at + 7)

    def _move(self, asset: str, amount: int, at: int, *, into: bool) -> None:
        amount = amounts.floor_to(amount, ONE // 10_000)
        if amount > 0:
            wallets = ("spot", "futures") if into else ("futures", "spot")
            self.margin.transfer(asset, amount, from_wallet=wallets[0], to_wallet=wallets[1], at=at)

    def _fund(self, at: int) -> None:
        self.desk.schedule(at + FUNDING_MS, self._fund)
        self.margin.pay_funding(at - _FUNDING_LATE_MS)

    # Ideas

    def _each_hour(self, at: int) -> None:
        self.desk.schedule(at + HOUR_MS, self._each_hour)
        for position in self.margin.held():
            if position.is_isolated:
                self._watch(position, at)
        for plan in self._plans:
            plan.look_ahead(at)
        self._plans = [plan for plan in self._plans if not plan.is_done]
        self._fill_rests(at)
        if self._rng.randrange(2_400) < self.profile.ideas_per_100_days:
            self.desk.schedule(at + self._rng.randrange(MINUTE_MS, 55 * MINUTE_MS), self._have_idea)

    def _have_idea(self, at: int) -> None:
        """One plan a contract at a time, in hedge mode one a side."""
        listing, is_long = self._rng.choice(self._choice), self._rng.random() < 0.55
        taken = [plan for plan in self._plans if plan.listing.name == listing.name]
        if any(not self.margin.is_hedged or plan.is_long == is_long for plan in taken):
            return
        leverage, is_isolated = self._rng.choice(_LEVERAGES), self._rng.random() < 0.3
        if not taken:
            self.margin.set_leverage(listing.name, leverage, is_isolated=is_isolated)
        self._begin(listing, is_long=is_long, percent=self._rng.randrange(3, 9), at=at)

    def _keep(self, at: int) -> None:
        """A position for the long run, in hedge mode a smaller one against it."""
        listing = self.margin.terms.listings[KEPT]
        self.margin.set_leverage(KEPT, 3, is_isolated=False)
        self._begin(listing, is_long=True, percent=10, at=at, keeps=True)
        if self.margin.is_hedged:
            self._begin(listing, is_long=False, percent=5, at=at + 1_000, keeps=True)

    def _begin(self, listing: Listing, *, is_long: bool, percent: int, at: int, keeps: bool = False) -> None:
        available = self.margin.available(listing.settle, at)
        if available < least_wallet(listing.settle):
            return
        leverage = self.margin.leverage(listing.name)
        share = min(percent, 60 // leverage)  # no position is worth more than 60 % of what is free
        quantity = affordable(
            self._hand,
            listing,
            margin=available * share // 100,
            price=self.margin.market.price(listing, at),
        )
        if quantity:
            self._plans.append(
                ContractPlan(self._hand, listing, is_long=is_long, quantity=quantity, at=at, keeps=keeps)
            )

    # Liquidation

    def _gamble(self, at: int) -> None:
        """Far too much leverage, against the way the price will go in the next two days."""
        listing = self.margin.terms.listings[GAMBLED]
        self.margin.set_leverage(GAMBLED, _GAMBLE_LEVERAGE, is_isolated=True)
        price = self.margin.market.price(listing, at)
        hour = at // HOUR_MS * HOUR_MS + HOUR_MS
        coming = [self.margin.market.hour(listing, hour + step * HOUR_MS) for step in range(48)]
        rises, falls = max(row.high for row in coming) - price, price - min(row.low for row in coming)
        margin = self.margin.available("USDT", at) // 100
        quantity = affordable(self._hand, listing, margin=margin, price=price)
        if not quantity:
            self.desk.schedule(at + DAY_MS, self._gamble)
            return
        is_long = falls > rises
        side = (LONG if is_long else SHORT) if self.margin.is_hedged else BOTH
        self._hand.trade_at_market(
            listing, side="BUY" if is_long else "SELL", quantity=quantity, at=at, position_side=side
        )

    def _watch(self, position: Position, at: int) -> None:
        """Liquidate an isolated position within the coming hour if the price reaches that far."""
        price, candle = self.margin.liquidation_price(position), self.margin.market.hour(position.listing, at)
        reached = candle.low <= price if position.quantity > 0 else candle.high >= price
        if reached and position.listing.name == GAMBLED:

            def close(when: int) -> None:
                if position.quantity:
                    self.margin.liquidate(position, at=when)

            self.desk.schedule(at + self._rng.randrange(MINUTE_MS, 50 * MINUTE_MS), close)

    # The end of history, and by the minute

    def _half_fill(self, at: int) -> None:
        """A bid that the market reached for a moment: part of it is filled, the rest waits."""
        listing = self.margin.terms.listings[SCALPED]
        self.margin.set_leverage(SCALPED, 5, is_isolated=False)
        price = amounts.floor_to(self.margin.market.price(listing, at), listing.tick)
        quantity = affordable(
            self._hand, listing, margin=self.margin.available("USDT", at) // 50, price=price
        )
        if quantity:
            order = self._rest(listing, quantity, price, at)
            part = amounts.floor_to(quantity * 2 // 5, listing.step)
            self._hand.fill_resting(order, [part], at=at + 4_000, then=lambda _: None)
        far = amounts.floor_to(price * 88 // 100, listing.tick)
        if quantity:
            self._rest(listing, quantity, far, at + 90_000)

    def _rest(self, listing: Listing, quantity: int, price: int, at: int) -> ContractOrder:
        order = self._hand.rest(
            listing,
            side="BUY",
            quantity=quantity,
            price=price,
            at=at,
            position_side=LONG if self.margin.is_hedged else BOTH,
            reduce_only=False,
        )
        self._resting.append(order)
        return order

    def _fill_rests(self, at: int) -> None:
        """A bid below the coming hour's low is filled in it, a year-old one taken back."""
        self._resting = [order for order in self._resting if order.is_open]
        for order in self._resting:
            listing = self.margin.terms.listings[order.contract]
            if self.margin.market.hour(listing, at).low < order.price and at - order.placed_at > 3 * HOUR_MS:
                parts = [order.remaining]
                self._hand.fill_resting(order, parts, at=at + 5 * MINUTE_MS, then=lambda _: None)

    def _scalp(self, at: int) -> None:
        """Every 40 to 100 seconds: open, add, give back a part, close, or turn around."""
        rng, listing = self._rng, self.margin.terms.listings[SCALPED]
        self.desk.schedule(at + rng.randrange(40, 100) * SECOND_MS, self._scalp)
        side = LONG if self.margin.is_hedged else BOTH
        held = self.margin.position(listing, side).quantity
        choice = rng.random()
        free = self.margin.available("USDT", at)
        unit = affordable(
            self._hand, listing, margin=free // 250, price=self.margin.market.price(listing, at)
        )
        if choice < 0.45 and unit and abs(held) < 8 * unit:
            is_long = held > 0 or self.margin.is_hedged or (not held and rng.random() < 0.5)
            self._trade(listing, unit if is_long else -unit, side, at)
        elif held and choice < 0.75:
            part = max(amounts.floor_to(abs(held) // 2, listing.step), listing.step)
            self._trade(listing, -part if held > 0 else part, side, at, reduce_only=True)
        elif held and not self.margin.is_hedged and choice < 0.85 and unit:
            self._trade(listing, -held - unit if held > 0 else -held + unit, side, at)
        elif held and choice < 0.95:
            self._trade(listing, -held, side, at, reduce_only=True)

    def _trade(self, listing: Listing, change: int, side: str, at: int, *, reduce_only: bool = False) -> None:
        self._hand.trade_at_market(
            listing,
            side="BUY" if change > 0 else "SELL",
            quantity=abs(change),
            at=at,
            position_side=side,
            reduce_only=reduce_only,
        )
