"""Trading by the minute: what keeps a demo account moving while somebody watches."""

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE
from exchanges.simulators.clock import SECOND_MS
from exchanges.simulators.desk import Desk
from exchanges.simulators.facts import Order
from exchanges.simulators.symbols import SYMBOLS, Symbol

_NAMES = ("ETHUSDT", "SOLUSDT", "ADAUSDT", "XRPUSDT", "DOGEUSDT")
_MOST_LOTS = 6


class Scalper:
    """Every 20 to 60 seconds: a small purchase, a sale, or a limit order placed or taken back."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lots: list[tuple[Symbol, int, int]] = []  # symbol, quantity, price paid
        self._resting: list[Order] = []

    def start(self, at: int) -> None:
        self._desk.schedule(at + self._desk.rng.randrange(20, 60) * SECOND_MS, self._act)

    def _act(self, at: int) -> None:
        rng = self._desk.rng
        self.start(at)
        choice = rng.random()
        if self._resting and choice < 0.5:
            self._desk.account.close(self._resting.pop(0), status="CANCELED", at=at)
        elif choice < 0.15:
            self._rest(at)
        elif self._lots and (len(self._lots) >= _MOST_LOTS or choice > 0.6):
            self._sell(at)
        else:
            self._buy(at)

    def _buy(self, at: int) -> None:
        symbol = SYMBOLS[self._desk.rng.choice(_NAMES)]
        price = self._desk.market.price(symbol, at)
        budget = max(self._desk.rng.randrange(12, 40) * ONE, symbol.least_budget)
        quantity = self._desk.affordable(symbol, budget, price)
        if quantity:
            self._desk.trade_at_market(symbol, side="BUY", quantity=quantity, at=at)
            self._lots.append((symbol, quantity, price))

    def _sell(self, at: int) -> None:
        """The lot that stands best goes first."""
        gains = [self._desk.market.price(symbol, at) * ONE // paid for symbol, _, paid in self._lots]
        symbol, bought, _ = self._lots.pop(gains.index(max(gains)))
        quantity = self._desk.sellable(symbol, bought, self._desk.market.price(symbol, at))
        if quantity:
            self._desk.trade_at_market(symbol, side="SELL", quantity=quantity, at=at)

    def _rest(self, at: int) -> None:
        """A hopeful bid two percent below the market."""
        symbol = SYMBOLS[self._desk.rng.choice(_NAMES)]
        price = amounts.floor_to(self._desk.market.price(symbol, at) * 98 // 100, symbol.tick)
        quantity = self._desk.affordable(symbol, symbol.least_budget, price)
        if quantity:
            self._resting.append(
                self._desk.account.place(
                    symbol,
                    side="BUY",
                    kind="LIMIT",
                    quantity=quantity,
                    price=price,
                    at=at,
                    client_order_id=self._desk.client_order_id(),
                )
            )
