"""A Binance account: its spot wallet, and the way to its USD-M futures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, Final

from core import clock
from core.money import InvalidAmount
from exchanges import binance_like, reading
from exchanges.base import Contracts, Derivatives, Listings
from exchanges.binance import by_id, mapping, market, outside
from exchanges.binance import listings as symbols
from exchanges.binance.derivatives import BinanceDerivatives, find_wallet
from exchanges.binance.walks import PAGE, Window, next_id
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    ConversionRow,
    FillRow,
    OrderRow,
    Page,
    Raw,
    TransferKind,
    TransferRow,
)
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import ceil_ms

DAY_MS: Final = clock.DAY // timedelta(milliseconds=1)
_SHORT_MS: Final = 7 * DAY_MS
_TRANSFERS: Final = {
    TransferKind.DEPOSIT: ("sapi_get_capital_deposit_hisrec", mapping.deposit),
    TransferKind.WITHDRAWAL: ("sapi_get_capital_withdraw_history", mapping.withdrawal),
}
_DIVIDENDS: Final = (TransferKind.AIRDROP,)  # interest is told with it
_OF_FUTURES: Final = (TransferKind.INTERNAL, TransferKind.REBATE, TransferKind.CHARGE)
_NOTHING: Final[Page[BalanceRow]] = Page((), (), "", has_more=False, raw_count=0)


class BinanceAccount:
    """Implements `exchanges.base.Account`. `listings` and `contracts` save asking for them where the caller
    knows them."""

    def __init__(
        self, client: CcxtClient, listings: Listings | None = None, contracts: Contracts | None = None
    ) -> None:
        self._client = client
        self._given = listings
        self._contracts = contracts

    @property
    def clock_offset(self) -> timedelta:
        """How far Binance's clock is ahead of ours; zero until it refused ours."""
        return self._client.clock_offset

    @property
    def used_weight(self) -> int | None:
        """Weight this address used in the running minute, as the last answer told."""
        return self._client.used_weight

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        """What moved between wallets, rebates and charges are those of futures."""
        own = (*_TRANSFERS, *_DIVIDENDS)
        return (*own, *_OF_FUTURES) if self._futures else own

    @property
    def derivatives(self) -> Derivatives | None:
        """None where the key may not see a futures wallet; the first look asks for it."""
        return self._futures

    @cached_property
    def _futures(self) -> BinanceDerivatives | None:
        wallet = find_wallet(self._client)
        return None if wallet is None else BinanceDerivatives(self._client, wallet, self._contracts)

    @cached_property
    def _listings(self) -> Listings:
        if self._given is not None:
            return self._given
        page = market.listings(self._client)
        return {row.symbol: (row.base_asset, row.quote_asset) for row in page.rows}

    def info(self) -> AccountInfo:
        account = self._client.record("private_get_account", {"omitZeroBalances": "true"})
        restrictions = self._client.record("sapi_get_account_apirestrictions")
        try:
            return mapping.account_info(account, restrictions, sees_contracts=self._futures is not None)
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = self._client.record("private_get_account", {"omitZeroBalances": "true"}).get("balances")
        if not isinstance(raws, list):
            raise unreadable("no balances")
        rows, bad = reading.rows(raws, binance_like.balance)
        held = self._futures.balances() if self._futures else _NOTHING
        count = len(raws) + held.raw_count
        return Page((*rows, *held.rows), (*bad, *held.bad), "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        return _open(self._client.records("private_get_openorders"))

    def open_orders_of(self, symbols: Sequence[str]) -> Page[OrderRow]:
        asked = [self._client.records("private_get_openorders", {"symbol": symbol}) for symbol in symbols]
        return _open([raw for raws in asked for raw in raws])

    def order(self, symbol: str, order_id: str) -> OrderRow:
        raw = self._client.record("private_get_order", {"symbol": symbol, "orderId": order_id})
        rows, bad = reading.rows([raw], mapping.order)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        return rows[0]

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        start = int(position or 0)
        return self._fill_page(self._trades(symbol, fromId=start), start)

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """Pages of all fills executed in [since, until): finds what came too late for `fills`. A short span is asked by
        time, a long one by id."""
        start, end = clock.to_ms(since), ceil_ms(until)
        if end - start > _SHORT_MS:
            for page in self._fills_by_id(symbol, start, end):
                within = tuple(row for row in page.rows if since <= row.executed_at < until)
                yield replace(page, rows=within)
            return
        while start < end:
            window_end = min(start + DAY_MS, end)
            yield from self._fills_within(symbol, start, window_end)
            start = window_end

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        start = int(position or 1)
        raws = self._client.records(
            "private_get_allorders", {"symbol": symbol, "orderId": start, "limit": PAGE}
        )
        rows, bad = reading.rows(raws, mapping.order)
        onward = str(next_id(raws, "orderId", start))
        return Page(rows, bad, onward, has_more=len(raws) >= PAGE, raw_count=len(raws))

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if kind in _DIVIDENDS:
            return outside.dividends(self._client, position, until)
        if kind not in _TRANSFERS:
            if self._futures is None:
                raise ExchangeError(ErrorKind.PERMISSION, "The key may not see futures.", code="-2015")
            return self._futures.transfers(kind, position, until)
        window = Window.at(position, until)
        if window.start >= window.end:
            return Page((), (), position, has_more=False, raw_count=0)
        endpoint, read = _TRANSFERS[kind]
        raws = self._client.records(
            endpoint,
            {"startTime": window.start, "endTime": window.end - 1, "offset": window.offset, "limit": PAGE},
        )
        rows, bad = reading.rows(raws, read)
        onward, has_more = window.after(len(raws), until)
        return Page(rows, bad, onward, has_more, raw_count=len(raws))

    @property
    def has_conversions(self) -> bool:
        return True

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return outside.conversions(self._client, position, until)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        return symbols.traded(assets, known, self._listings)

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        return symbols.rest(known, self._listings)

    def close(self) -> None:
        self._client.close()

    def _trades(self, symbol: str, **asked: int) -> list[Any]:
        return self._client.records("private_get_mytrades", {"symbol": symbol, "limit": PAGE, **asked})

    def _fill_page(self, raws: list[Any], start: int) -> Page[FillRow]:
        rows, bad = reading.rows(raws, self._fill)
        return Page(
            rows, bad, str(next_id(raws, "id", start)), has_more=len(raws) >= PAGE, raw_count=len(raws)
        )

    @cached_property
    def _assets(self) -> mapping.Assets:
        return cache(partial(symbols.assets, listings=self._listings))

    def _fill(self, raw: Raw) -> FillRow:
        return mapping.fill(raw, self._assets)

    def _fills_by_id(self, symbol: str, start: int, end: int) -> Iterator[Page[FillRow]]:
        """With what its pages have of before and after."""

        def ask(position: int) -> list[Any]:
            return self._trades(symbol, fromId=position)

        position, raws = by_id.begin(ask, partial(self._trades, symbol), start)
        while not by_id.is_beyond(raws, end):
            page = self._fill_page(raws, position)
            yield page
            if not page.has_more:
                return
            position = int(page.next_position)
            raws = ask(position)

    def _fills_within(self, symbol: str, start: int, end: int) -> Iterator[Page[FillRow]]:
        """A window too full for one answer is halved; a single millisecond too full is walked by id."""
        raws = self._trades(symbol, startTime=start, endTime=end - 1)
        if len(raws) < PAGE:
            yield self._fill_page(raws, 0)
        elif end - start > 1:
            middle = (start + end) // 2
            yield from self._fills_within(symbol, start, middle)
            yield from self._fills_within(symbol, middle, end)
        else:
            yield from self._fills_at(raws, symbol, start)

    def _fills_at(self, raws: list[Any], symbol: str, at: int) -> Iterator[Page[FillRow]]:
        """All fills of one millisecond, begun with a full page of them; the last page may reach beyond it."""
        start = 0
        while True:
            page = self._fill_page(raws, start)
            yield page
            if not page.has_more or not any(
                isinstance(raw, Mapping) and raw.get("time") == at for raw in raws
            ):
                return
            start = int(page.next_position)
            raws = self._trades(symbol, fromId=start)


def _open(raws: list[Any]) -> Page[OrderRow]:
    rows, bad = reading.rows(raws, mapping.order)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))
