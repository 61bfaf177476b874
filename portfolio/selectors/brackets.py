"""Brackets: an entry with its targets and its stop, as the orders' links tell, and how they came out.

`linked_by` says how each leg is known to belong: by the exchange's order list, by client order id, or inferred. A leg
that still waits though there is nothing left for it to close is an orphan, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.django.cursors import Place, cut
from core.errors import NotFound
from core.money import ZERO, multiply
from credentials.scope import Scope
from orders.models import Linking, Order
from orders.selectors import OPEN
from portfolio.accounting import bracket_sums
from portfolio.accounting.bracket_sums import Executed
from portfolio.models import Position, PositionStatus, Trade
from portfolio.selectors import bracket_orders
from portfolio.selectors.bracket_books import ENTRY, BracketBooks, key_of, side_of
from portfolio.selectors.bracket_orders import IS_LEG

MAX_LIMIT: Final = 200
_MOST_OPEN: Final = 2_000  # legs waiting, that are looked at for orphans
STOP: Final = "SL"
_NONE: Final = Executed(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class BracketLeg:
    """An order of a bracket against its plan: the trigger of a stop, else its limit, else (a market order) nothing.

    `slippage` is by unit and worse above zero; `slippage_amount` over what was filled, in the quote asset. `orphaned`
    is a reason (`no_entry`, `entry_never_filled`, `position_closed`), or empty.
    """

    id: int
    exchange_order_id: str
    client_order_id: str
    role: str
    type: str
    side: str
    status: str
    linked_by: str
    is_inferred: bool
    planned_price: Decimal | None
    planned_by: str
    quantity: Decimal
    executed_quantity: Decimal
    average_price: Decimal | None
    slippage: Decimal | None
    slippage_percent: Decimal | None
    slippage_amount: Decimal | None
    net_pnl: Decimal | None
    """Of the trades this order ended, in the reporting currency."""
    orphaned: str
    ordered_at: datetime
    filled_at: datetime | None
    placed_order_id: str
    """Of a conditional order that fired: the order it placed, whose status and executions are told here."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """`id` is that of its entry order, or, without one, of its first leg. `state`: PLANNED (the entry waits), OPEN,
    CLOSED, CANCELED (the entry never filled) or ORPHANED. `planned_risk` is in the quote asset, by the first stop
    placed; `r_multiple` is null with `r_reason`."""

    id: int
    account_id: UUID
    exchange: str
    market_type: str
    symbol: str
    quote_asset: str
    """Of its fills; empty where there is none yet."""
    side: str
    strategy: str
    group_id: str
    state: str
    is_inferred: bool
    entry: BracketLeg | None
    targets: list[BracketLeg]
    stops: list[BracketLeg]
    planned_stop: Decimal | None
    planned_risk: Decimal | None
    net_pnl: Decimal | None
    """In the reporting currency: of the positions the entry opened; of an entry that added to one, of the trades its
    legs ended."""
    r_multiple: Decimal | None
    r_reason: str
    position_id: int | None
    """The latest that the entry opened."""
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class BracketPage:
    """`next_cursor` is null on the last page."""

    results: list[Bracket]
    next_cursor: str | None


def brackets(
    *,
    scope: Scope,
    symbol: str | None = None,
    strategy: str | None = None,
    orphaned: bool = False,
    limit: int = 50,
    after: Place | None = None,
) -> BracketPage:
    """Newest first, from `after` on. `orphaned`: all with a leg that waits for nothing, in one page."""
    wanted = {"symbol": symbol, "strategy": strategy}
    rows = bracket_orders.orders().filter(
        account_id__in=scope.account_ids,
        **{name: value for name, value in wanted.items() if value is not None},
    )
    if orphaned:
        return BracketPage(_orphaned(rows), None)
    anchors = rows.filter(Q(role=ENTRY) | IS_LEG & Q(parent=None))
    if after is not None:
        anchors = anchors.filter(after.beyond("ordered_at"))
    sibling = Order.objects.filter(
        IS_LEG & ~Q(group_id=""),
        parent=None,
        account_id=OuterRef("account_id"),
        group_id=OuterRef("group_id"),
        symbol=OuterRef("symbol"),
        id__lt=OuterRef("id"),
    )
    anchors = anchors.filter(Q(role=ENTRY) | ~Exists(sibling) & ~Exists(bracket_orders.placed_it()))
    found = list(anchors.order_by("-ordered_at", "-id")[: limit + 1])
    page, following = cut(found, limit, lambda row: Place(row.ordered_at, row.pk))
    return BracketPage(_assemble(page), following)


def bracket(*, order_id: int) -> Bracket:
    """That of an entry, of a leg, or of both. Raises NotFound."""
    order = bracket_orders.orders().filter(id=order_id).exclude(role="").first()
    if order is None:
        raise NotFound("There is no such bracket.")
    return _assemble([bracket_orders.anchor_of(order)])[0]


def of_trade(trade: Trade) -> Bracket | None:
    """The bracket of the order that opened the trade's position, else of the one that ended the trade."""
    for order_id in (trade.entry_order_id, trade.exit_order_id):
        order = (
            bracket_orders.orders()
            .filter(
                account_id=trade.account_id,
                market_type=trade.market_type,
                symbol=trade.symbol,
                exchange_order_id=order_id,
            )
            .exclude(role="")
            .first()
        )
        if order is not None:
            return _assemble([bracket_orders.anchor_of(order)])[0]
    return None


