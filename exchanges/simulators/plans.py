"""One trade idea from its entry order to its last exit, in the ways people and bots really place them.

- `RESTING_TARGETS`: TP1 and TP2 rest in the book; when the stop is touched they are cancelled and SL sells
  the rest.
- `RESTING_STOP`: SL rests; at the first target it is cancelled, TP1 is filled and TP2 rests; back at the
  entry price, TP2 is cancelled and the rest is sold by hand.
- `ORDER_LIST`: the exchange's own OTOCO (entry and both exits at once) or OCO (exits after the entry); the
  leg that is not filled expires. No naming scheme ties them, only the list id.
- `BY_HAND`: market orders without any link.
The first two name their orders `cgt-<group>-ENTRY|TP1|TP2|SL`.
"""

from enum import Enum, auto

from exchanges.simulators import amounts
from exchanges.simulators.candles import Candle
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exchanges.simulators.desk import Action, Desk
from exchanges.simulators.facts import NO_LIST, Order
from exchanges.simulators.symbols import Symbol


class Style(Enum):
    RESTING_TARGETS = auto()
    RESTING_STOP = auto()
    ORDER_LIST = auto()
    BY_HAND = auto()


class State(Enum):
    ENTERING = auto()
    HOLDING = auto()
    BUSY = auto()
    DONE = auto()


LINKED = (Style.RESTING_TARGETS, Style.RESTING_STOP)
_ENTRY_LIFE_MS = DAY_MS
_OFTEN_IN_A_HURRY = 0.2


