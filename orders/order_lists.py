"""What the orders of an exchange's order list (OCO, OTO, OTOCO) are to each other. Pure; see `orders.linking`.

A position may be guarded by conditional orders that stand alone: each is a list of one exit. A contract's stop and
target may guard the same quantity; coins are locked for one order alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

ENTRY: Final = "ENTRY"
STOP: Final = "SL"
_TARGET_TYPES: Final = ("LIMIT_MAKER", "TAKE_PROFIT")
_GUARDS: Final = ("STOP", "TAKE_PROFIT")
_CLOSING: Final = (("LONG", "SELL"), ("SHORT", "BUY"))  # in hedge mode
_OPEN: Final = ("NEW", "PARTIALLY_FILLED")


class Placed(NamedTuple):
    """An order, as far as linking looks at it."""

    id: int
    market_type: str
    symbol: str
    exchange_order_id: str
    client_order_id: str
    order_list_id: str
    side: str
    type: str
    status: str
    price: Decimal | None
    stop_price: Decimal | None
    quantity: Decimal
    executed_quantity: Decimal
    ordered_at: datetime
    filled_at: datetime | None
    exchange_updated_at: datetime
    role: str
    group_id: str
    linked_by: str
    parent_id: int | None
    position_side: str
    reduce_only: bool
    placed_order_id: str

    @property
    def is_spot(self) -> bool:
        return self.market_type == "spot"

    @property
    def closes(self) -> bool:
        """Of contracts: it can only reduce a position."""
        return not self.is_spot and (self.reduce_only or (self.position_side, self.side) in _CLOSING)

    @property
    def is_guard(self) -> bool:
        """A stop or target that stands alone."""
        closes = self.side == "SELL" if self.is_spot else self.closes
        return closes and self.type.startswith(_GUARDS) and not self.order_list_id

    @property
    def market(self) -> str:
        """Begins the names of groups: those of spot and of contracts never meet."""
        return self.symbol if self.is_spot else f"{self.market_type}:{self.symbol}"

    @property
    def is_stop(self) -> bool:
        return self.type.startswith("STOP")

    @property
    def is_target(self) -> bool:
        return self.type.startswith(_TARGET_TYPES)

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def settled_at(self) -> datetime:
        """When its last fill came, or it was closed."""
        return self.filled_at or self.exchange_updated_at

    @property
    def level(self) -> Decimal:
        """The price it waits for."""
        return self.stop_price or self.price or Decimal(0)

    @property
    def sequence(self) -> tuple[datetime, int, str]:
        """Exchange ids count up: a longer one is later."""
        return self.ordered_at, len(self.exchange_order_id), self.exchange_order_id


@dataclass(frozen=True, slots=True)
class OrderList:
    """A list taken apart. Without `entry` its `exits` belong to an order placed before, if to any."""

    orders: tuple[Placed, ...]
    entry: Placed | None
    exits: tuple[Placed, ...]

    @property
    def quantity(self) -> Decimal:
        """Its exits exclude each other, so together they sell the largest once."""
        return max((leg.quantity for leg in self.exits), default=Decimal(0))

    @property
    def is_guard(self) -> bool:
        return self.entry is None and len(self.exits) == 1 and self.exits[0].is_guard

    @property
    def slot(self) -> str:
        """What excludes each other: a contract's stops, its targets; of lists each holds both."""
        if not self.is_guard or self.exits[0].is_spot:
            return ""
        return "stop" if self.exits[0].is_stop else "target"

    @property
    def claim(self) -> Decimal:
        """How much of its entry it takes: what it may still sell, or, once it is over, what it sold."""
        if any(leg.is_open for leg in self.exits):
            return self.quantity
        return sum((leg.executed_quantity for leg in self.exits), Decimal(0))

    @property
    def placed_at(self) -> datetime:
        return min(order.ordered_at for order in self.orders)

    @property
    def name(self) -> str:
        """ "" for a list that the exchange does not know as one."""
        first = self.orders[0]
        return f"{first.market}:list:{first.order_list_id}" if first.order_list_id else ""


def take_apart(orders: Sequence[Placed]) -> OrderList:
    """Tell the entry from the exits of one list, by side first, as a working order may be of a target's type.

    An order the list holds on both sides of has its entry placed first. A list of one side is an OCO of exits if
    it has a stop; spot coins are bought before they are sold, so there one that buys is a choice of entries. What
    cannot be told yet (a leg still missing) has no exits.
    """
    ordered = tuple(sorted(orders, key=lambda order: order.sequence))
    if len(ordered) == 1 and ordered[0].is_guard:
        return OrderList(ordered, None, ordered)
    stops = [order for order in ordered if order.is_stop]
    if len({order.side for order in ordered}) > 1:
        exit_side = stops[0].side if stops else _other(ordered[0].side)
        entry = next(order for order in ordered if order.side != exit_side)
        return OrderList(ordered, entry, tuple(order for order in ordered if order.side == exit_side))
    buys_spot = ordered[0].market_type == "spot" and ordered[0].side == "BUY"
    if not stops or len(ordered) < 2 or buys_spot:
        return OrderList(ordered, None, ())
    return OrderList(ordered, None, ordered)


def roles(exits: Iterable[Placed]) -> dict[int, str]:
    """SL for stops, TP1, TP2, … for targets, the nearest first; equal prices are the same target."""
    exits = tuple(exits)
    targets = [leg for leg in exits if not leg.is_stop]
    selling = bool(targets) and targets[0].side == "SELL"
    levels = sorted({leg.level for leg in targets}, reverse=not selling)
    number = {level: place for place, level in enumerate(levels, start=1)}
    return {leg.id: STOP if leg.is_stop else f"TP{number[leg.level]}" for leg in exits}


Taken = dict[tuple[int, str], Decimal]  # how much of an order lists of a slot claim


class Claims:
    """What earlier orders have left for lists without an entry of their own, handed out in the lists' order."""

    def __init__(self, candidates: Iterable[Placed], taken: Taken) -> None:
        self._candidates = sorted(
            candidates, key=lambda order: (order.settled_at, *order.sequence), reverse=True
        )
        self._taken = dict(taken)

    def entry_of(self, order_list: OrderList) -> Placed | None:
        """The latest order filled before it, on the other side, with enough left unclaimed."""
        for order in self._candidates:
            slot = order.id, order_list.slot
            left = order.executed_quantity - self._taken.get(slot, Decimal(0))
            if _may_enter(order, order_list) and left >= order_list.quantity:
                self._taken[slot] = self._taken.get(slot, Decimal(0)) + order_list.claim
                return order
        return None


def _may_enter(order: Placed, order_list: OrderList) -> bool:
    """Contracts are guarded from the moment their entry is placed."""
    leg = order_list.exits[0]
    since = order.settled_at if order.is_spot else order.ordered_at
    same = order.side == _other(leg.side) and order.position_side == leg.position_side
    return same and not order.closes and since <= order_list.placed_at


def _other(side: str) -> str:
    return "SELL" if side == "BUY" else "BUY"
