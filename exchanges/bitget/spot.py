"""The spot wallet of a classic account."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from typing import Any, Final

from core import clock
from core.money import InvalidAmount
from exchanges import plain, reading
from exchanges.bitget import client as wire
from exchanges.bitget import futures, mapping, outside, plans, rights, walks
from exchanges.bitget import listings as symbols
from exchanges.bitget.client import Listed
from exchanges.bitget.listings import KnownMarkets
from exchanges.bitget.walks import Window, below
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.reading import PageReader, UnreadableRow
from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    ConversionRow,
    FillRow,
    OrderRow,
    Page,
    TransferKind,
    TransferRow,
)
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import covered_to

_INFO: Final = "private_spot_get_v2_spot_account_info"
_ASSETS: Final = "private_spot_get_v2_spot_account_assets"
_FUNDING_ASSETS: Final = "private_spot_get_v2_account_funding_assets"
_FILLS: Final = "private_spot_get_v2_spot_trade_fills"
_OPEN: Final = "private_spot_get_v2_spot_trade_unfilled_orders"
_HISTORY: Final = "private_spot_get_v2_spot_trade_history_orders"
_ORDER: Final = "private_spot_get_v2_spot_trade_orderinfo"
_PLANS: Final = "private_spot_get_v2_spot_trade_current_plan_order"
_PLAN_HISTORY: Final = "private_spot_get_v2_spot_trade_history_plan_order"
_BILLS: Final = "private_spot_get_v2_spot_account_bills"
_MOVES: Final = "private_spot_get_v2_spot_account_transferrecords"
_OUTER: Final = {
    TransferKind.DEPOSIT: ("private_spot_get_v2_spot_wallet_deposit_records", mapping.deposit),
    TransferKind.WITHDRAWAL: ("private_spot_get_v2_spot_wallet_withdrawal_records", mapping.withdrawal),
}
_NO_BALANCES: Final[Page[BalanceRow]] = Page((), (), "", has_more=False, raw_count=0)


class ClassicAccount:
    """What `BitgetAccount` answers for a classic account."""

    def __init__(self, client: CcxtClient, markets: KnownMarkets) -> None:
        self._client = client
        self._markets = markets

    @cached_property
    def derivatives(self) -> futures.ClassicFutures | None:
        """None for a key that may not see contracts, and where nothing was ever done with them."""
        found = futures.ClassicFutures(self._client, self._markets)
        return found if found.is_used() else None

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        own = (*_OUTER, TransferKind.INTERNAL, TransferKind.AIRDROP)
        return (*own, TransferKind.REBATE, TransferKind.CHARGE) if self.derivatives else own

    def info(self) -> AccountInfo:
        try:
            return rights.classic(self._person)
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = wire.rows(self._client, _ASSETS)
        rows, bad = reading.rows(raws, mapping.balance)
        funding = wire.rows(self._client, _FUNDING_ASSETS)
        more, unread = reading.rows(funding, mapping.funding_balance)
        margin = self.derivatives.balances() if self.derivatives else _NO_BALANCES
        count = len(raws) + len(funding) + margin.raw_count
        found, set_aside = (*rows, *more, *margin.rows), (*bad, *unread, *margin.bad)
        return Page(found, set_aside, "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and trigger orders that wait."""
        raws = self._whole(_OPEN)
        waiting = wire.whole(self._plans(_PLANS, {}))
        rows, bad = reading.rows(raws, mapping.order)
        triggered, unread = reading.rows(waiting, plans.order)
        count = len(raws) + len(waiting)
        return Page((*rows, *triggered), (*bad, *unread), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        if order_id.startswith(plans.PREFIX):
            raws = self._plan(symbol, order_id.removeprefix(plans.PREFIX))
            rows, bad = reading.rows(raws, plans.order)
        else:
            rows, bad = reading.rows(wire.rows(self._client, _ORDER, {"orderId": order_id}), mapping.order)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        if not rows:
            raise ExchangeError(ErrorKind.USER, "Bitget knows no such order any more.", code="43001")
        return rows[0]

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        span = walks.reaching(self._client.now())
        return walks.read_page(walks.SPOT, position, span, partial(self._fills, symbol), self._fill)

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        span = walks.between(self._client.now(), since, until)
        ask = partial(self._fills, symbol)
        for page in walks.read_all(walks.SPOT, span, ask, self._fill):
            yield walks.within(page, since, until, lambda row: row.executed_at)

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        span = walks.reaching(self._client.now())
        return walks.read_page(walks.SPOT, position, span, partial(self._orders, symbol), mapping.order)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if kind is TransferKind.INTERNAL:
            return self._moves(position, until)
        if kind is TransferKind.AIRDROP:
            return outside.bills(self._client, position, until)
        if kind in (TransferKind.REBATE, TransferKind.CHARGE):
            return self._incomes(kind, position, until)
        start = clock.EPOCH if position else self._registered
        endpoint, read = _OUTER[kind]

        def ask(window: Window) -> Listed:
            asked = {**window.times, **below(window.cursor)}
            return wire.page_below(self._client, endpoint, asked, by="orderId")

        page = walks.read_page(
            walks.TRANSFERS, position, walks.endless(start, until), ask, read, forgets=False
        )
        return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)

    @property
    def has_conversions(self) -> bool:
        return True

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return outside.conversions(self._client, position, until)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        """What was ordered lately (at first: in all the time that is told), and what assets point at."""
        ordered = self._ordered_lately if known else self._ordered
        found = sorted(ordered - frozenset(known))
        return [*found, *symbols.unmet(assets, [*known, *found], self._markets.spot)]

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        """All symbols ordered in the time that is told, also those no longer listed."""
        return sorted(self._ordered - frozenset(known))

    @cached_property
    def _person(self) -> Mapping[str, Any]:
        return wire.record(self._client, _INFO)

    @property
    def _registered(self) -> datetime:
        return walks.registered(self._person)

    @cached_property
    def _ordered(self) -> frozenset[str]:
        span = walks.reaching(self._client.now())
        raws = walks.collect(walks.SPOT, span, partial(self._orders, ""))
        return _symbols(raws) | _symbols(self._whole(_OPEN))

    @cached_property
    def _ordered_lately(self) -> frozenset[str]:
        now = self._client.now()
        span = walks.between(now, now - walks.LATELY, now)
        return _symbols(walks.collect(walks.SPOT, span, partial(self._orders, "")))

    def _fills(self, symbol: str, window: Window) -> Listed:
        asked = {"symbol": symbol, **window.times, **below(window.cursor)}
        return wire.page_below(self._client, _FILLS, asked, by="tradeId")

    def _orders(self, symbol: str, window: Window) -> Listed:
        named = {"symbol": symbol} if symbol else {}
        asked = {**named, **window.times, **below(window.cursor)}
        return wire.page_below(self._client, _HISTORY, asked, by="orderId")

    def _whole(self, endpoint: str) -> list[Any]:
        def pages() -> Iterator[Listed]:
            page = Listed([], "")
            while True:
                page = wire.page_below(self._client, endpoint, below(page.cursor), by="orderId")
                yield page
                if not page.cursor:
                    return

        return wire.whole(pages())

    def _plans(self, endpoint: str, asked: Mapping[str, Any]) -> Iterator[Listed]:
        cursor = ""
        while True:
            found = wire.record(self._client, endpoint, {**asked, "limit": wire.PAGE, **below(cursor)})
            raws = found.get("orderList") or []
            if not isinstance(raws, list):
                raise unreadable("orderList is no array")
            yield Listed(raws, cursor)
            cursor = reading.text(found, "idLessThan", "")
            if not raws or not cursor or found.get("nextFlag") is not True:
                return

    def _plan(self, symbol: str, order_id: str) -> list[Any]:
        """A trigger order can only be looked for: among those that wait, then among those that ended."""
        span = walks.reaching(self._client.now())
        ended = {"symbol": symbol, "startTime": span.floor, "endTime": span.until}
        for endpoint, asked in ((_PLANS, {"symbol": symbol}), (_PLAN_HISTORY, ended)):
            for page in self._plans(endpoint, asked):
                found = [
                    raw for raw in page.rows if isinstance(raw, Mapping) and raw.get("orderId") == order_id
                ]
                if found:
                    return found[:1]
        return []

    def _moves(self, position: str, until: datetime) -> Page[TransferRow]:
        """Transfers between wallets are told by coin: the wallets' ledgers tell which coins were moved."""
        span = walks.reaching(self._client.now(), until)
        window = walks.MONTHLY_TRANSFERS.at(position, span)
        floor = clock.from_ms(span.floor)
        if window.length <= 0:
            return Page((), (), position, has_more=False, raw_count=0, floor=floor)
        raws = [
            raw for coin in sorted(self._moved(window)) for raw in self._collect(_MOVES, window, coin=coin)
        ]
        rows, bad = reading.rows(raws, mapping.internal)
        onward, has_more = walks.MONTHLY_TRANSFERS.after(window, "", span)
        told_to = covered_to(onward)
        page = Page(rows, bad, onward, has_more, raw_count=len(raws), floor=floor, covered_to=told_to)
        return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)

    def _moved(self, window: Window) -> set[str]:
        bills = self._collect(_BILLS, window, groupType="transfer")
        coins = {raw.get("coin") for raw in bills if isinstance(raw, Mapping)}
        held = self.derivatives.coins() if self.derivatives else set()
        return {coin.upper() for coin in coins if isinstance(coin, str)} | held

    def _incomes(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if self.derivatives is None:
            return Page((), (), position, has_more=False, raw_count=0)
        return self.derivatives.incomes(kind, position, until)

    def _collect(self, endpoint: str, window: Window, **asked: str) -> list[Any]:
        by = "billId" if endpoint == _BILLS else "transferId"

        def ask(part: Window) -> Listed:
            return wire.page_below(
                self._client, endpoint, {**asked, **part.times, **below(part.cursor)}, by=by
            )

        return walks.collect(walks.MONTHLY, walks.span_of(window), ask)

    @cached_property
    def _assets(self) -> mapping.Assets:
        return cache(partial(symbols.assets, listings=self._markets.spot))

    @cached_property
    def _fill(self) -> PageReader[FillRow]:
        whole, single = (
            partial(mapping.fills, assets=self._assets),
            partial(mapping.fill, assets=self._assets),
        )
        return plain.reader(whole, single)


def _symbols(raws: list[Any]) -> frozenset[str]:
    names = [raw.get("symbol") if isinstance(raw, Mapping) else None for raw in raws]
    return frozenset(name.upper() for name in names if isinstance(name, str) and name)
