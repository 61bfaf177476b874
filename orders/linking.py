"""Which orders belong together: an entry, its targets and its stop. Works inside the owner's open door.

Three ways of knowing, the surest first; `linked_by` keeps which one it was.

1. `client_id`: orders named `cgt-<group>-ENTRY|TP1…TPn|SL` by whoever placed them.
2. `exchange`: an order list with both its entry and its exits (OTO, OTOCO).
3. `inferred`: an OCO belongs to the latest order of its symbol filled before it, on the other side, that is not
   claimed by another list already (`order_lists.Claims`); without one its legs have roles but no parent. A stop or
   target that stands alone, too; a contract's to the latest order that opened its side of the position.

The outcome depends on the stored orders alone, not on the order they came in: an order that comes late, or fills,
has every list of its symbol placed after it judged again.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Min, Q
from django.db.models.functions import Now

from core.django import bulk
from credentials.models import ExchangeAccount
from orders import order_lists
from orders.models import Linking, Order
from orders.order_lists import ENTRY, OrderList, Placed, Taken

CLIENT_ID: Final = re.compile(r"cgt-(?P<group>.{1,90})-(?P<role>ENTRY|TP[1-9]\d{0,2}|SL)", re.ASCII)
LOOK_BACK: Final = 200  # how many earlier orders of a symbol may be the entry of a list
_OPEN: Final = ("NEW", "PARTIALLY_FILLED")

_CLOSES: Final = (
    Q(reduce_only=True) | Q(position_side="LONG", side="SELL") | Q(position_side="SHORT", side="BUY")
)
_GUARD: Final = (Q(type__startswith="STOP") | Q(type__startswith="TAKE_PROFIT")) & (
    Q(market_type="spot", side="SELL") | ~Q(market_type="spot") & _CLOSES
)
_IN_LIST: Final = ~Q(order_list_id="") | _GUARD
_SAYS_SOMETHING: Final = Q(client_order_id__startswith="cgt-") | ~Q(order_list_id="")

Market = tuple[str, str]  # market type, wire symbol


class Link(NamedTuple):
    role: str = ""
    group_id: str = ""
    linked_by: str = ""


def link(*, account: ExchangeAccount, order_ids: Sequence[int]) -> None:
    """Give these orders, and those they change the case of, their role, group and parent."""
    relink(account=account, order_ids=order_ids)


def relink(*, account: ExchangeAccount, order_ids: Sequence[int]) -> list[int]:
    """As `link`; answers the orders whose link, or whose legs' link, is another one now."""
    if not order_ids:
        return []
    touched = Q(id__in=order_ids)
    known = {order.id: order for order in _load(account, touched & _SAYS_SOMETHING)}
    wanted = {order.id: named for order in known.values() if (named := _by_client_id(order)) is not None}
    for market, since in _disturbed(account, touched).items():
        scope = _Scope(account, market, since)
        known.update(scope.orders)
        wanted.update(scope.links())
    wanted.update(_carried(account, touched, known, wanted))
    return _write(account, known, wanted)


def placed_by(*, account: ExchangeAccount, order_ids: Collection[int]) -> set[int]:
    """The orders that conditional ones among these placed when they fired."""
    fired = Order.objects.filter(~Q(placed_order_id=""), id__in=order_ids, account_id=account.id)
    keys = set(fired.values_list("market_type", "symbol", "placed_order_id"))
    if not keys:
        return set()
    names = {name for _, _, name in keys}
    rows = Order.objects.filter(account_id=account.id, exchange_order_id__in=names)
    found = rows.values_list("id", "market_type", "symbol", "exchange_order_id")
    return {order_id for order_id, *key in found if tuple(key) in keys}


def _by_client_id(order: Placed) -> Link | None:
    match = CLIENT_ID.fullmatch(order.client_order_id)
    if match is None:
        return None
    return Link(match["role"], f"cgt-{match['group']}", Linking.CLIENT_ID)


def _carried(
    account: ExchangeAccount, touched: Q, known: dict[int, Placed], wanted: Mapping[int, Link]
) -> dict[int, Link]:
    """What a conditional order placed when it fired is to the others what that was; itself it may say otherwise."""
    names = Order.objects.filter(touched, account_id=account.id).values("exchange_order_id")
    placed_it = ~Q(placed_order_id="") & Q(placed_order_id__in=names)
    fired = {order.id: order for order in _load(account, placed_it)}
    fired |= {order.id: order for order in known.values() if order.placed_order_id}
    if not fired:
        return {}
    by_placed = {(order.market_type, order.symbol, order.placed_order_id): order for order in fired.values()}
    links = {}
    for order in _load(account, Q(exchange_order_id__in=[placed for _, _, placed in by_placed])):
        origin = by_placed.get((order.market_type, order.symbol, order.exchange_order_id))
        if origin is None or order.role == ENTRY or _by_client_id(order) is not None:
            continue
        known.setdefault(order.id, order)
        links[order.id] = wanted.get(origin.id) or Link(origin.role, origin.group_id, origin.linked_by)
    return links


