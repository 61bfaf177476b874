"""Which orders make a bracket, as their links tell. Needs an open door."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet

from orders.models import Order
from portfolio.selectors.bracket_books import ENTRY, key_of

IS_LEG: Final = ~Q(role="") & ~Q(role=ENTRY)


def orders() -> QuerySet[Order]:
    return Order.objects.select_related("account__user").defer("raw")


def anchor_of(order: Order) -> Order:
    """The entry a leg hangs on; without one, the first leg of its group."""
    if order.role == ENTRY:
        return order
    if order.parent_id is not None:
        return orders().get(id=order.parent_id)
    if not order.group_id:
        return order
    group = orders().filter(
        IS_LEG, account_id=order.account_id, group_id=order.group_id, symbol=order.symbol, parent=None
    )
    return group.order_by("id").first() or order


def anchors_of(legs: Sequence[Order]) -> list[Order]:
    """As `anchor_of`, of many at once."""
    entries = orders().in_bulk({leg.parent_id for leg in legs if leg.parent_id is not None})
    alone = [leg for leg in legs if leg.parent_id is None and leg.group_id]
    group = orders().filter(
        IS_LEG,
        parent=None,
        account_id__in={leg.account_id for leg in alone},
        group_id__in={leg.group_id for leg in alone},
    )
    first: dict[tuple[UUID, str, str], Order] = {}
    for row in group.order_by("id") if alone else ():
        first.setdefault((row.account_id, row.symbol, row.group_id), row)
    return [
        entries.get(leg.parent_id or 0) or first.get((leg.account_id, leg.symbol, leg.group_id)) or leg
        for leg in legs
    ]


def placed_it() -> QuerySet[Order]:
    """A conditional order that placed this one when it fired: it stands for both."""
    return Order.objects.filter(
        ~Q(placed_order_id=""),
        account_id=OuterRef("account_id"),
        market_type=OuterRef("market_type"),
        symbol=OuterRef("symbol"),
        placed_order_id=OuterRef("exchange_order_id"),
    )


def placed_by(of: Sequence[Order]) -> list[Order]:
    """The orders that conditional ones placed when they fired."""
    names = {order.placed_order_id for order in of} - {""}
    if not names:
        return []
    wanted = {key_of(order)._replace(order=order.placed_order_id) for order in of}
    rows = orders().filter(account_id__in={each.account for each in wanted}, exchange_order_id__in=names)
    return [order for order in rows if key_of(order) in wanted]


def legs_of(anchors: Sequence[Order]) -> dict[int, list[Order]]:
    """In the order they were placed; of a group without an entry, all its legs."""
    parents = [anchor.pk for anchor in anchors if anchor.role == ENTRY]
    alone = {(a.account_id, a.symbol, a.group_id): a.pk for a in anchors if a.role != ENTRY and a.group_id}
    groups = Q(parent=None, group_id__in={group for _, _, group in alone}) & ~Q(group_id="")
    rows = (
        orders()
        .filter(IS_LEG, Q(parent_id__in=parents) | groups, account_id__in={a.account_id for a in anchors})
        .order_by("ordered_at", "id")
    )
    legs: dict[int, list[Order]] = defaultdict(list)
    for leg in rows:
        anchor_id = leg.parent_id or alone.get((leg.account_id, leg.symbol, leg.group_id))
        if anchor_id is not None:
            legs[anchor_id].append(leg)
    for anchor in anchors:
        if anchor.role != ENTRY and not legs[anchor.pk]:
            legs[anchor.pk].append(anchor)
    return legs
