"""A MEXC spot account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeVar

from core import clock
from core.money import InvalidAmount
from exchanges import binance_like, reading
from exchanges.base import Listings, SpotAccount
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import listings as symbols
from exchanges.mexc import mapping, market, walks
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    AccountInfo,
    BadRow,
    BalanceRow,
    FillRow,
    OrderRow,
    Page,
    Raw,
    TransferKind,
    TransferRow,
)
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import Span, Window, WindowWalk, ceil_ms

R = TypeVar("R")
_TRANSFERS: Final = {
    TransferKind.DEPOSIT: ("spot_private_get_capital_deposit_hisrec", mapping.deposit),
    TransferKind.WITHDRAWAL: ("spot_private_get_capital_withdraw_history", mapping.withdrawal),
}


class MexcAccount(SpotAccount):
    """Implements `exchanges.base.Account`. `listings` saves asking for them where the caller knows them."""

    def __init__(self, client: CcxtClient, listings: Listings | None = None) -> None:
        self._client = client
        self._given = listings

    @property
    def clock_offset(self) -> timedelta:
        """How far MEXC's clock is ahead of ours; zero until it refused ours."""
        return self._client.clock_offset

    @property
    def used_weight(self) -> int | None:
        """MEXC does not tell it."""
        return self._client.used_weight

    @cached_property
    def _listings(self) -> Listings:
        if self._given is not None:
            return self._given
        page = market.listings(self._client)
        return {row.symbol: (row.base_asset, row.quote_asset) for row in page.rows}

    def info(self) -> AccountInfo:
        account = self._client.record("spot_private_get_account")
        identity = self._client.record("spot_private_get_uid")
        key = self._client.record("spot_private_get_apikeyinfo", {"accessKey": self._client.api_key})
        try:
            return mapping.account_info(account, identity, key)
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = self._client.record("spot_private_get_account").get("balances")
        if not isinstance(raws, list):
            raise unreadable("no balances")
        rows, bad = reading.rows(raws, binance_like.balance)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def open_orders(self) -> Page[OrderRow]:
        raws = self._client.records("spot_private_get_openorders")
        rows, bad = reading.rows(raws, mapping.order)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def order(self, symbol: str, order_id: str) -> OrderRow:
        raw = self._client.record("spot_private_get_order", {"symbol": symbol, "orderId": order_id})
        rows, bad = reading.rows([raw], mapping.order)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        return rows[0]

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        return self._fills(symbol, position, Span.reaching(walks.FILLS_REACH, now=self._client.now()))

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """Pages of all fills executed in [since, until): finds what came too late for `fills`."""
        reach = Span.reaching(walks.FILLS_REACH, now=self._client.now(), until=ceil_ms(until))
        span, position = Span(max(clock.to_ms(since), reach.floor), reach.until), ""
        while span.floor < span.until:
            page = self._fills(symbol, position, span)
            yield page
            if not page.has_more:
                return
            position = page.next_position

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        span = Span.reaching(walks.ORDERS_REACH, now=self._client.now())

        def ask(window: Window) -> list[Any]:
            return self._client.records(
                "spot_private_get_allorders", {"symbol": symbol, "limit": walks.ORDERS.page, **window.query}
            )

        return _page(walks.ORDERS, position, span, ask, mapping.order)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        span = Span.reaching(walks.TRANSFERS_REACH, now=self._client.now(), until=ceil_ms(until))
        endpoint, read = _TRANSFERS[kind]

        def ask(window: Window) -> list[Any]:
            return self._client.records(endpoint, {"limit": walks.TRANSFERS.page, **window.query})

        return _page(walks.TRANSFERS, position, span, ask, read)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        return symbols.traded(assets, known, self._listings)

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        return symbols.rest(known, self._listings)

    def close(self) -> None:
        self._client.close()

    def _fills(self, symbol: str, position: str, span: Span) -> Page[FillRow]:
        def ask(window: Window) -> list[Any]:
            raws = self._trades(symbol, window)
            if walks.FILLS.is_full(len(raws)) and window.length == 1:
                raws += self._trades_by_order(symbol, window, raws)
            return raws

        return _page(walks.FILLS, position, span, ask, self._fill)

    def _trades(self, symbol: str, window: Window, **asked: str) -> list[Any]:
        query = {"symbol": symbol, "limit": walks.FILLS.page, **window.query, **asked}
        return self._client.records("spot_private_get_mytrades", query)

    def _trades_by_order(self, symbol: str, window: Window, raws: list[Any]) -> list[Any]:
        """A millisecond cannot be halved, but it can be asked for by each of the orders seen in it."""
        seen = {raw.get("orderId") for raw in raws if isinstance(raw, Mapping)}
        orders = sorted(order for order in seen if isinstance(order, str))
        return [raw for order in orders for raw in self._trades(symbol, window, orderId=order)]

    def _fill(self, raw: Raw) -> FillRow:
        return mapping.fill(raw, lambda symbol: symbols.assets(symbol, self._listings))


def _page(
    walk: WindowWalk,
    position: str,
    span: Span,
    ask: Callable[[Window], list[Any]],
    read: Callable[[Raw], R | None],
) -> Page[R]:
    """The window a position names, its rows, and where to go on."""
    floor, window = clock.from_ms(span.floor), walk.at(position, span)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    raws = ask(window)
    rows, bad = reading.rows(raws, read)
    if walk.is_full(len(raws)) and window.length == 1:
        words = f"{walk.page} or more rows in this millisecond: the exchange may not have told all of them"
        bad = (*bad, BadRow({"time": window.start}, words))
    onward, has_more = walk.after(window, len(raws), span)
    told = clock.from_ms(window.start if walk.is_full(len(raws)) else window.end)
    return Page(rows, bad, onward, has_more, raw_count=len(raws), floor=floor, covered_to=told)