def _disturbed(account: ExchangeAccount, touched: Q) -> dict[Market, datetime]:
    """From when on the lists of a market must be judged again: orders in lists, and orders that may be entries."""
    rows = (
        Order.objects.filter(touched & (Q(executed_quantity__gt=0) | _IN_LIST), account_id=account.id)
        .values_list("market_type", "symbol")
        .annotate(since=Min("ordered_at"))
    )
    return {(market_type, symbol): since for market_type, symbol, since in rows}


class _Scope:
    """The lists of one market placed at or after a moment, and the orders that may be their entries."""

    def __init__(self, account: ExchangeAccount, market: Market, since: datetime) -> None:
        market_type, symbol = market
        of_market = self._of_market = Q(market_type=market_type, symbol=symbol)
        in_lists = _without_placed(account, _load(account, of_market & Q(ordered_at__gte=since) & _IN_LIST))
        names = {order.order_list_id for order in in_lists} - {""}
        self.orders = {order.id: order for order in in_lists}
        if names:  # a leg may be stamped earlier than the rest of its list
            self._keep(_load(account, of_market & Q(order_list_id__in=names)))
        lists: dict[str, list[Placed]] = defaultdict(list)
        for order in self.orders.values():
            is_imported = order.linked_by == Linking.IMPORT and order.is_guard
            if _by_client_id(order) is None and not is_imported:
                lists[_list_of(order)].append(order)
        apart = [order_lists.take_apart(orders) for orders in lists.values()]
        self.lists = sorted(apart, key=lambda each: (each.placed_at, each.orders[0].sequence))
        self.orphans = [each for each in self.lists if each.exits and each.entry is None]
        self.candidates: list[Placed] = []
        self.earlier_legs: dict[int, list[Placed]] = defaultdict(list)
        if self.orphans:
            self._load_candidates(account, of_market)
        self._load_entries_so_far(account)

    def _keep(self, orders: Iterable[Placed]) -> None:
        self.orders.update((order.id, order) for order in orders)

    def _load_candidates(self, account: ExchangeAccount, of_market: Q) -> None:
        """Closed orders that bought (or sold) something and are nobody's entry or exit for sure."""
        first, last = self.orphans[0].placed_at, self.orphans[-1].placed_at
        closed = of_market & Q(executed_quantity__gt=0, ordered_at__lte=last) & ~Q(status__in=_OPEN)
        found = _load(account, closed & Q(ordered_at__gte=first)) + _load(
            account, closed & Q(ordered_at__lt=first), latest=LOOK_BACK
        )
        taken = {order.id for each in self.lists for order in each.orders if each.exits}
        self.candidates = [
            order
            for order in found
            if order.id not in taken
            and (not order.role or (order.role == ENTRY and order.linked_by == Linking.INFERRED))
            and _by_client_id(order) is None
            and not order.closes
        ]
        self._keep(self.candidates)

    def _load_entries_so_far(self, account: ExchangeAccount) -> None:
        """Entries inferred before, of lists in scope and of candidates, with all legs they have."""
        inferred = {order.group_id for order in self.orders.values() if order.linked_by == Linking.INFERRED}
        if not inferred:
            return
        members = _load(account, self._of_market & Q(group_id__in=inferred) & ~Q(group_id=""))
        placed = {order.placed_order_id for order in (*members, *self.orders.values())} - {""}
        for order in members:
            if order.exchange_order_id in placed:
                continue  # it stands for the one that placed it
            if order.role == ENTRY and order.id not in self.orders:
                self.candidates.append(order)
            elif order.parent_id is not None and order.id not in self.orders:
                self.earlier_legs[order.parent_id].append(order)
            self.orders.setdefault(order.id, order)

    def links(self) -> dict[int, Link]:
        """What every order in scope should say; an entry inferred before that has no legs left says nothing."""
        wanted = {order.id: Link() for order in self.candidates if order.linked_by == Linking.INFERRED}
        for each in self.lists:
            if each.entry is not None:
                wanted[each.entry.id] = Link(ENTRY, each.name, Linking.EXCHANGE)
            found = order_lists.roles(each.exits)
            wanted.update(
                (order.id, Link(found.get(order.id, ""), each.name, _known_by(each)))
                for order in each.orders
                if order is not each.entry
            )
        for entry, exits in self._inferred().values():
            group = _group(entry)
            wanted[entry.id] = Link(ENTRY, group, Linking.INFERRED)
            found = order_lists.roles(exits)
            wanted.update((leg.id, Link(found[leg.id], group, Linking.INFERRED)) for leg in exits)
        return wanted

    def _inferred(self) -> dict[int, tuple[Placed, list[Placed]]]:
        claims = order_lists.Claims(self.candidates, self._taken())
        groups = {
            order.id: (order, list(self.earlier_legs[order.id]))
            for order in self.candidates
            if self.earlier_legs.get(order.id)
        }
        for orphan in self.orphans:
            entry = claims.entry_of(orphan)
            if entry is not None:
                groups.setdefault(entry.id, (entry, []))[1].extend(orphan.exits)
        return groups

    def _taken(self) -> Taken:
        """What lists placed before the scope claim."""
        taken: Taken = defaultdict(Decimal)
        for entry_id, legs in self.earlier_legs.items():
            lists: dict[str, list[Placed]] = defaultdict(list)
            for leg in legs:
                lists[_list_of(leg)].append(leg)
            for orders in lists.values():
                each = OrderList(tuple(orders), None, tuple(orders))
                taken[entry_id, each.slot] += each.claim
        return taken


