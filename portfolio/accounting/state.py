"""The open position and its open trades: what a fold changes, and its JSON form."""

from typing import Any, Final

from core.money import UNIT, round_product
from portfolio.accounting.lots import METHODS
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
_TRADE_AMOUNTS: Final = (
    "entry_ms", "exit_ms", "quantity", "cost", "proceeds", "entry_fees", "exit_fees",
    "unknown_quantity", "unknown_proceeds",
)  # fmt: skip
_POSITION_AMOUNTS: Final = (
    "opened_ms", "last_ms", "quantity", "entry_quantity", "entry_cost", "entry_fees",
    "exit_quantity", "exit_cost", "exit_proceeds", "used_fees", "exit_fees",
    "unknown_quantity", "unknown_proceeds", "moved_quantity", "moved_cost", "moved_fees",
    "dust_in_quantity", "dust_in_cost", "closing_cost", "closing_fees",
    "cost", "proceeds", "realised_fees", "paid_exit_fees", "unknown_paid",
)  # fmt: skip


class OpenTrade:
    """Running sums of one exit order, published amounts (scale 18)."""

    __slots__ = ("dirty", "key", "kind", "order_id", "symbol", *_TRADE_AMOUNTS)

    entry_ms: int
    exit_ms: int

    def __init__(self, key: TradeKey) -> None:
        self.key = key
        _, self.symbol, self.order_id, self.kind, _ = key
        self.quantity = self.cost = self.proceeds = self.entry_fees = self.exit_fees = 0
        self.unknown_quantity = self.unknown_proceeds = 0
        self.entry_ms = self.exit_ms = 0
        self.dirty = True

    def row(self, *, closes_position: bool) -> Trade:
        quantity, cost, proceeds = self.quantity, self.cost, self.proceeds
        gross = proceeds - cost
        net = gross - self.entry_fees - self.exit_fees
        entry_price = exit_price = percent = None
        if quantity:
            entry_price = quotient(cost * UNIT, quantity)
            exit_price = quotient(proceeds * UNIT, quantity)
        elif self.unknown_quantity:
            exit_price = quotient(self.unknown_proceeds * UNIT, self.unknown_quantity)
        if cost > 0:
            percent = quotient(net * _PERCENT, cost) * _PERCENT_UNIT
        return Trade(
            self.key, self.entry_ms, self.exit_ms, quantity, cost, proceeds, entry_price, exit_price, gross,
            self.entry_fees, self.exit_fees, net, percent, self.unknown_quantity, self.unknown_proceeds,
            closes_position,
        )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        return {
            "key": list(self.key[1:]),
            **_dump_amounts(self, _TRADE_AMOUNTS),
        }

    @classmethod
    def load(cls, data: dict[str, Any], position: PositionKey) -> "OpenTrade":
        symbol, order_id, kind, first_fill_id = data["key"]
        trade = cls(TradeKey(position, symbol, order_id, TradeKind(kind), first_fill_id))
        for name in _TRADE_AMOUNTS:
            setattr(trade, name, int(data.get(name, 0)))
        trade.dirty = False
        return trade


