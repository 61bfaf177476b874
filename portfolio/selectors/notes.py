"""What owners noted on the orders behind their trades. Needs an open door."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from orders.models import Order
from portfolio.models import Trade
from portfolio.selectors.trades import ClosedTrade


@dataclass(frozen=True, slots=True)
class NotedOrder:
    """The order that ended a trade, or the one that opened its position."""

    id: int
    exchange_order_id: str
    is_exit: bool
    strategy: str
    strategy_by: str
    note: str
    tags: list[str]


def of_trade(trade: Trade) -> list[NotedOrder]:
    """The order that ended it, then the one that opened its position; those that are known."""
    found = []
    for symbol, order_id, is_exit in (
        (trade.symbol, trade.exit_order_id, True),
        (trade.position.symbol, trade.entry_order_id, False),
    ):
        row = Order.objects.filter(
            account_id=trade.account_id if is_exit else trade.position.account_id,
            market_type=trade.market_type,
            symbol=symbol,
            exchange_order_id=order_id,
        ).values_list("id", "exchange_order_id", "strategy", "strategy_by", "note", "tags")
        found += [
            NotedOrder(number, name, is_exit, strategy, by, note, tags)
            for number, name, strategy, by, note, tags in row
        ]
    return found


def tags_of(trades: Collection[ClosedTrade]) -> dict[int, list[str]]:
    """Of the orders that ended some trades, by trade; those without are left out."""
    rows = Order.objects.filter(
        ~Q(tags=[]),
        account_id__in={row.account_id for row in trades},
        symbol__in={row.symbol for row in trades},
        exchange_order_id__in={row.exit_order_id for row in trades},
    )
    tags = {
        (account_id, market, symbol, order_id): told
        for account_id, market, symbol, order_id, told in rows.values_list(
            "account_id", "market_type", "symbol", "exchange_order_id", "tags"
        )
    }
    keys = {row.id: (row.account_id, row.market_type, row.symbol, row.exit_order_id) for row in trades}
    return {trade_id: tags[key] for trade_id, key in keys.items() if key in tags}