class Plan:
    """Levels are fixed at the start; every full hour the plan looks whether the coming hour touches one."""

    def __init__(self, desk: Desk, symbol: Symbol, style: Style, *, quantity: int, at: int) -> None:
        rng = desk.rng
        self.desk = desk
        self.symbol = symbol
        self.style = style
        self.group = f"{rng.getrandbits(32):08x}"
        self.started_at = at
        self.state = State.ENTERING
        self.list_id = NO_LIST
        self.held = 0
        self.targets_left = 2
        market_price = desk.market.price(symbol, at)
        self.at_market = style is Style.BY_HAND or rng.random() < 0.35
        self.limit = self._tick(market_price * (10_000 - rng.randrange(20, 150)) // 10_000)
        self.entry_price = market_price if self.at_market else self.limit
        risk = rng.randrange(300, 1_200)  # basis points
        self.stop = self._tick(self.entry_price * (10_000 - risk) // 10_000)
        self.targets = [
            self._tick(self.entry_price * (10_000 + risk * part // 10) // 10_000)
            for part in (rng.randrange(8, 13), rng.randrange(15, 26))
        ]
        self.give_up_at = at + rng.randrange(20, 24 * 21) * HOUR_MS
        self.entry: Order
        self.exits: dict[str, Order] = {}
        self._enter(quantity, at)

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE

    def look_ahead(self, at: int) -> None:
        """Decide what the hour beginning at `at` brings."""
        candle = self.desk.market.hour(self.symbol, at)
        if self.state is State.ENTERING:
            self._await_entry(candle, at)
        elif self.state is State.HOLDING:
            self._await_exit(candle, at)

    # Entry

    def _enter(self, quantity: int, at: int) -> None:
        desk, account = self.desk, self.desk.account
        if self.style is Style.ORDER_LIST and not self.at_market:
            self.list_id = account.next_list_id()
        if self.style is Style.BY_HAND and desk.rng.random() < _OFTEN_IN_A_HURRY:
            self._enter_in_a_hurry(quantity, at)
            return
        if self.at_market:
            self.entry = desk.trade_at_market(
                self.symbol, side="BUY", quantity=quantity, at=at, client_order_id=self._client_id("ENTRY")
            )
            self._entered(at)
            return
        self.entry = account.place(
            self.symbol,
            side="BUY",
            kind="LIMIT",
            quantity=quantity,
            price=self.limit,
            at=at,
            client_order_id=self._client_id("ENTRY"),
            list_id=self.list_id,
        )
        if self.list_id != NO_LIST:
            # Where the fee is taken from the coins bought, that much less can be sold.
            exit_quantity = quantity if account.pays_in_coin else quantity * 999 // 1_000
            self._place_list(amounts.floor_to(exit_quantity, self.symbol.step), at, "PENDING_NEW")

    def _enter_in_a_hurry(self, quantity: int, at: int) -> None:
        """Immediate or cancel: what the book does not give at once expires."""
        self.entry = self.desk.account.place(
            self.symbol,
            side="BUY",
            kind="LIMIT",
            quantity=quantity,
            price=self.entry_price,
            at=at,
            client_order_id=self._client_id("ENTRY"),
            time_in_force="IOC",
        )
        part = amounts.floor_to(quantity * 3 // 5, self.symbol.step)
        self.desk.account.fill(self.entry, price=self.entry_price, quantity=part, at=at, is_maker=False)
        self.desk.account.close(self.entry, status="EXPIRED", at=at)
        self._entered(at)

    def _await_entry(self, candle: Candle, at: int) -> None:
        rng = self.desk.rng
        if candle.low <= self.limit:
            self.state = State.BUSY
            fill_at = at + rng.randrange(MINUTE_MS, 50 * MINUTE_MS)
            if rng.random() < 0.1 and self.list_id == NO_LIST:
                self.desk.schedule(fill_at, self._enter_in_part)
            else:
                self.desk.fill_resting(self.symbol, self.entry, at=fill_at, then=self._entered)
        elif at - self.started_at > _ENTRY_LIFE_MS:
            self.state = State.BUSY
            self.desk.schedule(at + rng.randrange(HOUR_MS), self._abandon)

    def _enter_in_part(self, at: int) -> None:
        """Only some of the entry fills; the rest is cancelled a while later."""
        part = amounts.floor_to(self.entry.quantity * 2 // 5, self.symbol.step)
        self.desk.account.fill(self.entry, price=self.limit, quantity=part, at=at, is_maker=True)
        self.desk.schedule(at + self.desk.rng.randrange(MINUTE_MS, HOUR_MS), self._entered)

    def _abandon(self, at: int) -> None:
        self.desk.account.close(self.entry, status="CANCELED", at=at)
        self._close_exits("EXPIRED", at)
        self.state = State.DONE

    def _entered(self, at: int) -> None:
        self.desk.account.close(self.entry, status="CANCELED", at=at)
        self.state = State.HOLDING
        self.held = self.desk.sellable(self.symbol, self.entry.executed, self.stop)
        if not self.held:
            self._close_exits("EXPIRED", at)
            self.state = State.DONE
        elif self.style is Style.RESTING_TARGETS:
            half = amounts.floor_to(self.held // 2, self.symbol.step)
            self._place_target("TP1", half, self.targets[0], at)
            self._place_target("TP2", self.held - half, self.targets[1], at)
        elif self.style is Style.RESTING_STOP:
            self._place_stop("SL", self.held, at)
        elif self.style is Style.ORDER_LIST:
            self._open_list(at)

    def _open_list(self, at: int) -> None:
        if self.list_id == NO_LIST:
            self.list_id = self.desk.account.next_list_id()
            self._place_list(self.held, at, "NEW")
            return
        wanted = self.exits["TP"].quantity
        if wanted > self.desk.account.free[self.symbol.base]:
            # The fee was taken from the coins after all: the exchange expires exits it cannot cover.
            self._close_exits("EXPIRED", at)
            self.style = Style.BY_HAND
            return
        self.held = wanted
        for leg in self.exits.values():
            leg.status, leg.updated_at = "NEW", at
        self.desk.account.hold(self.exits["TP"])

    # Exit

    def _await_exit(self, candle: Candle, at: int) -> None:
        touched_at = at + self.desk.rng.randrange(MINUTE_MS, 50 * MINUTE_MS)
        if candle.low <= self.stop:
            self._when(touched_at, self._stop_out)
        elif candle.high >= self.targets[-self.targets_left]:
            self._when(touched_at, self._reach_target)
        elif at >= self.give_up_at:
            self._when(touched_at, self._give_up)

    def _when(self, at: int, action: Action) -> None:
        self.state = State.BUSY
        self.desk.schedule(at, action)

    def _stop_out(self, at: int) -> None:
        if self.style is Style.ORDER_LIST or "SL" in self._open_exits():
            for role, leg in self._open_exits().items():
                if role != "SL":
                    self.desk.account.close(leg, status="EXPIRED", at=at)
            stop = self.exits["SL"]
            if not stop.held:
                self.desk.account.hold(stop)  # its list held the coins through the target
            self.desk.take_levels(self.symbol, stop, price=self.stop, at=at)
            self.state = State.DONE
            return
        self._close_exits("CANCELED", at)
        self._sell_rest(at, "SL" if self.style is Style.RESTING_TARGETS else "")

    def _reach_target(self, at: int) -> None:
        {
            Style.RESTING_TARGETS: self._fill_target,
            Style.RESTING_STOP: self._swap_stop_for_targets,
            Style.ORDER_LIST: self._fill_list,
            Style.BY_HAND: self._sell_half,
        }[self.style](at)

    def _fill_target(self, at: int) -> None:
        role = f"TP{3 - self.targets_left}"
        self.desk.fill_resting(self.symbol, self.exits[role], at=at, then=self._after_target)

    def _swap_stop_for_targets(self, at: int) -> None:
        if self.targets_left == 2:
            self._close_exits("CANCELED", at)
            half = amounts.floor_to(self.held // 2, self.symbol.step)
            self._place_target("TP1", half, self.targets[0], at)
            self._place_target("TP2", self.held - half, self.targets[1], at)
            self.stop = self.entry_price
        self._fill_target(at)

    def _fill_list(self, at: int) -> None:
        self.desk.account.close(self.exits["SL"], status="EXPIRED", at=at)
        self.desk.fill_resting(self.symbol, self.exits["TP"], at=at, then=self._finish)

    def _sell_half(self, at: int) -> None:
        if self.targets_left == 1:
            self._sell_rest(at)
            return
        half = self.desk.sellable(self.symbol, self.held // 2, self.targets[0])
        if half:
            self.desk.trade_at_market(self.symbol, side="SELL", quantity=half, at=at, price=self.targets[0])
        self.held -= half
        self._after_target(at)

    def _after_target(self, at: int) -> None:
        self.targets_left -= 1
        self.state = State.HOLDING if self.targets_left else State.DONE

    def _give_up(self, at: int) -> None:
        self._close_exits("CANCELED", at)
        self._sell_rest(at)

    def _sell_rest(self, at: int, role: str = "") -> None:
        sold = sum(leg.executed for leg in self.exits.values())
        price = self.desk.market.price(self.symbol, at)
        rest = self.desk.sellable(self.symbol, self.held - sold, price)
        if rest:
            client_order_id = self._client_id(role) if role else ""
            self.desk.trade_at_market(
                self.symbol, side="SELL", quantity=rest, at=at, client_order_id=client_order_id
            )
        self.state = State.DONE

    def _finish(self, at: int) -> None:
        self.state = State.DONE

    # Orders

    def _client_id(self, role: str) -> str:
        if self.style in LINKED:
            return f"cgt-{self.group}-{role}"
        return self.desk.client_order_id()

    def _place_target(self, role: str, quantity: int, price: int, at: int) -> None:
        self.exits[role] = self.desk.account.place(
            self.symbol,
            side="SELL",
            kind="LIMIT",
            quantity=quantity,
            price=price,
            at=at,
            client_order_id=self._client_id(role),
        )

    def _place_stop(self, role: str, quantity: int, at: int) -> None:
        self.exits[role] = self._stop_order(role, quantity, at, status="NEW", holds=True)

    def _place_list(self, quantity: int, at: int, status: str) -> None:
        """Both legs of an OCO; the quantity is locked once, by the target."""
        self.exits["TP"] = self.desk.account.place(
            self.symbol,
            side="SELL",
            kind="LIMIT_MAKER",
            quantity=quantity,
            price=self.targets[1],
            at=at,
            client_order_id=self._client_id("TP"),
            list_id=self.list_id,
            holds=status == "NEW",
            status=status,
        )
        self.targets = [self.targets[1], self.targets[1]]
        self.exits["SL"] = self._stop_order("SL", quantity, at, status=status, holds=False)

    def _stop_order(self, role: str, quantity: int, at: int, *, status: str, holds: bool) -> Order:
        return self.desk.account.place(
            self.symbol,
            side="SELL",
            kind="STOP_LOSS_LIMIT",
            quantity=quantity,
            price=self._tick(self.stop * 995 // 1_000),
            stop_price=self.stop,
            at=at,
            client_order_id=self._client_id(role),
            list_id=self.list_id,
            holds=holds,
            status=status,
        )

    def _open_exits(self) -> dict[str, Order]:
        return {role: leg for role, leg in self.exits.items() if leg.is_open}

    def _close_exits(self, status: str, at: int) -> None:
        for leg in self.exits.values():
            self.desk.account.close(leg, status=status, at=at)

    def _tick(self, price: int) -> int:
        return amounts.floor_to(price, self.symbol.tick)
