"""A MEXC account: its spot wallet, and the way to its contracts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, Final

from core import clock
from core.money import InvalidAmount
from exchanges import binance_like, plain, reading
from exchanges.base import Derivatives, Listings, Markets
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import dust, mapping, market, movements, walks
from exchanges.mexc import listings as symbols
from exchanges.mexc.futures import MexcDerivatives, may_see_contracts
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
from exchanges.windows import Span, Window, ceil_ms

_SYMBOL_WANTED: Final = "700004"  # a mandatory parameter is missing
_NAMED_AT_ONCE: Final = 5
NOTHING: Final[Page[BalanceRow]] = Page((), (), "", has_more=False, raw_count=0)
_TRANSFERS: Final = {
    TransferKind.DEPOSIT: ("spot_private_get_capital_deposit_hisrec", mapping.deposit),
    TransferKind.WITHDRAWAL: ("spot_private_get_capital_withdraw_history", mapping.withdrawal),
}


class MexcAccount:
    """Implements `exchanges.base.Account`. `markets` saves asking for them where the caller knows them."""

    def __init__(self, client: CcxtClient, markets: Markets | None = None) -> None:
        self._client = client
        self._given = markets

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
            return self._given.spot
        page = market.listings(self._client)
        return {row.symbol: (row.base_asset, row.quote_asset) for row in page.rows}

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        """What moved between spot and contracts is told by the wallet of contracts, or by spot to keys that may not
        see it."""
        own = (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL)
        return (*own, TransferKind.INTERNAL) if self._contracts is not None or self._sees_moves else own

    @property
    def derivatives(self) -> Derivatives | None:
        """None where the key may not see contracts; the first look asks."""
        return self._contracts

    @cached_property
    def _contracts(self) -> MexcDerivatives | None:
        if not may_see_contracts(self._client):
            return None
        return MexcDerivatives(self._client, self._given.contracts or None if self._given else None)

    @cached_property
    def _sees_moves(self) -> bool:
        return movements.may_see(self._client)

    def info(self) -> AccountInfo:
        account = self._client.record("spot_private_get_account")
        identity = self._client.record("spot_private_get_uid")
        key = self._client.record("spot_private_get_apikeyinfo", {"accessKey": self._client.api_key})
        try:
            return mapping.account_info(account, identity, key, sees_contracts=self._contracts is not None)
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = self._client.record("spot_private_get_account").get("balances")
        if not isinstance(raws, list):
            raise unreadable("no balances")
        rows, bad = reading.rows(raws, binance_like.balance)
        held = self._contracts.balances() if self._contracts is not None else NOTHING
        count = len(raws) + held.raw_count
        return Page((*rows, *held.rows), (*bad, *held.bad), "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        raws = self._open_orders()
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

        return walks.page_of(walks.ORDERS, position, span, ask, mapping.order)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if kind not in _TRANSFERS:
            if self._contracts is None:
                return movements.page(self._client, position, until)
            own = "" if position.startswith(movements.MARK) else position
            return self._contracts.transfers(own, until)
        span = Span.reaching(walks.TRANSFERS_REACH, now=self._client.now(), until=ceil_ms(until))
        endpoint, read = _TRANSFERS[kind]

        def ask(window: Window) -> list[Any]:
            return self._client.records(endpoint, {"limit": walks.TRANSFERS.page, **window.query})

        return walks.page_of(walks.TRANSFERS, position, span, ask, read)

    @property
    def has_conversions(self) -> bool:
        return True

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return dust.conversions(self._client, position, until)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        return symbols.traded(assets, known, self._listings)

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        return symbols.rest(known, self._listings)

    def close(self) -> None:
        self._client.close()

    def _open_orders(self) -> list[Any]:
        """Of all symbols at once, as clients in use ask; where MEXC wants them named, as its documents do, of those
        that may have any."""
        try:
            return self._client.records("spot_private_get_openorders")
        except ExchangeError as error:
            if error.code != _SYMBOL_WANTED:
                raise
        names = self._held_symbols()
        groups = [names[first : first + _NAMED_AT_ONCE] for first in range(0, len(names), _NAMED_AT_ONCE)]
        return [
            raw
            for group in groups
            for raw in self._client.records("spot_private_get_openorders", {"symbol": ",".join(group)})
        ]

    def _held_symbols(self) -> list[str]:
        """An open order locks what it sells: symbols of no locked asset have none."""
        raws = self._client.record("spot_private_get_account").get("balances")
        rows, _ = reading.rows(raws if isinstance(raws, list) else [], binance_like.balance)
        locked = {row.asset for row in rows if row.locked}
        return sorted(symbol for symbol, pair in self._listings.items() if not locked.isdisjoint(pair))

    def _fills(self, symbol: str, position: str, span: Span) -> Page[FillRow]:
        def ask(window: Window) -> list[Any]:
            raws = self._trades(symbol, window)
            if walks.FILLS.is_full(len(raws)) and window.length == 1:
                raws += self._trades_by_order(symbol, window, raws)
            return raws

        return walks.page_of(walks.FILLS, position, span, ask, self._fill)

    def _trades(self, symbol: str, window: Window, **asked: str) -> list[Any]:
        query = {"symbol": symbol, "limit": walks.FILLS.page, **window.query, **asked}
        return self._client.records("spot_private_get_mytrades", query)

    def _trades_by_order(self, symbol: str, window: Window, raws: list[Any]) -> list[Any]:
        """A millisecond cannot be halved, but it can be asked for by each of the orders seen in it."""
        seen = {raw.get("orderId") for raw in raws if isinstance(raw, Mapping)}
        orders = sorted(order for order in seen if isinstance(order, str))
        return [raw for order in orders for raw in self._trades(symbol, window, orderId=order)]

    @cached_property
    def _assets(self) -> mapping.Assets:
        return cache(partial(symbols.assets, listings=self._listings))

    @cached_property
    def _fill(self) -> PageReader[FillRow]:
        whole, single = (
            partial(mapping.fills, assets=self._assets),
            partial(mapping.fill, assets=self._assets),
        )
        return plain.reader(whole, single)
