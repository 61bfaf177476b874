"""A Gate.io account: its spot wallet, and the way to its contracts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, Final, TypeVar

from core import clock
from core.money import InvalidAmount
from exchanges import reading
from exchanges.base import Derivatives, Listings, Markets
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio import listings as symbols
from exchanges.gateio import mapping, market, rights, triggers, walks
from exchanges.gateio.futures import GateioDerivatives, Wallets, find_wallets
from exchanges.gateio.ledgers import Ledger
from exchanges.gateio.spot_ledger import SpotLedger
from exchanges.gateio.walks import LATE_FILLS_MS, LATE_TRANSFERS_MS, PAGE, SLACK_MS, TRADES_PAGE, Window
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
from exchanges.windows import Leafing, is_resumed

RECENT: Final = timedelta(
    days=2
)  # trading since then shows a new symbol at once; before, the daily sweep does
_MOST_PAGES: Final = 100  # of open lists
NOTHING: Final[Page[BalanceRow]] = Page((), (), "", has_more=False, raw_count=0)
_R = TypeVar("_R")
_TRANSFERS: Final = {
    TransferKind.DEPOSIT: ("private_wallet_get_deposits", mapping.deposit),
    TransferKind.WITHDRAWAL: ("private_wallet_get_withdrawals", mapping.withdrawal),
}


class GateioAccount:
    """Implements `exchanges.base.Account`. `markets` saves asking for them where the caller knows them."""

    def __init__(self, client: CcxtClient, markets: Markets | None = None) -> None:
        self._client = client
        self._given = markets
        self._trades = Ledger(client, "private_spot_get_my_trades", TRADES_PAGE)
        self._finished = Ledger(client, "private_spot_get_orders", PAGE, {"status": "finished"})

    @property
    def clock_offset(self) -> timedelta:
        """How far Gate.io's clock is ahead of ours; zero until it refused ours."""
        return self._client.clock_offset

    @property
    def used_weight(self) -> int | None:
        """None: Gate.io counts by endpoint and account, and tells what is left."""
        return self._client.used_weight

    @cached_property
    def _listings(self) -> Listings:
        if self._given is not None:
            return self._given.spot
        page = market.listings(self._client)
        return {row.symbol: (row.base_asset, row.quote_asset) for row in page.rows}

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        """The spot wallet's ledger tells everything else that moved it, by one walk; rebates of contracts stand in
        theirs."""
        own = (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL, TransferKind.INTERNAL)
        return own if self._contracts is None else (*own, TransferKind.REBATE)

    @property
    def derivatives(self) -> Derivatives | None:
        """None where the key has no right to futures, or nothing was ever moved there; the first look asks."""
        return self._contracts

    @cached_property
    def _wallets(self) -> Wallets | None:
        return find_wallets(self._client)

    @cached_property
    def _contracts(self) -> GateioDerivatives | None:
        wallets = self._wallets
        if not wallets:
            return None
        return GateioDerivatives(
            self._client, wallets, self._given.contracts or None if self._given else None
        )

    def info(self) -> AccountInfo:
        refusals: list[ExchangeError] = []
        detail = self._allowed("private_account_get_detail", refusals)
        fees = self._allowed("private_wallet_get_fee", refusals)
        if detail is None and fees is None:
            raise refusals[0]
        try:
            return rights.account_info(
                detail or {}, fees or {}, self._own_key(), sees_contracts=self._wallets is not None
            )
        except (UnreadableRow, InvalidAmount) as error:
            raise unreadable(str(error)) from None

    def balances(self) -> Page[BalanceRow]:
        raws = self._client.records("private_spot_get_accounts")
        rows, bad = reading.rows(raws, mapping.balance)
        held = self._contracts.balances() if self._contracts is not None else NOTHING
        count = len(raws) + held.raw_count
        return Page((*rows, *held.rows), (*bad, *held.bad), "", has_more=False, raw_count=count)

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and price-triggered orders that wait."""
        raws, waiting = self._in_the_book(), self._waiting()
        rows, bad = reading.rows(raws, mapping.order)
        triggered, unread = reading.rows(waiting, triggers.order)
        count = len(raws) + len(waiting)
        return Page((*rows, *triggered), (*bad, *unread), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        read: Callable[[Raw], OrderRow]
        if order_id.startswith(triggers.PREFIX):
            endpoint, read = "private_spot_get_price_orders_order_id", triggers.order
            asked = {"order_id": order_id.removeprefix(triggers.PREFIX)}
        else:
            endpoint, read = "private_spot_get_orders_order_id", mapping.order
            asked = {"order_id": order_id, "currency_pair": symbol}
        rows, bad = reading.rows([self._client.record(endpoint, asked)], read)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        return rows[0]

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        return self._walked(self._trades, symbol, position, partial(self._fill, symbol))

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """Pages of all fills executed in [since, until): finds what came too late for `fills`."""
        position, has_more = str(clock.to_ms(since)), since < until
        while has_more:
            window = Window.at(position, until)
            raws = self._trades.page(symbol, window)
            rows, bad = reading.rows(raws, partial(self._fill, symbol))
            rows = tuple(row for row in rows if since <= row.executed_at < until)
            position, has_more = window.after(len(raws), TRADES_PAGE, until)
            yield Page(rows, bad, position, has_more, raw_count=len(raws))

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        """Orders by the moment they ended, after price-triggered ones, whose list has no times; those still open are
        read as lists. Every later walk looks at the newest triggers again."""
        leaf = Leafing.at(position)
        if leaf is not None:
            raws = self._triggered(leaf.page * PAGE, market=symbol)
            rows, bad = reading.rows(raws, triggers.order)
            onward = leaf.after(len(raws), limit=PAGE, lists=1, start=str(clock.to_ms(walks.OPENED)))
            return Page(rows, bad, onward, has_more=True, raw_count=len(raws))
        page = self._walked(self._finished, symbol, position, mapping.order)
        if is_resumed(position):
            return page
        own = [raw for raw in self._newest_triggers if isinstance(raw, dict) and raw.get("market") == symbol]
        rows, bad = reading.rows(own, triggers.order)
        return replace(page, rows=(*page.rows, *rows), bad=(*page.bad, *bad))

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        if kind is TransferKind.INTERNAL:
            return self._spot_ledger.transfers(position, until)
        if kind not in _TRANSFERS:
            if self._contracts is None:
                raise ExchangeError(
                    ErrorKind.PERMISSION, "There is no wallet of contracts to read.", code="FORBIDDEN"
                )
            return self._contracts.rebates(position, until)
        window = Window.at(position, until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        endpoint, read = _TRANSFERS[kind]
        raws = self._client.records(endpoint, window.by_offset(PAGE))
        rows, bad = reading.rows(raws, read)
        rows = tuple(row for row in rows if row.occurred_at < until)
        onward, has_more = window.after(len(raws), PAGE, until, late_ms=LATE_TRANSFERS_MS)
        return Page(rows, bad, onward, has_more, raw_count=len(raws))

    @property
    def has_conversions(self) -> bool:
        return True

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return self._spot_ledger.conversions(position, until)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        """Exact once a walk from the beginning told every symbol; before, what assets and the last days point at."""
        if self._trades.is_read(self._client.now()):
            return self.sweep_symbols(known)
        lately = self._lately - frozenset(known)
        found = symbols.unmet(assets, known, self._listings)
        return [*sorted(lately), *(symbol for symbol in found if symbol not in lately)]

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        """All symbols ever traded or ordered, also those no longer listed: no other is worth a search."""
        return sorted(self._ever - frozenset(known))

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _spot_ledger(self) -> SpotLedger:
        return SpotLedger(self._client, sees_contracts=self._wallets is not None)

    @cached_property
    def _ever(self) -> frozenset[str]:
        now = self._client.now()
        return self._trades.symbols(now) | self._finished.symbols(now)

    @cached_property
    def _lately(self) -> frozenset[str]:
        until = self._client.now()
        return self._trades.symbols(until, str(clock.to_ms(until - RECENT)))

    def _walked(
        self, ledger: Ledger, symbol: str, position: str, read: Callable[[Raw], _R | None]
    ) -> Page[_R]:
        until = self._client.now()
        window = Window.at(position, until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        raws = ledger.page(symbol, window)
        rows, bad = reading.rows(raws, read)
        onward, has_more = window.after(
            len(raws), ledger.limit, until, late_ms=LATE_FILLS_MS, slack_ms=SLACK_MS
        )
        return Page(rows, bad, onward, has_more, raw_count=len(raws))

    @cached_property
    def _assets(self) -> mapping.Assets:
        return cache(partial(symbols.assets, listings=self._listings))

    def _fill(self, asked: str, raw: Raw) -> FillRow:
        return mapping.fill(raw, self._assets, asked)

    def _in_the_book(self) -> list[Any]:
        """Every pair's open orders, up to 100 of each pair a page."""
        found: list[Any] = []
        for page in range(1, _MOST_PAGES + 1):
            groups = self._client.records("private_spot_get_open_orders", {"page": page, "limit": PAGE})
            lists = [group.get("orders") if isinstance(group, dict) else None for group in groups]
            orders = [each for each in lists if isinstance(each, list)]
            if len(orders) != len(groups):
                raise unreadable("open orders without a list")
            found += [raw for each in orders for raw in each]
            if all(len(each) < PAGE for each in orders):
                return found
        raise unreadable("open orders without an end")

    @cached_property
    def _newest_triggers(self) -> list[Any]:
        """The newest that ended, of all pairs: what was placed and ended since the last look was in no list before."""
        return self._triggered(0)

    def _triggered(self, offset: int, *, status: str = "finished", **asked: str) -> list[Any]:
        query = {**asked, "status": status, "limit": PAGE, "offset": offset}
        return self._client.records("private_spot_get_price_orders", query)

    def _waiting(self) -> list[Any]:
        found: list[Any] = []
        for page in range(_MOST_PAGES):
            raws = self._triggered(page * PAGE, status="open")
            found += raws
            if len(raws) < PAGE:
                return found
        raise unreadable("price-triggered orders without an end")

    def _allowed(self, endpoint: str, refusals: list[ExchangeError]) -> dict[str, Any] | None:
        """An answer, or None where the key lacks the right to it."""
        try:
            return self._client.record(endpoint)
        except ExchangeError as error:
            if error.kind is not ErrorKind.PERMISSION:
                raise
            refusals.append(error)
            return None

    def _own_key(self) -> Raw | None:
        """Our key in the list of keys, which is closed to keys of sub-accounts and to those without the right."""
        try:
            return rights.find(self._client.records("private_account_get_main_keys"), self._client.api_key)
        except ExchangeError as error:
            if error.kind not in (ErrorKind.PERMISSION, ErrorKind.USER, ErrorKind.BUG):
                raise
            return None
