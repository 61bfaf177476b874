"""What the books know of the orders of brackets, in a handful of statements for any number of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Min, Q, Sum

from core import clock
from exchanges.rows import MarketType
from marketdata.models import Listing
from orders.models import Fill, Order
from portfolio.accounting.bracket_sums import BUY, Executed
from portfolio.models import Position, PositionSide, PositionStatus, Trade, TradeKind, Valuation

ENTRY: Final = "ENTRY"


class OrderKey(NamedTuple):
    """What fills and trades know an order by."""

    account: UUID
    market_type: str
    symbol: str
    order: str


def key_of(order: Order) -> OrderKey:
    return OrderKey(order.account_id, order.market_type, order.symbol, order.exchange_order_id)


def side_of(order: Order) -> str:
    """Of the position: entries open it, legs close it."""
    opens_long = (order.side == BUY) is (order.role == ENTRY)
    return str(PositionSide.LONG if opens_long else PositionSide.SHORT)


class BracketBooks:
    """What the books know of some orders: fills, trades they ended, positions they opened, positions still open."""

    def __init__(self, orders: Sequence[Order], placed: Mapping[OrderKey, Order]) -> None:
        """`placed`: what conditional orders among them placed when they fired."""
        self._placed = placed
        accounts, names = {o.account_id for o in orders}, {o.exchange_order_id for o in orders}
        symbols = self._symbols = {o.symbol for o in orders}
        of_orders = Q(account_id__in=accounts, symbol__in=symbols)
        self.executed, self.assets, self._began = _executed(of_orders & Q(exchange_order_id__in=names))
        self._prices = _pinned(set(self._began.values()), {o.account.user.reporting_currency for o in orders})
        self.ended = _ended(of_orders & Q(exit_order_id__in=names))
        positions = _opened(of_orders & Q(entry_order_id__in=names))
        self.opened = {key: rows[-1] for key, rows in positions.items()}
        self.results = _results(positions)
        self.open = _still_open(accounts)

    def placed_by(self, order: Order) -> Order | None:
        return self._placed.get(key_of(order)._replace(order=order.placed_order_id))

    def quote_of(self, order: Order) -> str:
        """Empty where it was not filled."""
        return self._began[key_of(order)][0] if key_of(order) in self._began else ""

    def quote_price(self, entry: Order) -> Decimal | None:
        """What the quote of an entry was worth in the reporting currency when it began to fill; None where it did not,
        or there is no price."""
        return self._prices.get(self._began[key_of(entry)]) if key_of(entry) in self._began else None

    def still_open(self, entry: Order) -> bool:
        """Whether the position that the entry opened, or added to, is open."""
        if key_of(entry) in self.opened:
            return self.opened[key_of(entry)].status == PositionStatus.OPEN
        asset = entry.symbol if entry.market_type != MarketType.SPOT else self.assets.get(key_of(entry), "")
        since = self._open_since(entry, asset)
        return since is not None and since <= (entry.filled_at or entry.exchange_updated_at)

    def is_open(self, leg: Order) -> bool:
        """Whether any position that the leg may close is open."""
        return self._open_since(leg, self._coin(leg)) is not None

    def _open_since(self, order: Order, asset: str) -> datetime | None:
        place = order.market_type, asset, side_of(order)
        return self.open.get((order.account_id, *place)) or self.open.get((order.account.mode, *place))

    def _coin(self, order: Order) -> str:
        """What a position of the order's symbol is called, also where the order has no fill."""
        if order.market_type != MarketType.SPOT:
            return order.symbol
        return self._coins.get((order.account.exchange, order.symbol), "")

    @cached_property
    def _coins(self) -> dict[tuple[str, str], str]:
        listed = Listing.objects.filter(market_type=MarketType.SPOT, name__in=self._symbols)
        rows = listed.values_list("exchange", "name", "symbol__base_asset")
        return {(exchange, name): base for exchange, name, base in rows}


_Began = tuple[str, datetime]
"""The quote asset, and the hour of the first fill."""


def _executed(
    condition: Q,
) -> tuple[dict[OrderKey, Executed], dict[OrderKey, str], dict[OrderKey, _Began]]:
    """By order; and the base asset of each, and how it began."""
    found: dict[OrderKey, Executed] = {}
    assets: dict[OrderKey, str] = {}
    quotes: dict[OrderKey, _Began] = {}
    names = ("account_id", "market_type", "symbol", "exchange_order_id")
    rows = (
        Fill.objects.filter(condition)
        .order_by()
        .values_list(*names, "base_asset", "quote_asset", "is_inverse")
    )
    for *order, asset, quote, is_inverse, quantity, value, began in rows.annotate(
        size=Sum("quantity"), worth=Sum("quote_quantity"), began=Min("executed_at")
    ):
        key = OrderKey(*order)
        found[key], assets[key] = Executed(quantity, value, is_inverse), asset
        quotes[key] = (quote, clock.floor_hour(began))
    return found, assets, quotes


def _pinned(wanted: Collection[_Began], currencies: Collection[str]) -> dict[_Began, Decimal]:
    """Of quotes in the owner's reporting currency, one statement: the newest version of each."""
    prices = {each: Decimal(1) for each in wanted if each[0] in currencies}
    others = {each for each in wanted if each[0] not in currencies}
    if others:
        rows = Valuation.objects.filter(
            currency__in=currencies, asset__in={name for name, _ in others}, at__in={at for _, at in others}
        )
        found = rows.order_by("version").values_list("asset", "at", "price")
        prices |= {(asset, at): price for asset, at, price in found}
    return prices


def _ended(condition: Q) -> dict[OrderKey, Decimal]:
    rows = Trade.objects.filter(condition, kind=TradeKind.TRADE).order_by()
    sums = rows.values_list("account_id", "market_type", "symbol", "exit_order_id").annotate(Sum("net_pnl"))
    return {OrderKey(*key): net for *key, net in sums}


def _opened(condition: Q) -> dict[OrderKey, list[Position]]:
    """Of an order that went on to fill after its position was closed, several, the latest last."""
    found: dict[OrderKey, list[Position]] = defaultdict(list)
    for row in Position.objects.filter(condition).defer("checkpoint").order_by("opened_at", "id"):
        found[OrderKey(row.account_id, row.market_type, row.symbol, row.entry_order_id)].append(row)
    return found


def _results(positions: Mapping[OrderKey, Sequence[Position]]) -> dict[OrderKey, Decimal]:
    """What the positions of each order made; left out where nothing ended yet."""
    order_of = {row.pk: key for key, rows in positions.items() for row in rows}
    rows = Trade.objects.filter(position_id__in=list(order_of), kind=TradeKind.TRADE).order_by()
    found: dict[OrderKey, Decimal] = {}
    for position, net in rows.values_list("position_id").annotate(Sum("net_pnl")):
        found[order_of[position]] = found.get(order_of[position], Decimal(0)) + net
    return found


def _still_open(accounts: Iterable[UUID]) -> dict[tuple[UUID | str, str, str, str], datetime]:
    """By account, or by the mode of all accounts where coins are pooled."""
    rows = Position.objects.filter(
        Q(account_id__in=list(accounts)) | ~Q(book__pool=""), status=PositionStatus.OPEN
    )
    columns = ("book__pool", "account_id", "market_type", "book__asset", "side", "opened_at")
    return {
        (pool or account, kind, asset, side): at
        for pool, account, kind, asset, side, at in rows.values_list(*columns)
    }