def _orphaned(rows: QuerySet[Order]) -> list[Bracket]:
    waiting = list(
        rows.filter(IS_LEG, ~Exists(bracket_orders.placed_it()), status__in=OPEN).order_by(
            "-ordered_at", "-id"
        )[:_MOST_OPEN]
    )
    anchors = {anchor.pk: anchor for anchor in bracket_orders.anchors_of(waiting)}
    return [
        each
        for each in _assemble(list(anchors.values()))
        if any(leg.orphaned for leg in (*each.targets, *each.stops))
    ]


def _assemble(anchors: Sequence[Order]) -> list[Bracket]:
    """With a number of queries that does not grow with the brackets."""
    legs = bracket_orders.legs_of(anchors)
    every = [*anchors, *(leg for group in legs.values() for leg in group)]
    placed = {key_of(order): order for order in bracket_orders.placed_by(every)}
    legs = {anchor: [leg for leg in group if key_of(leg) not in placed] for anchor, group in legs.items()}
    books = BracketBooks([*every, *placed.values()], placed)
    return [_bracket(anchor, legs.get(anchor.pk, ()), books) for anchor in anchors]


def _bracket(anchor: Order, orders: Sequence[Order], books: BracketBooks) -> Bracket:
    entry = anchor if anchor.role == ENTRY else None
    legs = [_leg(order, books, orphaned=_orphan(order, entry, books)) for order in orders]
    stop = next((leg.planned_price for leg in legs if leg.role == STOP), None)
    position = books.opened.get(key_of(anchor)) if entry else None
    shown = None if entry is None else _leg(entry, books, orphaned="")
    bracket = Bracket(
        id=anchor.pk,
        account_id=anchor.account_id,
        exchange=anchor.account.exchange,
        market_type=anchor.market_type,
        symbol=anchor.symbol,
        quote_asset=books.quote_of(anchor),
        side=side_of(anchor),
        strategy=anchor.strategy,
        group_id=anchor.group_id,
        state=_state(entry, legs, position, books),
        is_inferred=any(leg.is_inferred for leg in legs),
        entry=shown,
        targets=sorted(
            (leg for leg in legs if leg.role != STOP),
            key=lambda leg: (len(leg.role), leg.role, leg.ordered_at),
        ),
        stops=[leg for leg in legs if leg.role == STOP],
        planned_stop=stop,
        planned_risk=_risk(shown, stop),
        net_pnl=_net(legs, anchor if position else None, books),
        r_multiple=None,
        r_reason="",
        position_id=position.pk if position else None,
        ordered_at=anchor.ordered_at,
    )
    return _with_multiple(bracket, position, books.quote_price(anchor) if bracket.planned_risk else None)


