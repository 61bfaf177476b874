"""The contracts of a unified account: histories by category, money in the one wallet."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from exchanges import reading
from exchanges.bitget import client as wire
from exchanges.bitget import contracts, unified_mapping, walks
from exchanges.bitget.contracts import PRODUCTS
from exchanges.bitget.listings import KnownMarkets
from exchanges.bitget.unified_orders import find_order
from exchanges.bitget.unified_wire import asking, listed, strategies
from exchanges.rows import Contract, FillRow, FundingRow, OrderRow, Page, PositionRow, Raw
from exchanges.transport import CcxtClient

_POSITIONS: Final = "private_uta_get_v3_position_current_position"
_FILLS: Final = "private_uta_get_v3_trade_fills"
_OPEN: Final = "private_uta_get_v3_trade_unfilled_orders"
_HISTORY: Final = "private_uta_get_v3_trade_history_orders"
_RECORDS: Final = "private_uta_get_v3_account_financial_records"
R = TypeVar("R")


class UnifiedFutures:
    """Implements `exchanges.base.Derivatives`; its scopes are categories, and the two ways funding goes."""

    def __init__(self, client: CcxtClient, markets: KnownMarkets, *, is_hedged: bool) -> None:
        self._client = client
        self._markets = markets
        self._is_hedged = is_hedged

    def positions(self) -> Page[PositionRow]:
        rows, bad, count = list[PositionRow](), list[Any](), 0
        for category in PRODUCTS:
            raws = wire.rows(self._client, _POSITIONS, {"category": category}, member="list")
            good, worse = reading.rows(raws, self._reading(unified_mapping.position, category))
            rows, bad, count = [*rows, *good], [*bad, *worse], count + len(raws)
        return Page(tuple(rows), tuple(bad), "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and conditional orders that wait."""
        raws = [raw for each in PRODUCTS for raw in listed(self._client, _OPEN, category=each)]
        waiting = unified_mapping.parts(raw for each in PRODUCTS for raw in strategies(self._client, each))
        rows, bad = reading.rows(raws, unified_mapping.order)
        more, unread = reading.rows(waiting, unified_mapping.strategy)
        count = len(raws) + len(waiting)
        return Page((*rows, *more), (*bad, *unread), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        return find_order(self._client, self._category(symbol), order_id)

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """Categories, whatever was traded: no contract need be named."""
        return list(PRODUCTS)

    def ledger_scopes(self) -> list[str]:
        """Funding is asked for by what it is called: received, or paid."""
        return [f"{category}:{way}" for category in PRODUCTS for way in unified_mapping.FUNDING]

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        span = walks.reaching(self._client.now())
        ask, read = asking(self._client, _FILLS, category=scope), self._fill_reader(scope)
        return walks.read_page(walks.MONTHLY, position, span, ask, read)

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        span = walks.between(self._client.now(), since, until)
        ask, read = asking(self._client, _FILLS, category=scope), self._fill_reader(scope)
        for page in walks.read_all(walks.MONTHLY, span, ask, read):
            yield walks.within(page, since, until, lambda row: row.executed_at)

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        span = walks.reaching(self._client.now())
        ask = asking(self._client, _HISTORY, category=scope)
        return walks.read_page(walks.MONTHLY, position, span, ask, unified_mapping.order)

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        category, _, way = scope.partition(":")
        name = unified_mapping.FUNDING[way]
        span = walks.reaching(self._client.now(), until)
        ask = asking(self._client, _RECORDS, category=category, type=name)
        page = walks.read_page(walks.MONTHLY, position, span, ask, unified_mapping.funding)
        return walks.within(page, walks.OPENED, until, lambda row: row.paid_at)

    def _fill_reader(self, category: str) -> Callable[[Raw], FillRow | None]:
        read = partial(unified_mapping.contract_fill, is_hedged=self._is_hedged)
        return self._reading(read, category)

    def _reading(self, read: Callable[..., R | None], category: str) -> Callable[[Raw], R | None]:
        return partial(read, terms=partial(self._term, category))

    def _term(self, category: str, symbol: str) -> Contract:
        return self._markets.contracts.get(symbol) or contracts.delisted(symbol, PRODUCTS[category])

    def _category(self, symbol: str) -> str:
        return contracts.product(symbol, self._markets.contracts)