def _without_placed(account: ExchangeAccount, orders: Sequence[Placed]) -> list[Placed]:
    """But for those that another one placed when it fired: it stands for them."""
    done = [order for order in orders if order.is_guard and order.executed_quantity]
    if not done:
        return list(orders)
    rows = Order.objects.filter(~Q(placed_order_id=""), account_id=account.id)
    told = rows.filter(placed_order_id__in=[order.exchange_order_id for order in done])
    placed = set(told.values_list("market_type", "symbol", "placed_order_id"))
    return [o for o in orders if (o.market_type, o.symbol, o.exchange_order_id) not in placed]


def _list_of(order: Placed) -> str:
    """Orders of one list have one name; who stands alone has its own."""
    return f"list:{order.order_list_id}" if order.order_list_id else f"order:{order.exchange_order_id}"


def _known_by(order_list: OrderList) -> str:
    return Linking.EXCHANGE if order_list.name else Linking.INFERRED


def _group(entry: Placed) -> str:
    """The group that is inferred around an entry."""
    return f"{entry.market}:{entry.exchange_order_id}"


def _load(account: ExchangeAccount, condition: Q, *, latest: int | None = None) -> list[Placed]:
    rows = Order.objects.filter(condition, account_id=account.id).values_list(*Placed._fields)
    if latest is not None:
        rows = rows.order_by("-ordered_at", "-id")[:latest]
    return [Placed(*row) for row in rows]


def _write(account: ExchangeAccount, known: Mapping[int, Placed], wanted: Mapping[int, Link]) -> list[int]:
    changed = {
        order_id: link
        for order_id, link in wanted.items()
        if link != Link(known[order_id].role, known[order_id].group_id, known[order_id].linked_by)
    }
    if not changed:
        return []
    bulk.update(
        table=Order._meta.db_table,
        columns=("id", "role", "group_id", "linked_by"),
        rows=[(order_id, *link) for order_id, link in changed.items()],
        key=("id",),
    )
    groups = {link.group_id for link in changed.values()} | {known[order_id].group_id for order_id in changed}
    touched = sorted(changed.keys() | _set_parents(account, groups - {""}))
    Order.objects.filter(id__in=touched).update(updated_at=Now())  # what hangs on the links follows by this
    return touched


def _set_parents(account: ExchangeAccount, groups: Collection[str]) -> set[int]:
    """Hang the legs of groups on their entry: the first that filled, else the first. Answers both sides' ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH member AS (
              SELECT * FROM orders_order
              WHERE account_id = %s AND group_id = ANY(%s) AND NOT group_id = ''
            ), entry AS (
              SELECT DISTINCT ON (market_type, symbol, group_id) id, market_type, symbol, group_id
              FROM member WHERE role = 'ENTRY'
              ORDER BY market_type, symbol, group_id, executed_quantity = 0, ordered_at, id
            ), wanted AS (
              SELECT member.id, CASE WHEN member.role NOT IN ('', 'ENTRY') THEN entry.id END AS entry_id
              FROM member LEFT JOIN entry USING (market_type, symbol, group_id)
            )
            UPDATE orders_order AS leg SET parent_id = wanted.entry_id FROM wanted
            WHERE leg.id = wanted.id AND leg.parent_id IS DISTINCT FROM wanted.entry_id
            RETURNING leg.id, leg.parent_id
            """,
            [account.id, list(groups)],
        )
        return {order_id for row in cursor.fetchall() for order_id in row if order_id is not None}
