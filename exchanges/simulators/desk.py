"""A trader's desk: an agenda of things to happen at given moments, and the ways orders get filled."""

import heapq
import itertools
import random
from collections.abc import Callable

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.facts import NO_LIST, Order
from exchanges.simulators.market import Market
from exchanges.simulators.symbols import Symbol

Action = Callable[[int], None]
_APPS = ("web_", "ios_", "and_")


class Desk:
    """Everything random is drawn inside agenda items, in their order: how far `run` goes at once changes
    nothing."""

    def __init__(self, *, account: Account, market: Market, rng: random.Random) -> None:
        self.account = account
        self.market = market
        self.rng = rng
        self._agenda: list[tuple[int, int, Action]] = []
        self._sequence = 0

    def schedule(self, at: int, action: Action) -> None:
        """Call `action` with the moment `at` when the world's time reaches it."""
        self._sequence += 1
        heapq.heappush(self._agenda, (at, self._sequence, action))

    def run(self, until: int) -> None:
        while self._agenda and self._agenda[0][0] <= until:
            at, _, action = heapq.heappop(self._agenda)
            action(at)

    def client_order_id(self) -> str:
        """What an order placed by hand in one of Binance's apps carries."""
        return self.rng.choice(_APPS) + f"{self.rng.getrandbits(112):028x}"

    def affordable(self, symbol: Symbol, budget: int, price: int) -> int:
        """The quantity a budget in the quote buys, on the step; 0 when it is too small to trade in two
        parts."""
        budget = min(budget, self.account.free[symbol.quote] * 99 // 100)
        if budget < symbol.least_budget:
            return 0
        return amounts.floor_to(amounts.quotient(budget, price), symbol.step)

    def sellable(self, symbol: Symbol, wanted: int, price: int) -> int:
        """How much of `wanted` the free balance covers, on the step; 0 when it is below the least
        notional."""
        quantity = amounts.floor_to(min(wanted, self.account.free[symbol.base]), symbol.step)
        return quantity if amounts.product(price, quantity) >= symbol.min_notional else 0

    def trade_at_market(
        self,
        symbol: Symbol,
        *,
        side: str,
        quantity: int,
        at: int,
        price: int = 0,
        client_order_id: str = "",
        list_id: int = NO_LIST,
    ) -> Order:
        """A MARKET order that eats one to five levels of the book, each up to two ticks worse, in one
        millisecond."""
        order = self.account.place(
            symbol,
            side=side,
            kind="MARKET",
            quantity=quantity,
            at=at,
            client_order_id=client_order_id or self.client_order_id(),
            list_id=list_id,
        )
        price = price or self.market.price(symbol, at)
        self.take_levels(symbol, order, price=price, at=at)
        return order

    def take_levels(self, symbol: Symbol, order: Order, *, price: int, at: int) -> None:
        """Fill the rest of an order against the book at once."""
        worse = symbol.tick if order.side == "BUY" else -symbol.tick
        for part in self.split(symbol, order.remaining, price=price):
            self.account.fill(order, price=price, quantity=part, at=at, is_maker=False)
            price += worse * self.rng.randrange(3)

    def fill_resting(self, symbol: Symbol, order: Order, *, at: int, then: Action) -> None:
        """Fill a resting order at its limit in one to five parts over the next minutes, then call `then`."""
        for part in self.split(symbol, order.remaining, price=order.price):
            self.schedule(at, self._part(order, part))
            at += self.rng.randrange(200, 40_000)
        self.schedule(at, then)

    def split(self, symbol: Symbol, quantity: int, *, price: int) -> list[int]:
        """One to five parts on the step that sum to the quantity; a small one goes in one piece."""
        steps = quantity // symbol.step
        wanted = (
            1 if amounts.product(price, quantity) < 20 * symbol.min_notional else self.rng.randrange(1, 6)
        )
        cuts = sorted({self.rng.randrange(1, steps) for _ in range(wanted - 1)}) if steps > wanted else []
        edges = [0, *cuts, steps]
        return [(right - left) * symbol.step for left, right in itertools.pairwise(edges)]

    def _part(self, order: Order, quantity: int) -> Action:
        def fill(at: int) -> None:
            if order.is_open:
                self.account.fill(order, price=order.price, quantity=quantity, at=at, is_maker=True)

        return fill