class OpenPosition:
    """Running totals of the position a book is in, or was last in while its closing order may still fill.

    Money is at scale 36, but for the published sums at scale 18 (`cost`, `proceeds`, `realised_fees`,
    `paid_exit_fees`, `unknown_paid`): each is the rounded total, and what a row publishes is their
    difference. At the close the last exit takes what makes the dust leave at the episode's average cost
    (`closing_cost`, `closing_fees`); if its order fills on, that is handed back first, so that cutting the
    last fill changes nothing.
    """

    __slots__ = (
        "checkpoint", "closed", "closing", "dirty", "inventory", "key", "marked", "order_id", "trade",
        "trades",
        *_POSITION_AMOUNTS,
    )  # fmt: skip

    opened_ms: int
    last_ms: int

    def __init__(self, key: PositionKey, order_id: str, opened_ms: int, checkpoint: Checkpoint) -> None:
        self.key, self.order_id, self.checkpoint = key, order_id, checkpoint
        self.opened_ms = self.last_ms = opened_ms
        self.inventory = METHODS[checkpoint.method]()
        self.quantity = self.entry_quantity = self.entry_cost = self.entry_fees = 0
        self.exit_quantity = self.exit_cost = self.exit_proceeds = self.used_fees = self.exit_fees = 0
        self.unknown_quantity = self.unknown_proceeds = 0
        self.moved_quantity = self.moved_cost = self.moved_fees = 0
        self.dust_in_quantity = self.dust_in_cost = self.closing_cost = self.closing_fees = 0
        self.cost = self.proceeds = self.realised_fees = self.paid_exit_fees = self.unknown_paid = 0
        self.closed = False
        self.closing: OpenTrade | None = None
        self.trade: OpenTrade | None = None
        self.trades: dict[tuple[str, str, TradeKind], OpenTrade] = {}
        # What of the flows below belongs to days already marked.
        self.marked = (0, 0, 0, 0, 0)
        self.dirty = True

    def remaining_cost(self) -> int:
        """Cost at scale 36 of what is held; of the dust, once closed."""
        return self.entry_cost + self.dust_in_cost - self.exit_cost - self.moved_cost

    def remaining_fees(self) -> int:
        """Entry fees at scale 36 that no outflow has taken."""
        return self.entry_fees - self.used_fees - self.moved_fees

    def dust_cost(self) -> int:
        """What the held quantity cost at the average of all the position's entries, scale 36."""
        return self.entry_cost * self.quantity // self.entry_quantity if self.quantity else 0

    def open_cost(self) -> int:
        """Published cost of what is held: the rest of the published sums, so that they always add up."""
        entries = round_product(self.entry_cost) + round_product(self.dust_in_cost)
        return entries - self.cost - round_product(self.moved_cost)

    def flows(self) -> tuple[int, int, int, int, int]:
        """Published so far: gross, fees, unknown proceeds, quantity and cost moved out."""
        fees = round_product(self.entry_fees) + self.paid_exit_fees
        gross = self.proceeds - self.cost
        return gross, fees, self.unknown_paid, self.moved_quantity, round_product(self.moved_cost)

    def row(self) -> Position:
        held = 0 if self.closed else self.quantity
        rest = self.open_cost()
        gross = self.proceeds - self.cost
        return Position(
            key=self.key,
            entry_order_id=self.order_id,
            side="LONG",
            status=PositionStatus.CLOSED if self.closed else PositionStatus.OPEN,
            opened_ms=self.opened_ms,
            closed_ms=self.last_ms if self.closed else None,
            last_ms=self.last_ms,
            entry_quantity=self.entry_quantity,
            entry_cost=round_product(self.entry_cost),
            entry_price=quotient(self.entry_cost, self.entry_quantity) if self.entry_quantity else None,
            exit_quantity=self.exit_quantity,
            exit_cost=self.cost,
            proceeds=self.proceeds,
            exit_price=quotient(self.exit_proceeds, self.exit_quantity) if self.exit_quantity else None,
            open_quantity=held,
            open_cost=0 if self.closed else rest,
            entry_fees=round_product(self.entry_fees),
            exit_fees=self.paid_exit_fees,
            realised_entry_fees=self.realised_fees,
            realised_gross=gross,
            realised_net=gross - self.realised_fees - self.paid_exit_fees,
            unknown_quantity=self.unknown_quantity,
            unknown_proceeds=self.unknown_paid,
            moved_quantity=self.moved_quantity,
            moved_cost=round_product(self.moved_cost),
            moved_fees=self._moved_fees(),
            dust_in_quantity=self.dust_in_quantity,
            dust_in_cost=round_product(self.dust_in_cost),
            dust_out_quantity=self.quantity - held,
            dust_out_cost=rest if self.closed else 0,
            checkpoint=self.checkpoint,
        )

    def _moved_fees(self) -> int:
        """Published; once closed, all entry fees that exits did not take."""
        if self.closed:
            return round_product(self.entry_fees) - self.realised_fees
        return round_product(self.moved_fees)

    def dump(self) -> dict[str, Any]:
        """Of a closed position only its closing order's trades: no other can fill on."""
        closing = self.closing and (self.closing.symbol, self.closing.order_id, self.closing.kind)
        trades = [
            trade.dump()
            for (symbol, order_id, _), trade in self.trades.items()
            if not self.closed or (closing and closing[:2] == (symbol, order_id))
        ]
        return {
            "key": list(self.key),
            "order_id": self.order_id,
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
        key = PositionKey(*data["key"])
        position = cls(key, data["order_id"], 0, load_checkpoint(data["checkpoint"]))
        for name in _POSITION_AMOUNTS:
            setattr(position, name, int(data.get(name, 0)))
        position.inventory.load(data["inventory"])
        for row in data["trades"]:
            trade = OpenTrade.load(row, key)
            position.trades[trade.symbol, trade.order_id, trade.kind] = trade
            position.trade = trade
        position.closed = data["closed"]
        if data["closing"]:
            symbol, order_id, kind = data["closing"]
            position.closing = position.trades[symbol, order_id, TradeKind(kind)]
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


def _dump_amounts(source: OpenTrade | OpenPosition, names: tuple[str, ...]) -> dict[str, str]:
    """Amounts as text, zeros left out."""
    return {name: str(amount) for name in names if (amount := getattr(source, name))}
