"""What the books know of the orders of brackets, in a handful of statements for any number of them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q, Sum

from exchanges.rows import MarketType
from orders.models import Fill, Order
from portfolio.accounting.bracket_sums import BUY, Executed
from portfolio.models import Position, PositionSide, PositionStatus, Trade, TradeKind

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

    def __init__(self, orders: Sequence[Order]) -> None:
        accounts, names = {o.account_id for o in orders}, {o.exchange_order_id for o in orders}
        symbols = {o.symbol for o in orders}
        of_orders = Q(account_id__in=accounts, symbol__in=symbols)
        self.executed, self.assets = _executed(of_orders & Q(exchange_order_id__in=names))
        self.ended = _ended(of_orders & Q(exit_order_id__in=names))
        self.opened = _opened(of_orders & Q(entry_order_id__in=names))
        self.results = _results([position.pk for position in self.opened.values()])
        self.open = _still_open(accounts)

    def still_open(self, entry: Order) -> bool:
        """Whether the position that the entry opened, or added to, is open."""
        asset = entry.symbol if entry.market_type != MarketType.SPOT else self.assets.get(key_of(entry), "")
        place = entry.market_type, asset, side_of(entry)
        since = self.open.get((entry.account_id, *place)) or self.open.get((entry.account.mode, *place))
        return since is not None and since <= (entry.filled_at or entry.exchange_updated_at)


def _executed(condition: Q) -> tuple[dict[OrderKey, Executed], dict[OrderKey, str]]:
    """By order; and the base asset of each."""
    found: dict[OrderKey, Executed] = {}
    assets: dict[OrderKey, str] = {}
    columns = ("account_id", "market_type", "symbol", "exchange_order_id", "base_asset", "is_inverse")
    rows = Fill.objects.filter(condition).order_by().values_list(*columns)
    for *key, asset, is_inverse, quantity, value in rows.annotate(
        size=Sum("quantity"), worth=Sum("quote_quantity")
    ):
        found[OrderKey(*key)] = Executed(quantity, value, is_inverse)
        assets[OrderKey(*key)] = asset
    return found, assets


def _ended(condition: Q) -> dict[OrderKey, Decimal]:
    rows = Trade.objects.filter(condition, kind=TradeKind.TRADE).order_by()
    sums = rows.values_list("account_id", "market_type", "symbol", "exit_order_id").annotate(Sum("net_pnl"))
    return {OrderKey(*key): net for *key, net in sums}


def _opened(condition: Q) -> dict[OrderKey, Position]:
    rows = Position.objects.filter(condition).defer("checkpoint")
    return {OrderKey(row.account_id, row.market_type, row.symbol, row.entry_order_id): row for row in rows}


def _results(position_ids: Collection[int]) -> dict[int, Decimal]:
    rows = Trade.objects.filter(position_id__in=position_ids, kind=TradeKind.TRADE).order_by()
    return dict(rows.values_list("position_id").annotate(Sum("net_pnl")))


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