def _leg(order: Order, books: BracketBooks, *, orphaned: str) -> BracketLeg:
    done = books.placed_by(order) or order
    executed = books.executed.get(key_of(done)) or _told(done)
    planned, by = _plan(order)
    slip = bracket_sums.slippage(side=order.side, planned=planned, executed=executed)
    return BracketLeg(
        id=order.pk,
        exchange_order_id=order.exchange_order_id,
        client_order_id=order.client_order_id,
        role=order.role,
        type=order.type,
        side=order.side,
        status=done.status,
        linked_by=order.linked_by,
        is_inferred=order.linked_by == Linking.INFERRED,
        planned_price=planned,
        planned_by=by,
        quantity=order.quantity or done.quantity,
        executed_quantity=done.executed_quantity,
        average_price=executed.average,
        slippage=slip.price if slip else None,
        slippage_percent=slip.percent if slip else None,
        slippage_amount=slip.amount if slip else None,
        net_pnl=books.ended.get(key_of(done)),
        orphaned=orphaned,
        ordered_at=order.ordered_at,
        filled_at=done.filled_at,
        placed_order_id=order.placed_order_id,
    )


def _plan(order: Order) -> tuple[Decimal | None, str]:
    """A stop means its trigger, whatever limit it then works with; a target its limit, where it has one."""
    if order.stop_price and (order.role in (STOP, ENTRY) or not order.price):
        return order.stop_price, "trigger"
    return (order.price, "limit") if order.price else (None, "")


def _told(order: Order) -> Executed:
    """Without fills under its own number (conditional orders have others), what the order itself says."""
    return (
        Executed(order.executed_quantity, order.executed_quote_quantity) if order.executed_quantity else _NONE
    )


def _orphan(leg: Order, entry: Order | None, books: BracketBooks) -> str:
    if (books.placed_by(leg) or leg).status not in OPEN:
        return ""
    if entry is None:
        is_named = leg.linked_by == Linking.CLIENT_ID  # others may close what several orders opened
        return "" if not is_named and books.is_open(leg) else "no_entry"
    if not entry.executed_quantity:
        return "" if entry.status in OPEN else "entry_never_filled"
    return "" if books.still_open(entry) else "position_closed"


def _state(
    entry: Order | None, legs: Sequence[BracketLeg], position: Position | None, books: BracketBooks
) -> str:
    if any(leg.orphaned for leg in legs):
        return "ORPHANED"
    if entry is None:
        return "OPEN" if any(leg.status in OPEN for leg in legs) else "CLOSED"
    if not entry.executed_quantity:
        return "PLANNED" if entry.status in OPEN else "CANCELED"
    is_open = position.status == PositionStatus.OPEN if position else books.still_open(entry)
    return "OPEN" if is_open else "CLOSED"


def _net(legs: Sequence[BracketLeg], opener: Order | None, books: BracketBooks) -> Decimal | None:
    if opener is not None:
        return books.results.get(key_of(opener))
    ended = [leg.net_pnl for leg in legs if leg.net_pnl is not None]
    return sum(ended, ZERO) if ended else None


def _risk(entry: BracketLeg | None, stop: Decimal | None) -> Decimal | None:
    if entry is None or stop is None or entry.average_price is None:
        return None
    return bracket_sums.planned_risk(
        side=entry.side, entry=entry.average_price, stop=stop, quantity=entry.executed_quantity
    )


def _with_multiple(bracket: Bracket, position: Position | None, quote_price: Decimal | None) -> Bracket:
    """What was at risk is in the quote asset, the result in the reporting currency."""
    reason = _why_not(bracket, position) or ("" if quote_price else "no_price")
    if reason:
        return replace(bracket, r_reason=reason)
    assert bracket.net_pnl is not None
    assert bracket.planned_risk is not None
    assert quote_price is not None
    risk = multiply(bracket.planned_risk, quote_price)
    return replace(bracket, r_multiple=bracket_sums.multiple(bracket.net_pnl, risk))


def _why_not(bracket: Bracket, position: Position | None) -> str:
    if bracket.planned_stop is None:
        return "no_stop"
    if bracket.planned_risk is None:
        return "no_risk" if bracket.entry and bracket.entry.executed_quantity else "not_filled"
    if bracket.net_pnl is None:
        return "no_exit"
    if position is not None and position.is_inverse:
        return "inverse"
    return ""
