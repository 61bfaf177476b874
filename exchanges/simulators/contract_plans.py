"""One idea about a contract, long or short, from its entry to its last exit.

The stop and the second target are conditional orders, the first target rests in the book and may only reduce.
On the way a plan may add to its position, give part of it back by hand, move its stop, or turn around through
zero with a single order.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import HOUR_MS, MINUTE_MS
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import BOTH, LONG, SHORT, ConditionalOrder, ContractOrder
from exchanges.simulators.contracts import Listing
from exchanges.simulators.desk import Desk

_ENTRY_LIFE_MS = 20 * HOUR_MS
_POINTS = 10_000


class State(Enum):
    ENTERING = auto()
    HOLDING = auto()
    BUSY = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Hand:
    """What a trader of contracts acts with; `rng` is drawn from inside agenda items only."""

    desk: Desk
    margin: MarginAccount
    rng: random.Random

    def client_order_id(self) -> str:
        return f"{self.rng.choice(('web_', 'ios_', 'android_'))}{self.rng.getrandbits(72):018x}"

    def take_levels(self, listing: Listing, order: ContractOrder, *, price: int, at: int) -> None:
        """Fill the rest of an order against the book at once, each level up to two ticks worse."""
        worse = listing.tick if order.side == "BUY" else -listing.tick
        price = amounts.floor_to(price, listing.tick)
        for part in self.split(listing, order.remaining):
            self.margin.fill(order, price=price, quantity=part, at=at, is_maker=False)
            price += worse * self.rng.randrange(3)

    def trade_at_market(
        self,
        listing: Listing,
        *,
        side: str,
        quantity: int,
        at: int,
        position_side: str,
        reduce_only: bool = False,
    ) -> ContractOrder:
        order = self.margin.place(
            listing,
            side=side,
            quantity=quantity,
            at=at,
            client_order_id=self.client_order_id(),
            position_side=position_side,
            reduce_only=reduce_only and position_side == BOTH,
        )
        self.take_levels(listing, order, price=self.margin.market.price(listing, at), at=at)
        return order

    def rest(
        self,
        listing: Listing,
        *,
        side: str,
        quantity: int,
        price: int,
        at: int,
        position_side: str,
        reduce_only: bool,
    ) -> ContractOrder:
        """A limit order that waits in the book."""
        return self.margin.place(
            listing,
            side=side,
            quantity=quantity,
            price=max(amounts.floor_to(price, listing.tick), listing.tick),
            at=at,
            client_order_id=self.client_order_id(),
            position_side=position_side,
            reduce_only=reduce_only and position_side == BOTH,
            time_in_force="GTX" if self.rng.random() < 0.2 else "GTC",
        )

    def fill_resting(
        self, order: ContractOrder, parts: list[int], *, at: int, then: Callable[[int], None]
    ) -> None:
        """Fill parts of a resting order at its limit over the next minutes, then call `then`."""
        for part in parts:
            self.desk.schedule(at, self._part(order, part))
            at += self.rng.randrange(200, 40_000)
        self.desk.schedule(at, then)

    def split(self, listing: Listing, quantity: int) -> list[int]:
        """One to four parts on the step that sum to the quantity."""
        steps = quantity // listing.step
        wanted = self.rng.randrange(1, 5)
        cuts = sorted({self.rng.randrange(1, steps) for _ in range(wanted - 1)}) if steps > wanted else []
        return [(right - left) * listing.step for left, right in itertools.pairwise([0, *cuts, steps])]

    def _part(self, order: ContractOrder, quantity: int) -> Callable[[int], None]:
        def fill(at: int) -> None:
            if order.is_open:
                self.margin.fill(order, price=order.price, quantity=quantity, at=at, is_maker=True)

        return fill


class ContractPlan:
    """Levels are fixed when it is entered; every full hour it looks whether the coming hour touches one.
    `keeps`: far levels, no end of its own."""

    def __init__(
        self, hand: Hand, listing: Listing, *, is_long: bool, quantity: int, at: int, keeps: bool = False
    ) -> None:
        rng = hand.rng
        self.hand, self.listing, self.is_long, self.keeps = hand, listing, is_long, keeps
        self.side = (LONG if is_long else SHORT) if hand.margin.is_hedged else BOTH
        self.state = State.ENTERING
        leverage = hand.margin.leverage(listing.name)
        self.risk = 3_000 if keeps else min(rng.randrange(150, 800), _POINTS * 6 // (10 * leverage))
        self.started_at = at
        self.give_up_at = at + rng.randrange(12, 24 * 6) * HOUR_MS
        self.adds = not keeps and rng.random() < 0.35
        self.reduces = not keeps and rng.random() < 0.35
        self.turns = not keeps and not hand.margin.is_hedged and rng.random() < 0.5
        self.unfinished = rng.random() < 0.25  # a limit entry that is taken back half filled
        self.entry_price = hand.margin.market.price(listing, at)
        self.stop_order: ConditionalOrder | None = None
        self.target_order: ConditionalOrder | None = None
        self.limit_target: ContractOrder | None = None
        self.entry: ContractOrder
        if keeps or rng.random() < 0.45:
            self.entry = self._market(self._opening, quantity, at)
            self._entered(at)
        else:
            self.entry_price = self._level(-rng.randrange(10, 120))
            self.entry = hand.rest(
                listing,
                side=self._opening,
                quantity=quantity,
                price=self.entry_price,
                at=at,
                position_side=self.side,
                reduce_only=False,
            )

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE

    @property
    def held(self) -> int:
        """What the plan's position holds, without sign."""
        return abs(self.hand.margin.position(self.listing, self.side).quantity)

    def look_ahead(self, at: int) -> None:
        """Decide what the hour beginning at `at` brings."""
        candle = self.hand.margin.market.hour(self.listing, at)
        if self.state is State.ENTERING:
            self._await_entry(candle, at)
        elif self.state is State.HOLDING:
            self._await_exit(candle, at)

    # Entry

    def _await_entry(self, candle: Candle, at: int) -> None:
        if self._touches(candle, self.entry.price, up=not self.is_long):
            self.state = State.BUSY
            parts = self.hand.split(self.listing, self.entry.quantity)
            if self.unfinished and len(parts) > 1:
                parts.pop()
            self.hand.fill_resting(self.entry, parts, at=self._moment(at), then=self._entered)
        elif at - self.started_at > _ENTRY_LIFE_MS:
            self.hand.margin.close(self.entry, at=at)
            self.state = State.DONE

    def _entered(self, at: int) -> None:
        self.hand.margin.close(self.entry, at=at)
        self.state = State.HOLDING
        self._protect(at)

    def _protect(self, at: int) -> None:
        """Both conditional orders, and the first target in the book."""
        half = amounts.floor_to(self.held // 2, self.listing.step)
        self._place_stop(-self.risk, at)
        if half and not self.keeps:
            self.limit_target = self.hand.rest(
                self.listing,
                side=self._closing,
                quantity=half,
                price=self._level(self.risk),
                at=at,
                position_side=self.side,
                reduce_only=True,
            )
        self.target_order = self._conditional(
            "TAKE_PROFIT_MARKET", self._level(self.risk * 2), self.held - half, at
        )

    def _place_stop(self, points: int, at: int) -> None:
        self.stop_order = self._conditional("STOP_MARKET", self._level(points), 0, at)

    # Exit

    def _await_exit(self, candle: Candle, at: int) -> None:
        """The worst first: a stop and a target in one hour is a stop."""
        moment = self._moment(at)
        stop, target, limit = self.stop_order, self.target_order, self.limit_target
        if not self.held:
            self.hand.desk.schedule(moment, self._finish)
        elif stop and self._touches(candle, stop.trigger_price, up=not self.is_long):
            self._busy_until(moment, lambda when: self._fire(stop, candle, when))
        elif limit and limit.is_open and self._touches(candle, limit.price, up=self.is_long):
            self.state = State.BUSY
            parts = self.hand.split(self.listing, limit.remaining)
            self.hand.fill_resting(limit, parts, at=moment, then=self._first_target)
        elif target and target.is_open and self._touches(candle, target.trigger_price, up=self.is_long):
            self._busy_until(moment, lambda when: self._fire(target, candle, when))
        elif not self.keeps and at >= self.give_up_at:
            self._busy_until(moment, self._turn if self.turns else self._leave)
        elif (self.adds or self.reduces) and self.hand.rng.random() < 0.15:
            self._busy_until(moment, self._add if self.adds else self._reduce)

    def _busy_until(self, moment: int, action: Callable[[int], None]) -> None:
        self.state = State.BUSY
        self.hand.desk.schedule(moment, action)

    def _fire(self, conditional: ConditionalOrder, candle: Candle, at: int) -> None:
        """A conditional order is touched; where the hour opened beyond its trigger it is filled there."""
        if not conditional.is_open or not self.held:
            self._finish(at)
            return
        order = self.hand.margin.trigger(conditional, at=at)
        rising = (conditional.side == "BUY") == (conditional.type == "STOP_MARKET")
        beyond = max if rising else min
        price = beyond(conditional.trigger_price, candle.open)
        self.hand.take_levels(self.listing, order, price=price, at=at)
        if self.held:
            self._leave(at)
        else:
            self._finish(at)

    def _first_target(self, at: int) -> None:
        """Half is out: the stop moves to the entry."""
        self.state = State.HOLDING
        if self.stop_order:
            self.hand.margin.close_conditional(self.stop_order, at=at)
        self._place_stop(-20, at)

    def _add(self, at: int) -> None:
        self.adds, self.state = False, State.HOLDING
        price = self.hand.margin.market.price(self.listing, at)
        quantity = amounts.floor_to(self.held // 2, self.listing.step)
        value = self.listing.value(quantity, price)
        leverage = self.hand.margin.leverage(self.listing.name)
        if quantity and self.hand.margin.available(self.listing.settle, at) > 3 * value // leverage:
            self._market(self._opening, quantity, at)

    def _reduce(self, at: int) -> None:
        self.reduces, self.state = False, State.HOLDING
        quantity = amounts.floor_to(self.held // 4, self.listing.step)
        if quantity:
            self._market(self._closing, quantity, at, reduce_only=True)

    def _leave(self, at: int) -> None:
        if self.held:
            self._market(self._closing, self.held, at, reduce_only=True)
        self._finish(at)

    def _turn(self, at: int) -> None:
        """One order closes what is held and opens half as much the other way."""
        self.turns = False
        self._cancel_exits(at)
        extra = amounts.floor_to(self.held // 2, self.listing.step)
        self._market(self._closing, self.held + extra, at)
        self.is_long = not self.is_long
        self.entry_price = self.hand.margin.market.price(self.listing, at)
        self.give_up_at = at + self.hand.rng.randrange(6, 48) * HOUR_MS
        if not extra:
            self._finish(at)
            return
        self.state = State.HOLDING
        self._protect(at)

    def _finish(self, at: int) -> None:
        self._cancel_exits(at)
        self.state = State.DONE

    def _cancel_exits(self, at: int) -> None:
        """Those that close a whole position expire with it; the others are taken back."""
        margin = self.hand.margin
        if self.limit_target:
            margin.close(self.limit_target, at=at)
        for order in (self.stop_order, self.target_order):
            if order:
                status = "CANCELED" if order.quantity else "EXPIRED"
                margin.close_conditional(order, at=at, status=status)

    # Common

    @property
    def _opening(self) -> str:
        return "BUY" if self.is_long else "SELL"

    @property
    def _closing(self) -> str:
        return "SELL" if self.is_long else "BUY"

    def _market(self, side: str, quantity: int, at: int, *, reduce_only: bool = False) -> ContractOrder:
        return self.hand.trade_at_market(
            self.listing,
            side=side,
            quantity=quantity,
            at=at,
            position_side=self.side,
            reduce_only=reduce_only,
        )

    def _conditional(self, kind: str, trigger: int, quantity: int, at: int) -> ConditionalOrder:
        return self.hand.margin.place_conditional(
            self.listing,
            side=self._closing,
            kind=kind,
            trigger_price=trigger,
            quantity=quantity,
            at=at,
            client_order_id=self.hand.client_order_id(),
            position_side=self.side,
        )

    def _level(self, points: int) -> int:
        """The entry price moved by basis points, > 0 in the plan's favour, on the tick."""
        moved = self.entry_price * (_POINTS + (points if self.is_long else -points)) // _POINTS
        return max(amounts.floor_to(moved, self.listing.tick), self.listing.tick)

    def _touches(self, candle: Candle, price: int, *, up: bool) -> bool:
        return candle.high >= price if up else candle.low <= price

    def _moment(self, at: int) -> int:
        return at + self.hand.rng.randrange(MINUTE_MS, 50 * MINUTE_MS)


def affordable(hand: Hand, listing: Listing, *, margin: int, price: int) -> int:
    """The quantity that a margin opens at the contract's leverage, on the step; 0 when it is too small to be
    left in parts."""
    value = margin * hand.margin.leverage(listing.name)
    quantity = amounts.product(value, price) if listing.is_inverse else amounts.quotient(value, price)
    quantity = amounts.floor_to(quantity, listing.step)
    notional = quantity if listing.is_inverse else listing.value(quantity, price)
    return quantity if quantity >= 4 * listing.step and notional >= listing.min_notional else 0


def least_wallet(asset: str) -> int:
    """Below this no new idea is begun."""
    return ONE // 1_000 if asset == "BTC" else 100 * ONE
