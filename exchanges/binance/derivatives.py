"""USD-M futures of a Binance account. Walks are by time: windows that fill an answer are halved."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeVar

from core import clock
from exchanges import reading
from exchanges.base import Contracts
from exchanges.binance import contracts, market, movements
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import (
    BalanceRow,
    Contract,
    FillRow,
    FundingRow,
    OrderRow,
    Page,
    PositionRow,
    Raw,
    TransferKind,
    TransferRow,
)
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import MILLISECOND, Span, Window, WindowWalk, ceil_ms, covered_to

PAGE: Final = 1_000
MOVES_PAGE: Final = 100
_MOST_PAGES: Final = 100  # of one window
TRADES_REACH: Final = timedelta(days=180)  # six months
ORDERS_REACH: Final = timedelta(days=90)
INCOME_REACH: Final = timedelta(days=89)  # three months
MOVES_REACH: Final = timedelta(days=180)
RECENT: Final = timedelta(days=7)
_HOUR_MS: Final = 3_600_000
_BEFORE_FILL: Final = timedelta(
    minutes=1
)  # an order of the exchange itself is this much older than its fills
# A window of fills leaves room for the one a little longer that looks for their orders.
TRADES: Final = WindowWalk(page=PAGE, longest=clock.DAY * 7 - _BEFORE_FILL, overlap=timedelta(hours=1))
ORDERS: Final = WindowWalk(page=PAGE, longest=clock.DAY * 7, overlap=timedelta(hours=1))
INCOME: Final = WindowWalk(page=PAGE, longest=clock.DAY * 30, overlap=clock.DAY)
FEES: Final = WindowWalk(page=PAGE, longest=INCOME_REACH, overlap=clock.DAY)
MOVES: Final = WindowWalk(page=MOVES_PAGE * _MOST_PAGES, longest=clock.DAY * 30, overlap=clock.DAY)
# What a key without the right to futures, or an account that never opened them, is answered.
_CLOSED: Final = ("-2015", "-1109")
_T = TypeVar("_T")


def find_wallet(client: CcxtClient) -> Raw | None:
    """The futures wallet as it stands; None where this key may not see one. Other refusals are raised."""
    try:
        return client.record("fapiprivatev3_get_account")
    except ExchangeError as error:
        if error.code in _CLOSED or (error.code.startswith("-4") and len(error.code) == len("-4000")):
            return None
        raise


class BinanceDerivatives:
    """Implements `exchanges.base.Derivatives`: scopes of trading are symbols, the ledger is one."""

    def __init__(self, client: CcxtClient, wallet: Raw, known: Contracts | None = None) -> None:
        """`wallet` as just found; `known` contracts save asking for them."""
        self._client = client
        self._changed_at = _changed_at(wallet)
        self._given = known

    def balances(self) -> Page[BalanceRow]:
        raws = self._client.record("fapiprivatev3_get_account").get("assets")
        if not isinstance(raws, list):
            raise unreadable("no assets")
        return _whole(raws, contracts.balance)

    def positions(self) -> Page[PositionRow]:
        raws = self._client.records("fapiprivatev3_get_positionrisk")
        configs: Mapping[str, Raw] = {}
        if any(isinstance(raw, dict) and "marginType" not in raw for raw in raws):
            told = self._client.records("fapiprivate_get_symbolconfig")
            configs = {str(raw.get("symbol")): raw for raw in told if isinstance(raw, dict)}
        return _whole(raws, lambda raw: contracts.position(raw, self._terms, configs))

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and conditional orders that wait."""
        return self._open([{}])

    def open_orders_of(self, symbols: Sequence[str]) -> Page[OrderRow]:
        return self._open([{"symbol": symbol} for symbol in symbols])

    def _open(self, asked: Sequence[Mapping[str, str]]) -> Page[OrderRow]:
        def read(endpoint: str) -> list[Any]:
            return [raw for each in asked for raw in self._client.records(endpoint, each)]

        placed = _whole(read("fapiprivate_get_openorders"), contracts.order)
        waiting = _whole(read("fapiprivate_get_openalgoorders"), contracts.conditional_order)
        return _joined("", False, placed, waiting)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        read: Callable[[Raw], OrderRow]
        if order_id.startswith(contracts.PREFIX):
            asked: dict[str, str] = {"algoId": order_id.removeprefix(contracts.PREFIX)}
            endpoint, read = "fapiprivate_get_algoorder", contracts.conditional_order
        else:
            asked = {"symbol": symbol, "orderId": order_id}
            endpoint, read = "fapiprivate_get_order", contracts.order
        rows, bad = reading.rows([self._client.record(endpoint, asked)], read)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        return rows[0]

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """The contracts known, and those a fee was paid for in the last three months.

        A wallet that did not change traded nothing. Of very many fees, once some contracts are known, only the last
        days and one earlier day in turn are read: another every hour.
        """
        since = RECENT if known else INCOME_REACH
        if self._changed_at < clock.to_ms(self._client.now() - since):
            return sorted(known)
        found = self._all_traded if not known else self._lately_traded
        return sorted({*known, *found})

    def ledger_scopes(self) -> list[str]:
        return [""]

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        return self._fills(scope, position, Span.reaching(TRADES_REACH, now=self._client.now()))

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        reach = clock.to_ms(self._client.now() - TRADES_REACH)
        span = Span(max(clock.to_ms(since), reach), ceil_ms(until))
        position, has_more = "", span.floor < span.until
        while has_more:
            page = self._fills(scope, position, span)
            position, has_more = page.next_position, page.has_more
            yield replace(page, floor=None)  # it begins where it was asked to

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        """Orders and conditional orders by the moment they were placed; open ones are read as a list, too."""
        span = Span.reaching(ORDERS_REACH, now=self._client.now())
        window = ORDERS.at(position, span)
        if window.length <= 0:
            return _nothing(position, span)
        asked = {"symbol": scope, "limit": PAGE, **window.query}
        placed = self._client.records("fapiprivate_get_allorders", asked)
        waited = self._client.records("fapiprivate_get_allalgoorders", asked)
        onward, has_more = ORDERS.after(window, max(len(placed), len(waited)), span)
        pages = _whole(placed, contracts.order), _whole(waited, contracts.conditional_order)
        return _joined(onward, has_more, *pages, floor=clock.from_ms(span.floor))

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        return self._income((movements.FUNDING,), movements.funding, position, until)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        """Rebates and charges from the income history; between wallets by each type there is."""
        if kind is not TransferKind.INTERNAL:
            return self._income(movements.INCOMES[kind], movements.income, position, until)
        span = Span.reaching(MOVES_REACH, now=self._client.now(), until=ceil_ms(until))
        window = MOVES.at(position, span)
        if window.length <= 0:
            return _nothing(position, span)
        raws = [raw for each in movements.TYPES for raw in self._moved(each, window)]
        onward, has_more = MOVES.after(window, 0, span)
        return _joined(onward, has_more, _whole(raws, movements.internal), floor=clock.from_ms(span.floor))

    @cached_property
    def _known(self) -> Mapping[str, Contract]:
        if self._given:
            return self._given
        return {row.symbol: row.contract for row in market.contracts(self._client).rows if row.contract}

    def _terms(self, symbol: str) -> Contract:
        return contracts.terms_of(symbol, self._known)

    @cached_property
    def _all_traded(self) -> frozenset[str]:
        """Contracts of all fees there are."""
        found: set[str] = set()
        span = Span.reaching(INCOME_REACH, now=self._client.now())
        position, has_more = "", True
        while has_more:
            window = FEES.at(position, span)
            traded, count = self._paid_for(window)
            found |= traded
            position, has_more = FEES.after(window, count, span)
        return frozenset(found)

    @cached_property
    def _lately_traded(self) -> frozenset[str]:
        span = Span.reaching(INCOME_REACH, now=self._client.now())
        found, count = self._paid_for(Window(span.floor, span.until))
        if not FEES.is_full(count):
            return found
        hour, day = span.until // _HOUR_MS, 24 * _HOUR_MS
        turn = span.floor + hour % INCOME_REACH.days * day
        for window in (
            Window(span.until - RECENT // MILLISECOND, span.until),
            Window(span.until - day, span.until),
            Window(span.until - _HOUR_MS, span.until),
            Window(turn, turn + day),
        ):
            found |= self._paid_for(window)[0]
        return found

    def _paid_for(self, window: Window) -> tuple[frozenset[str], int]:
        """(contracts, rows) of an answer with fees."""
        raws = self._client.records("fapiprivate_get_income", _asked(movements.FEES, window))
        symbols = {str(raw["symbol"]) for raw in raws if isinstance(raw, dict) and raw.get("symbol")}
        return frozenset(symbols), len(raws)

    def _fills(self, scope: str, position: str, span: Span) -> Page[FillRow]:
        window = TRADES.at(position, span)
        if window.length <= 0:
            return _nothing(position, span)
        raws = self._trades(scope, **window.query)
        onward, has_more = TRADES.after(window, len(raws), span)
        if TRADES.is_full(len(raws)) and window.length == 1:
            raws = self._all_at(scope, window.start, raws)
        closed = self._liquidations(scope, window, raws)
        page = _whole(raws, lambda raw: contracts.fill(raw, self._terms, closed))
        return _joined(onward, has_more, page, floor=clock.from_ms(span.floor))

    def _trades(self, scope: str, **asked: int) -> list[Any]:
        return self._client.records("fapiprivate_get_usertrades", {"symbol": scope, "limit": PAGE, **asked})

    def _all_at(self, scope: str, at: int, raws: list[Any]) -> list[Any]:
        """A single millisecond too full for one answer goes on by id; what lies after it does no harm."""
        found, page = raws, raws
        while len(page) >= PAGE and any(isinstance(raw, dict) and raw.get("time") == at for raw in page):
            last = max(reading.whole(raw.get("id"), below=2**63, default=-1) for raw in page)
            page = self._trades(scope, fromId=last + 1)
            found = [*found, *page]
        return found

    def _liquidations(self, scope: str, window: Window, raws: list[Any]) -> frozenset[str]:
        """Ids of the orders the exchange placed itself, asked for where a fill may come from one: it takes, at a
        loss."""
        if not any(_may_be_forced(raw) for raw in raws):
            return frozenset()
        start = window.start - _BEFORE_FILL // MILLISECOND
        asked = {"symbol": scope, "startTime": start, "endTime": window.end - 1, "limit": 100}
        told = self._client.records("fapiprivate_get_forceorders", asked)
        return frozenset(str(raw["orderId"]) for raw in told if contracts.is_liquidation(raw))

    def _income(
        self, kinds: Sequence[str], read: Callable[[Raw], _T | None], position: str, until: datetime
    ) -> Page[_T]:
        """One window of several types of income."""
        span = Span.reaching(INCOME_REACH, now=self._client.now(), until=ceil_ms(until))
        window = INCOME.at(position, span)
        if window.length <= 0:
            return _nothing(position, span)
        pages = [self._client.records("fapiprivate_get_income", _asked(kind, window)) for kind in kinds]
        onward, has_more = INCOME.after(window, max(len(page) for page in pages), span)
        raws = [raw for page in pages for raw in page]
        return _joined(onward, has_more, _whole(raws, read), floor=clock.from_ms(span.floor))

    def _moved(self, kind: str, window: Window) -> list[Any]:
        """All transfers of one type in a window whose end stands still."""
        found: list[Any] = []
        for number in range(1, _MOST_PAGES + 1):
            asked = {"type": kind, "current": number, "size": MOVES_PAGE, **window.query}
            raws = self._client.record("sapi_get_asset_transfer", asked).get("rows")
            found += raws if isinstance(raws, list) else []
            if not isinstance(raws, list) or len(raws) < MOVES_PAGE:
                return found
        raise unreadable("transfers without an end")


def _changed_at(wallet: Raw) -> int:
    """When the wallet changed last, in milliseconds; 0 for never."""
    assets = wallet.get("assets")
    moments = [
        reading.whole(raw.get("updateTime"), below=reading.LATEST_MS, default=0)
        for raw in (assets if isinstance(assets, list) else ())
        if isinstance(raw, dict)
    ]
    return max(moments, default=0)


def _asked(kind: str, window: Window) -> dict[str, Any]:
    return {"incomeType": kind, "limit": PAGE, **window.query}


def _may_be_forced(raw: object) -> bool:
    return (
        isinstance(raw, dict)
        and raw.get("maker") is False
        and str(raw.get("realizedPnl", "")).startswith("-")
    )


def _whole(raws: list[Any], read: Callable[[Raw], _T | None]) -> Page[_T]:
    rows, bad = reading.rows(raws, read)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def _nothing(position: str, span: Span) -> Page[Any]:
    return Page((), (), position, has_more=False, raw_count=0, floor=clock.from_ms(span.floor))


def _joined(onward: str, has_more: bool, *pages: Page[_T], floor: datetime | None = None) -> Page[_T]:
    return Page(
        tuple(row for page in pages for row in page.rows),
        tuple(bad for page in pages for bad in page.bad),
        onward,
        has_more,
        raw_count=sum(page.raw_count for page in pages),
        floor=floor,
        covered_to=covered_to(onward) if floor else None,
    )
