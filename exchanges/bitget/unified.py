"""A unified account: one wallet for spot and contracts, and a funding wallet beside it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from typing import Any, Final

from core import clock
from core.money import InvalidAmount
from exchanges import reading
from exchanges.base import NoConversions
from exchanges.bitget import client as wire
from exchanges.bitget import listings as symbols
from exchanges.bitget import mapping, rights, unified_mapping, walks
from exchanges.bitget.client import Listed
from exchanges.bitget.listings import KnownMarkets
from exchanges.bitget.unified_futures import UnifiedFutures
from exchanges.bitget.unified_ledger import SharedFills
from exchanges.bitget.unified_mapping import INCOMES, SPOT
from exchanges.bitget.unified_orders import find_order
from exchanges.bitget.unified_wire import asking, listed, strategies
from exchanges.bitget.walks import Window, below
from exchanges.reading import UnreadableRow
from exchanges.rows import AccountInfo, BalanceRow, FillRow, OrderRow, Page, Raw, TransferKind, TransferRow
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import Span, covered_to

_INFO: Final = "private_uta_get_v3_account_info"
_ASSETS: Final = "private_uta_get_v3_account_assets"
_FUNDING_ASSETS: Final = "private_uta_get_v3_account_funding_assets"
_FILLS: Final = "private_uta_get_v3_trade_fills"
_OPEN: Final = "private_uta_get_v3_trade_unfilled_orders"
_HISTORY: Final = "private_uta_get_v3_trade_history_orders"
_MOVES: Final = "private_uta_get_v3_account_funding_financial_records"
_RECORDS: Final = "private_uta_get_v3_account_financial_records"
_OUTER: Final = {
    TransferKind.DEPOSIT: ("private_uta_get_v3_account_deposit_records", unified_mapping.deposit),
    TransferKind.WITHDRAWAL: ("private_uta_get_v3_account_withdrawal_records", unified_mapping.withdrawal),
}


class UnifiedAccount(NoConversions):
    """What `BitgetAccount` answers for a unified account; `settings` are the account's, as just told."""

    transfer_kinds = (
        *_OUTER,
        TransferKind.INTERNAL,
        TransferKind.REBATE,
        TransferKind.CHARGE,
    )

    def __init__(self, client: CcxtClient, markets: KnownMarkets, settings: Raw) -> None:
        self._client = client
        self._markets = markets
        self._shared = SharedFills(asking(client, _FILLS, category=SPOT))
        is_hedged = settings.get("holdMode") == "hedge_mode"
        self.derivatives = UnifiedFutures(client, markets, is_hedged=is_hedged)

    def info(self) -> AccountInfo:
        try:
            return rights.unified(self._person)
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = wire.rows(self._client, _ASSETS, member="assets")
        rows, bad = reading.rows(raws, unified_mapping.balance)
        funding = wire.rows(self._client, _FUNDING_ASSETS)
        more, unread = reading.rows(funding, mapping.funding_balance)
        count = len(raws) + len(funding)
        return Page((*rows, *more), (*bad, *unread), "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and conditional orders that wait."""
        raws = listed(self._client, _OPEN, category=SPOT)
        waiting = unified_mapping.parts(strategies(self._client, SPOT))
        rows, bad = reading.rows(raws, unified_mapping.order)
        more, unread = reading.rows(waiting, unified_mapping.strategy)
        count = len(raws) + len(waiting)
        return Page((*rows, *more), (*bad, *unread), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        return find_order(self._client, SPOT, order_id)

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        now = self._client.now()
        reach = walks.reaching(now)
        span = Span(reach.floor, self._shared.until(reach.until))
        window = walks.MONTHLY.at(position, span)
        floor = clock.from_ms(span.floor)
        if window.length <= 0:
            return Page((), (), position, has_more=False, raw_count=0, floor=floor)
        raws = self._shared.rows(window, symbol)
        rows, bad = reading.rows(raws, self._fill)
        onward, has_more = walks.MONTHLY.after(window, "", span)
        told_to = covered_to(onward)
        return Page(rows, bad, onward, has_more, raw_count=len(raws), floor=floor, covered_to=told_to)

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        span = walks.between(self._client.now(), since, until)
        position, has_more = str(span.floor), span.floor < span.until
        while has_more:
            window = walks.MONTHLY.at(position, span)
            raws = self._shared.rows(window, symbol)
            rows, bad = reading.rows(raws, self._fill)
            position, has_more = walks.MONTHLY.after(window, "", span)
            page = Page(rows, bad, position, has_more, raw_count=len(raws))
            yield walks.within(page, since, until, lambda row: row.executed_at)

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        span = walks.reaching(self._client.now())
        ask = asking(self._client, _HISTORY, category=SPOT, symbol=symbol)
        return walks.read_page(walks.MONTHLY, position, span, ask, unified_mapping.order)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if kind in _OUTER:
            return self._outer(kind, position, until)
        span = walks.reaching(self._client.now(), until)
        if kind is TransferKind.INTERNAL:
            ask = asking(self._client, _MOVES, groupType="transfer")
            page = walks.read_page(walks.MONTHLY, position, span, ask, _internal)
        else:
            read = partial(unified_mapping.income, kind=kind)
            page = walks.read_page(walks.MONTHLY, position, span, partial(self._incomes, kind), read)
        return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        """What was traded lately (at first: in all the time that is told), and what assets point at."""
        now = self._client.now()
        span = walks.between(now, now - walks.LATELY, now) if known else walks.reaching(now)
        found = sorted(self._traded(span) - frozenset(known))
        return [*found, *symbols.unmet(assets, [*known, *found], self._markets.spot)]

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        """All symbols traded in the time that is told, also those no longer listed."""
        return sorted(self._traded(walks.reaching(self._client.now())) - frozenset(known))

    @cached_property
    def _person(self) -> Mapping[str, Any]:
        return wire.record(self._client, _INFO)

    def _traded(self, span: Span) -> frozenset[str]:
        return self._shared.symbols(Window(span.floor, self._shared.until(span.until)))

    def _outer(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        endpoint, read = _OUTER[kind]
        start = clock.EPOCH if position else walks.registered(self._person)

        def ask(window: Window) -> Listed:
            asked = {**window.times, **below(window.cursor, "cursor")}
            return wire.page_below(self._client, endpoint, asked, by="orderId")

        span = walks.endless(start, until)
        page = walks.read_page(walks.MONTHLY_TRANSFERS, position, span, ask, read, forgets=False)
        return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)

    def _incomes(self, kind: TransferKind, window: Window) -> Listed:
        found: list[Any] = []
        for category, name in INCOMES[kind]:
            ask = asking(self._client, _RECORDS, category=category, type=name)
            found += walks.collect(walks.MONTHLY, walks.span_of(window), ask)
        return Listed(found, "")

    @cached_property
    def _assets(self) -> mapping.Assets:
        return cache(partial(symbols.assets, listings=self._markets.spot))

    def _fill(self, raw: Raw) -> FillRow:
        return unified_mapping.fill(raw, self._assets)


def _internal(raw: Raw) -> TransferRow | None:
    """None for what is no transfer, should the filter not be heeded."""
    return unified_mapping.internal(raw) if raw.get("groupType") == "transfer" else None
