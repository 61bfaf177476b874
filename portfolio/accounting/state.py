"""The open position and its open trades: what a fold changes, and its JSON form."""

from typing import Any, Final

from core.money import UNIT, round_product
from portfolio.accounting.events import EventKind
from portfolio.accounting.methods import METHODS
from portfolio.accounting.results import (
    Checkpoint,
    Position,
    PositionKey,
    PositionStatus,
    Trade,
    TradeKey,
    TradeKind,
    quotient,
)

OPEN_ORDERS: Final = 128
"""Exit orders of a position that stay open to more fills. A bound keeps the state small however long a
position lives; it counts orders, not time or calls, so the result never depends on how a history is cut
into folds."""

_PERCENT: Final = 100 * 10**4
_PERCENT_UNIT: Final = UNIT // 10**4
# Members by name: looking one up on its class costs more than comparing it.
_EXIT, _FEE, _TRADE = EventKind.EXIT, EventKind.FEE, TradeKind.TRADE
_OPEN, _CLOSED = PositionStatus.OPEN, PositionStatus.CLOSED
_new: Final = tuple.__new__  # a named tuple without its constructor's cost

_TRADE_AMOUNTS: Final = (
    "entry_ms", "exit_ms", "quantity", "cost", "proceeds", "entry_fees", "exit_fees",
    "unknown_quantity", "unknown_proceeds",
)  # fmt: skip
_POSITION_AMOUNTS: Final = (
    "opened_ms", "last_ms", "quantity", "entry_quantity", "entry_cost", "entry_fees", "proceeds", "exit_fees",
    "unknown_quantity", "unknown_proceeds", "cost", "used_fees", "moved_quantity", "moved_cost", "moved_fees",
    "dust_in_quantity", "dust_in_cost", "dust_out_cost",
)  # fmt: skip

# Of one exit order within a position: symbol, order id, kind.
TradeName = tuple[str, str, EventKind]
# Running totals of a position that its trades share: quantity, cost, proceeds, entry fees, exit fees, unknown
# quantity and proceeds, published.
Totals = tuple[int, int, int, int, int, int, int]


class OpenTrade:
    """One exit order: its sums are the position's totals `now`, when it was last the position's running order, less
    those `since`, when it became that (so moved that what it summed up before counts too)."""

    __slots__ = ("dirty", "entry_ms", "exit_ms", "fact", "key", "now", "since")

    def __init__(self, key: TradeKey, time: int, since: Totals, fact: int) -> None:
        self.key, self.fact = key, fact
        self.entry_ms = self.exit_ms = time
        self.since = self.now = since
        self.dirty = True

    @property
    def event_kind(self) -> EventKind:
        return _EXIT if self.key.kind is _TRADE else _FEE

    def resume(self, totals: Totals) -> None:
        """The order is the running one again: what other orders added meanwhile is not its own."""
        quantity, cost, proceeds, entry_fees, exit_fees, unknown_quantity, unknown = self._sums()
        self.since = (
            totals[0] - quantity, totals[1] - cost, totals[2] - proceeds, totals[3] - entry_fees,
            totals[4] - exit_fees, totals[5] - unknown_quantity, totals[6] - unknown,
        )  # fmt: skip
        self.now = totals
        self.dirty = True

    def row(self, *, closes_position: bool) -> Trade:
        quantity, cost, proceeds, entry_fees, exit_fees, unknown_quantity, unknown_proceeds = self._sums()
        gross = proceeds - cost
        net = gross - entry_fees - exit_fees
        entry_price = exit_price = percent = None
        if quantity:
            entry_price = quotient(cost * UNIT, quantity)
            exit_price = quotient(proceeds * UNIT, quantity)
        elif unknown_quantity:
            exit_price = quotient(unknown_proceeds * UNIT, unknown_quantity)
        if cost > 0:
            percent = quotient(net * _PERCENT, cost) * _PERCENT_UNIT
        row = (
            self.key, self.entry_ms, self.exit_ms, quantity, cost, proceeds, entry_price, exit_price, gross,
            entry_fees, exit_fees, net, percent, unknown_quantity, unknown_proceeds, closes_position, self.fact,
        )  # fmt: skip
        return _new(Trade, row)

    def dump(self) -> dict[str, Any]:
        amounts = zip(_TRADE_AMOUNTS, (self.entry_ms, self.exit_ms, *self._sums()), strict=True)
        return {
            "key": list(self.key[1:]),
            "fact": self.fact,
            **{name: str(amount) for name, amount in amounts if amount},
        }

    @classmethod
    def load(cls, data: dict[str, Any], position: PositionKey) -> "OpenTrade":
        symbol, order_id, kind, first_fill_id = data["key"]
        trade = cls(
            TradeKey(position, symbol, order_id, TradeKind(kind), first_fill_id), 0, (0,) * 7, data["fact"]
        )
        trade.entry_ms, trade.exit_ms, *sums = (int(data.get(name, 0)) for name in _TRADE_AMOUNTS)
        quantity, cost, proceeds, entry_fees, exit_fees, unknown_quantity, unknown = sums
        trade.now = quantity, cost, proceeds, entry_fees, exit_fees, unknown_quantity, unknown
        trade.dirty = False
        return trade

    def _sums(self) -> Totals:
        now, since = self.now, self.since
        return (
            now[0] - since[0], now[1] - since[1], now[2] - since[2], now[3] - since[3], now[4] - since[4],
            now[5] - since[5], now[6] - since[6],
        )  # fmt: skip


