"""The contracts of a Gate.io account: a wallet, ledger and history for each settle asset."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from core import clock
from core.money import InvalidAmount
from exchanges import reading
from exchanges.base import Contracts
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio import book, contracts, market, triggers, walks
from exchanges.gateio.walks import (
    LATE_FILLS_MS,
    LATE_TRANSFERS_MS,
    LEDGER_REACH,
    MOST_ROWS,
    SECOND_MS,
    SLACK_MS,
    TRADES_PAGE,
    Round,
    Window,
)
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BadRow,
    BalanceRow,
    Contract,
    FillRow,
    FundingRow,
    OrderRow,
    Page,
    PositionRow,
    Raw,
    TransferRow,
)
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import Leafing, is_resumed

LIST_PAGE: Final = 100
_NO_WALLET: Final = "USER_NOT_FOUND"  # nothing was ever moved there
_R = TypeVar("_R")
Wallets = Mapping[str, Raw]  # by settle asset as the wire spells it


def find_wallets(client: CcxtClient) -> Wallets | None:
    """The futures wallets there are; None where the key has no right to see them."""
    found: dict[str, Raw] = {}
    for settle in contracts.SETTLES:
        try:
            found[settle] = client.record("private_futures_get_settle_accounts", {"settle": settle})
        except ExchangeError as error:
            if error.kind is ErrorKind.PERMISSION:
                return None
            if error.code != _NO_WALLET:
                raise
    return found


class GateioDerivatives:
    """Implements `exchanges.base.Derivatives`; its scopes are settle assets. `wallets` as just told, at least one."""

    def __init__(self, client: CcxtClient, wallets: Wallets, known: Contracts | None = None) -> None:
        self._client = client
        self._settles = list(wallets)
        self._is_dual = {settle: raw.get("in_dual_mode") is True for settle, raw in wallets.items()}
        self._known = known
        self._terms: dict[str, Contract] = {}

    def balances(self) -> Page[BalanceRow]:
        raws = [
            self._client.record("private_futures_get_settle_accounts", {"settle": each})
            for each in self._settles
        ]
        rows, bad = reading.rows(raws, contracts.balance)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def positions(self) -> Page[PositionRow]:
        raws = [
            raw
            for settle in self._settles
            for raw in self._all("private_futures_get_settle_positions", settle, holding="true")
        ]
        rows, bad = reading.rows(raws, partial(contracts.position, terms=self._term))
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and price-triggered orders that wait."""
        rows, bad, count = list[OrderRow](), list[Any](), 0
        for settle in self._settles:
            for endpoint, read in (
                ("private_futures_get_settle_orders", contracts.order),
                ("private_futures_get_settle_price_orders", triggers.contract_order),
            ):
                raws = self._all(endpoint, settle, status="open")
                good, worse = reading.rows(
                    raws, partial(read, terms=self._term, is_dual=self._is_dual[settle])
                )
                rows, bad, count = [*rows, *good], [*bad, *worse], count + len(raws)
        return Page(tuple(rows), tuple(bad), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        settle = self._term_or_raise(symbol).settle_asset.lower()
        read: Callable[..., OrderRow] = contracts.order
        endpoint, wire_id = "private_futures_get_settle_orders_order_id", order_id
        if order_id.startswith(triggers.PREFIX):
            endpoint, read = "private_futures_get_settle_price_orders_order_id", triggers.contract_order
            wire_id = order_id.removeprefix(triggers.PREFIX)
        raw = self._client.record(endpoint, {"settle": settle, "order_id": wire_id})
        is_dual = self._is_dual.get(settle, False)
        rows, bad = reading.rows([raw], partial(read, terms=self._term, is_dual=is_dual))
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        return rows[0]

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """Settle assets, whatever was traded: no contract need be named."""
        return list(self._settles)

    def ledger_scopes(self) -> list[str]:
        return list(self._settles)

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        until = self._client.now()
        window = Window.at(position or _beginning(), until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        return self._fills(scope, window, until)

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """Pages of all fills executed in [since, until): finds what came too late for `fills`."""
        position, has_more = str(clock.to_ms(since)), since < until
        while has_more:
            page = self._fills(scope, Window.at(position, until), until, since)
            position, has_more = page.next_position, page.has_more
            yield page

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        """Those of any state, after price-triggered ones that ended, whose list has no times. Every later walk looks
        at the newest of these again. Whether orders go by their beginning or their end is not documented."""
        leaf = Leafing.at(position)
        if leaf is not None:
            raws = self._triggered(scope, leaf.page * LIST_PAGE)
            rows, bad = self._triggers(scope, raws)
            onward = leaf.after(len(raws), limit=LIST_PAGE, lists=1, start=_beginning())
            return Page(rows, bad, onward, has_more=True, raw_count=len(raws))
        page = self._orders(scope, position)
        if is_resumed(position):
            return page
        rows, bad = self._triggers(scope, self._triggered(scope, 0))
        return replace(page, rows=(*page.rows, *rows), bad=(*page.bad, *bad))

    def _orders(self, scope: str, position: str) -> Page[OrderRow]:
        until = self._client.now()
        window = Window.at(position, until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        raws = self._rows("private_futures_get_settle_orders_timerange", scope, window)
        read = partial(contracts.order, terms=self._term, is_dual=self._is_dual.get(scope, False))
        return _page(raws, read, window, until, late_ms=LATE_FILLS_MS, slack_ms=SLACK_MS)

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        page = self._ledger(scope, book.FUNDING, position, until, partial(book.funding, settle=scope))
        return _before(page, tuple(row for row in page.rows if row.paid_at < until))

    def rebates(self, position: str, until: datetime) -> Page[TransferRow]:
        """Of all wallets, one after the other."""
        turn = Round.starting(position, self._settles)
        read = partial(book.rebate, settle=turn.at)
        page = self._ledger(turn.at, book.REBATES, turn.place, until, read)
        onward, has_more = turn.onward(page.next_position, has_more=page.has_more)
        rows = tuple(row for row in page.rows if row.occurred_at < until)
        return Page(rows, page.bad, onward, has_more, page.raw_count, page.floor)

    def _fills(
        self, scope: str, window: Window, until: datetime, since: datetime | None = None
    ) -> Page[FillRow]:
        raws = self._rows("private_futures_get_settle_my_trades_timerange", scope, window)
        read = partial(
            contracts.fill,
            terms=self._term,
            realized=self._realized(scope, raws),
            is_dual=self._is_dual.get(scope, False),
        )
        if since is None:
            return _page(raws, read, window, until, late_ms=LATE_FILLS_MS, slack_ms=SLACK_MS)
        page = _page(raws, read, window, until)
        return _before(page, tuple(row for row in page.rows if since <= row.executed_at < until))

    def _realized(self, settle: str, raws: list[Any]) -> dict[str, Decimal]:
        """What the fills of a page realised, from the ledger of their time."""
        times: list[int] = []

        def add(raw: Raw) -> None:
            if contracts.is_closing(raw):
                times.append(clock.to_ms(contracts.moment(raw, "create_time")))

        reading.rows(raws, add)
        if not times:
            return {}
        asked = {"settle": settle, "type": book.PNL, "limit": TRADES_PAGE}
        asked |= {"from": min(times) // SECOND_MS - 1, "to": max(times) // SECOND_MS + 1}
        found: list[object] = []
        for offset in range(0, MOST_ROWS, TRADES_PAGE):
            rows = self._client.records(
                "private_futures_get_settle_account_book", {**asked, "offset": offset}
            )
            found += rows
            if len(rows) < TRADES_PAGE:
                return book.profits(found)
        raise unreadable("a ledger without an end")

    def _ledger(
        self, settle: str, kind: str, position: str, until: datetime, read: Callable[[Raw], _R | None]
    ) -> Page[_R]:
        """A page of the ledger; where it reaches back no further, the walk goes on at its floor and tells it."""
        window = Window.at(position or _beginning(), until)
        if window.is_empty:
            return Page((), (), position, has_more=False, raw_count=0)
        floor = self._client.now() - LEDGER_REACH
        try:
            raws = self._rows("private_futures_get_settle_account_book", settle, window, type=kind)
        except ExchangeError as error:
            if error.kind is not ErrorKind.BUG or window.start >= clock.to_ms(floor):
                raise
            onward = str(clock.to_ms(floor))
            return Page((), (), onward, has_more=True, raw_count=0, floor=floor)
        return _page(raws, read, window, until, late_ms=LATE_TRANSFERS_MS)

    def _rows(self, endpoint: str, settle: str, window: Window, **more: str) -> list[Any]:
        return self._client.records(endpoint, {"settle": settle, **more, **window.by_offset(TRADES_PAGE)})

    def _triggered(self, settle: str, offset: int) -> list[Any]:
        asked = {"settle": settle, "status": "finished", "limit": LIST_PAGE, "offset": offset}
        return self._client.records("private_futures_get_settle_price_orders", asked)

    def _triggers(self, settle: str, raws: list[Any]) -> tuple[tuple[OrderRow, ...], tuple[BadRow, ...]]:
        is_dual = self._is_dual.get(settle, False)
        return reading.rows(raws, partial(triggers.contract_order, terms=self._term, is_dual=is_dual))

    def _all(self, endpoint: str, settle: str, **more: str) -> list[Any]:
        """Every row of a list that has no times."""
        found: list[Any] = []
        for offset in range(0, MOST_ROWS, LIST_PAGE):
            rows = self._client.records(
                endpoint, {"settle": settle, **more, "limit": LIST_PAGE, "offset": offset}
            )
            found += rows
            if len(rows) < LIST_PAGE:
                return found
        raise unreadable("a list without an end")

    def _term(self, name: str) -> Contract:
        """What a contract is. The size of one that is no longer listed is asked for; it is never guessed."""
        if self._known is None:
            self._known = market.contract_terms(self._client)
        if name in self._known:
            return self._known[name]
        if name not in self._terms:
            self._terms[name] = self._ask_term(name)
        return self._terms[name]

    def _ask_term(self, name: str) -> Contract:
        settle = "btc" if contracts.pair(name)[1] == "USD" else "usdt"
        try:
            raw = self._client.record(
                "public_futures_get_settle_contracts_contract", {"settle": settle, "contract": name}
            )
        except ExchangeError as error:
            if error.kind is not ErrorKind.USER:
                raise
            raise UnreadableRow(f"contract {name!r:.40} is not listed, so its size is unknown") from None
        contract = contracts.listing(raw, settle).contract
        if contract is None:
            raise UnreadableRow(f"contract {name!r:.40} has no size")
        return contract

    def _term_or_raise(self, name: str) -> Contract:
        try:
            return self._term(name)
        except (UnreadableRow, InvalidAmount) as error:
            raise ExchangeError(ErrorKind.USER, str(error)[:200], code="contract") from None


def _beginning() -> str:
    return str(clock.to_ms(walks.CONTRACTS_OPENED))


def _page(
    raws: list[Any],
    read: Callable[[Raw], _R | None],
    window: Window,
    until: datetime,
    *,
    late_ms: int = 0,
    slack_ms: int = 0,
) -> Page[_R]:
    rows, bad = reading.rows(raws, read)
    onward, has_more = window.after(len(raws), TRADES_PAGE, until, late_ms=late_ms, slack_ms=slack_ms)
    return Page(rows, bad, onward, has_more, raw_count=len(raws))


def _before(page: Page[_R], rows: tuple[_R, ...]) -> Page[_R]:
    """The page with those of its rows that were asked for."""
    return Page(rows, page.bad, page.next_position, page.has_more, page.raw_count, page.floor)