class OpenPosition:
    """Running totals of the position a book is in, or was last in while its closing order may still fill.

    `entry_cost`, `entry_fees`, `proceeds`, `exit_fees` and `unknown_proceeds` are exact and count 10**-18 / `scale`
    (see `events`); a row publishes the running total rounded half-even. The others are published units: the parts
    that the inventory cut off. At the close the last exit takes on what makes the dust leave at the episode's average
    cost; if its order fills on, the next fill starts from those totals, so that cutting the last fill changes nothing.
    """

    __slots__ = (
        "checkpoint", "closed", "closing", "dirty", "fact", "inventory", "key", "marked", "order_id", "scale", "trade",
        "trades", *_POSITION_AMOUNTS,
    )  # fmt: skip

    def __init__(
        self, key: PositionKey, order_id: str, opened_ms: int, scale: int, checkpoint: Checkpoint, fact: int
    ) -> None:
        self.key, self.order_id, self.checkpoint, self.scale, self.fact = (
            key,
            order_id,
            checkpoint,
            scale,
            fact,
        )
        self.opened_ms = self.last_ms = opened_ms
        self.inventory = METHODS[checkpoint[1]]()
        if scale != 1:
            self.inventory.refine()
        self.quantity = self.entry_quantity = self.entry_cost = self.entry_fees = 0
        self.proceeds = self.exit_fees = self.unknown_quantity = self.unknown_proceeds = 0
        self.cost = self.used_fees = self.moved_quantity = self.moved_cost = self.moved_fees = 0
        self.dust_in_quantity = self.dust_in_cost = self.dust_out_cost = 0
        self.closed = False
        self.closing: OpenTrade | None = None
        self.trade: OpenTrade | None = None
        self.trades: dict[TradeName, OpenTrade] = {}
        # What of the flows below belongs to days already marked.
        self.marked = (0, 0, 0, 0, 0)
        self.dirty = True

    def rescale(self, value: int, fee: int, scale: int) -> tuple[int, int]:
        """Bring an event's money and this position to one scale, the finer one."""
        if scale < self.scale:
            return value * UNIT, fee * UNIT
        self.refine()
        return value, fee

    def refine(self) -> None:
        """Count money at scale UNIT from now on."""
        if self.scale == 1:
            self.scale = UNIT
            self.entry_cost *= UNIT
            self.entry_fees *= UNIT
            self.proceeds *= UNIT
            self.exit_fees *= UNIT
            self.unknown_proceeds *= UNIT
            self.inventory.refine()

    def published(self, amount: int) -> int:
        return amount if self.scale == 1 else round_product(amount)

    def remaining_cost(self) -> int:
        """Published cost of what is held."""
        return (
            self.published(self.entry_cost)
            + self.dust_in_cost
            - self.cost
            - self.moved_cost
            - self.dust_out_cost
        )

    def remaining_fees(self) -> int:
        """Published entry fees that no outflow has taken."""
        return self.published(self.entry_fees) - self.used_fees - self.moved_fees

    def close(self) -> tuple[int, int]:
        """Let the dust leave at the average cost of all entries; the cost and fees that the last outflow must take."""
        self.closed = True
        self.dust_out_cost = 0
        if self.quantity:
            self.dust_out_cost = self.entry_cost * self.quantity // (self.entry_quantity * self.scale)
        return self.remaining_cost(), self.remaining_fees()

    def totals(self) -> Totals:
        proceeds, exit_fees, unknown = self.proceeds, self.exit_fees, self.unknown_proceeds
        if self.scale != 1:
            proceeds, exit_fees = round_product(proceeds), round_product(exit_fees)
            unknown = round_product(unknown)
        quantity = self.entry_quantity + self.dust_in_quantity - self.quantity - self.moved_quantity
        return quantity, self.cost, proceeds, self.used_fees, exit_fees, self.unknown_quantity, unknown

    def add_flows(self, day: list[int], totals: Totals) -> list[int]:
        """A day's flows of settled positions with this one's since the day began."""
        gross, fees, unknown, moved_quantity, moved_cost = self.flows(totals)
        marked = self.marked
        return [
            day[0] + gross - marked[0], day[1] + fees - marked[1], day[2] + unknown - marked[2],
            day[3] + moved_quantity - marked[3], day[4] + moved_cost - marked[4],
        ]  # fmt: skip

    def flows(self, totals: Totals) -> tuple[int, int, int, int, int]:
        """Published so far: gross, fees, unknown proceeds, quantity and cost moved out."""
        _, cost, proceeds, _, exit_fees, _, unknown = totals
        entry_fees = self.entry_fees if self.scale == 1 else round_product(self.entry_fees)
        return proceeds - cost, entry_fees + exit_fees, unknown, self.moved_quantity, self.moved_cost

    def row(self, totals: Totals) -> Position:
        exit_quantity, cost, proceeds, used_fees, exit_fees, unknown_quantity, unknown = totals
        quantity, entry_cost, entry_fees, gross = (
            self.entry_quantity, self.entry_cost, self.entry_fees, proceeds - cost,
        )  # fmt: skip
        fine = UNIT // self.scale
        entry_price = quotient(entry_cost * fine, quantity) if quantity else None
        exit_price = quotient(self.proceeds * fine, exit_quantity) if exit_quantity else None
        if fine == 1:
            entry_cost, entry_fees = round_product(entry_cost), round_product(entry_fees)
        open_quantity, open_cost, dust, closed_ms = self.quantity, 0, 0, None
        if self.closed:
            open_quantity, dust, closed_ms = 0, open_quantity, self.last_ms
        else:
            open_cost = self.remaining_cost()
        row = (
            self.key, self.order_id, "LONG", _CLOSED if self.closed else _OPEN,
            self.opened_ms, closed_ms, self.last_ms, quantity, entry_cost, entry_price,
            exit_quantity, cost, proceeds, exit_price, open_quantity, open_cost,
            entry_fees, exit_fees, used_fees, gross, gross - used_fees - exit_fees,
            unknown_quantity, unknown, self.moved_quantity, self.moved_cost, self.moved_fees,
            self.dust_in_quantity, self.dust_in_cost, dust, self.dust_out_cost, self.checkpoint, self.fact,
        )  # fmt: skip
        return _new(Position, row)

    def dump(self) -> dict[str, Any]:
        """Of a closed position only its closing order's trades: no other can fill on."""
        closing = self.closing and (*self.closing.key[1:3], int(self.closing.event_kind))
        trades = [
            trade.dump()
            for (symbol, order_id, _), trade in self.trades.items()
            if not self.closed or (closing and closing[:2] == (symbol, order_id))
        ]
        return {
            "key": list(self.key),
            "fact": self.fact,
            "order_id": self.order_id,
            "scale": str(self.scale),
            "closed": self.closed,
            "closing": list(closing) if closing else None,
            "marked": [*map(str, self.marked)],
            "checkpoint": self.checkpoint.state(),
            "inventory": self.inventory.dump(),
            "trades": trades,
            **_dump_amounts(self, _POSITION_AMOUNTS),
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "OpenPosition":
        key, scale = PositionKey(*data["key"]), int(data["scale"])
        position = cls(key, data["order_id"], 0, scale, load_checkpoint(data["checkpoint"]), data["fact"])
        for name in _POSITION_AMOUNTS:
            setattr(position, name, int(data.get(name, 0)))
        position.inventory.load(data["inventory"], scale)
        for row in data["trades"]:
            trade = OpenTrade.load(row, key)
            position.trades[trade.key.symbol, trade.key.order_id, trade.event_kind] = trade
        position.closed = data["closed"]
        if data["closing"]:
            symbol, order_id, kind = data["closing"]
            position.closing = position.trades[symbol, order_id, EventKind(kind)]
        gross, fees, unknown, moved_quantity, moved_cost = map(int, data["marked"])
        position.marked = gross, fees, unknown, moved_quantity, moved_cost
        position.dirty = False
        return position


def load_checkpoint(data: dict[str, Any]) -> Checkpoint:
    """The flat part of a state."""
    quantity, cost, taken = map(int, data["dust"])
    return Checkpoint(
        version=data["version"],
        method=data["method"],
        step=int(data["step"]),
        last=tuple(data["last"]) if data["last"] else None,
        unknown=int(data["unknown"]),
        dust=(quantity, cost, taken),
        day=tuple(map(int, data["day"])),
    )


def _dump_amounts(source: OpenPosition, names: tuple[str, ...]) -> dict[str, str]:
    """Amounts as text, zeros left out."""
    return {name: str(amount) for name in names if (amount := getattr(source, name))}
