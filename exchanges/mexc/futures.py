"""The contracts of a MEXC account, for reading only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final, TypeVar

from core import clock
from exchanges import reading
from exchanges.base import Contracts
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import conditionals, contracts, market, walks
from exchanges.mexc.envelope import content, item, items
from exchanges.mexc.walks import LEDGER_PAGE, MOST_PAGES, Leaf
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
from exchanges.windows import Leafing, Span, Window, ceil_ms, is_resumed

RECENT: Final = timedelta(days=2)  # positions closed since then show a new contract; open ones are known
# How MEXC refuses a key without contracts, or an account that never opened them.
_CLOSED: Final = ("401", "1000")
_R = TypeVar("_R")
ReadConditional = Callable[..., OrderRow | None]
_PLANS: Final = "contract_private_get_planorder_list_orders"
_STOPS: Final = "contract_private_get_stoporder_list_orders"
# Conditional orders that ended: where they are listed, what is asked, and what stands in a row.
_ENDED: Final[Sequence[tuple[str, Mapping[str, Any], Sequence[ReadConditional]]]] = (
    (_PLANS, {"states": "2,3,4,5"}, (conditionals.plan,)),
    (_STOPS, {"is_finished": 1}, (conditionals.stop, conditionals.take)),
)


def may_see_contracts(client: CcxtClient) -> bool:
    """Whether the key may; a key that is no longer good is told by what it asks of spot."""
    try:
        content(client, "contract_private_get_account_assets")
    except ExchangeError as error:
        if error.kind is ErrorKind.PERMISSION or error.code in _CLOSED:
            return False
        raise
    return True


class MexcDerivatives:
    """Implements `exchanges.base.Derivatives`; what is traded is walked by contract, the ledger as a whole."""

    def __init__(self, client: CcxtClient, known: Contracts | None = None) -> None:
        self._client = client
        self._known = known
        self._terms: dict[str, Contract] = {}

    def balances(self) -> Page[BalanceRow]:
        raws = items(self._client, "contract_private_get_account_assets")
        rows, bad = reading.rows(raws, contracts.balance)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def positions(self) -> Page[PositionRow]:
        raws = items(self._client, "contract_private_get_position_open_positions")
        read = partial(contracts.position, terms=self._term, is_hedged=self._is_hedged)
        rows, bad = reading.rows(raws, read)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book, plan orders and stops that wait."""
        book = self._all("contract_private_get_order_list_open_orders")
        plans = self._all(_PLANS, states="1")
        stops = self._all(_STOPS, is_finished=0)
        rows, bad = list[OrderRow](), list[Any]()
        for raws, read in (
            (book, contracts.order),
            (plans, conditionals.plan),
            (stops, conditionals.stop),
            (stops, conditionals.take),
        ):
            good, worse = reading.rows(raws, partial(read, terms=self._term, is_hedged=self._is_hedged))
            rows, bad = [*rows, *good], [*bad, *worse]
        count = len(book) + len(plans) + len(stops)
        return Page(tuple(rows), tuple(bad), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        """A conditional order is looked for in the list of its contract: no endpoint tells one alone."""
        read: ReadConditional
        if order_id.startswith(conditionals.PLAN):
            read, endpoint = conditionals.plan, _PLANS
        elif order_id.startswith(conditionals.STOP):
            read, endpoint = conditionals.stop, _STOPS
        elif order_id.startswith(conditionals.TAKE):
            read, endpoint = conditionals.take, _STOPS
        else:
            endpoint = "contract_private_get_order_get_order_id"
            return self._read_one(item(self._client, endpoint, {"order_id": order_id}), contracts.order)
        wire_id = order_id.partition("-")[2]
        for raw in self._each(endpoint, symbol=symbol):
            if isinstance(raw, dict) and str(raw.get("id")) == wire_id:
                return self._read_one(raw, read)
        raise ExchangeError(ErrorKind.USER, "This conditional order is not told any more.", code="order")

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """Contracts known, and those of positions opened and closed; at the first look all that are told."""
        since = clock.to_ms(self._client.now() - RECENT) if known else 0
        found = set(known) | walks.names(items(self._client, "contract_private_get_position_open_positions"))
        page: list[Any] = []
        for raw in self._each("contract_private_get_position_list_history_positions"):
            page.append(raw)
            if len(page) == LEDGER_PAGE:
                found |= walks.names(page)
                if max(walks.moment(each, "updateTime") for each in page) < since:
                    return sorted(found)
                page = []
        return sorted(found | walks.names(page))

    def ledger_scopes(self) -> list[str]:
        return [""]

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        return self._fills(scope, position, Span.reaching(walks.DEALS_REACH, now=self._client.now()))

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """Pages of all fills executed in [since, until): finds what came too late for `fills`."""
        reach = Span.reaching(walks.DEALS_REACH, now=self._client.now(), until=ceil_ms(until))
        span, position = Span(max(clock.to_ms(since), reach.floor), reach.until), ""
        while span.floor < span.until:
            page = self._fills(scope, position, span)
            yield page
            if not page.has_more:
                return
            position = page.next_position

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        """By the time of placing, after conditional ones that ended, whose lists go by page; open ones come from their
        lists. Every later walk looks at the newest conditional ones again."""
        span = Span.reaching(walks.DEALS_REACH, now=self._client.now())
        leaf = Leafing.at(position)
        if leaf is not None:
            endpoint, asked, reads = _ENDED[leaf.number]
            raws = self._page(endpoint, leaf.page + 1, symbol=scope, **asked)
            rows, bad = self._conditional(raws, reads)
            onward = leaf.after(len(raws), limit=LEDGER_PAGE, lists=len(_ENDED), start=str(span.floor))
            floor = clock.from_ms(span.floor)
            return Page(rows, bad, onward, True, len(raws), floor=floor, covered_to=floor)
        page = self._orders(scope, position, span)
        if is_resumed(position):
            return page
        for raws, reads in self._newest_ended:
            own = [raw for raw in raws if isinstance(raw, dict) and raw.get("symbol") == scope]
            rows, bad = self._conditional(own, reads)
            page = replace(page, rows=(*page.rows, *rows), bad=(*page.bad, *bad))
        return page

    def _orders(self, scope: str, position: str, span: Span) -> Page[OrderRow]:
        ask = partial(self._window, "contract_private_get_order_list_history_orders", scope)
        read = partial(contracts.order, terms=self._term, is_hedged=self._is_hedged)
        return walks.page_of(walks.DEALS, position, span, ask, read)

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        read = partial(contracts.funding, terms=self._term, is_hedged=self._is_hedged)
        page = self._leaf("contract_private_get_position_funding_records", position, "settleTime", read)
        rows = tuple(row for row in page.rows if row.paid_at < until)
        return Page(rows, page.bad, page.next_position, page.has_more, page.raw_count)

    def transfers(self, position: str, until: datetime) -> Page[TransferRow]:
        """Between spot and contracts."""
        endpoint = "contract_private_get_account_transfer_record"
        page = self._leaf(endpoint, position, "createTime", contracts.internal)
        rows = tuple(row for row in page.rows if row.occurred_at < until)
        return Page(rows, page.bad, page.next_position, page.has_more, page.raw_count)

    @cached_property
    def _is_hedged(self) -> bool:
        """The account's mode now: positions and funding do not tell theirs."""
        mode = content(self._client, "contract_private_get_position_position_mode")
        return str(mode) != contracts.ONE_WAY

    @cached_property
    def _newest_ended(self) -> list[tuple[list[Any], Sequence[ReadConditional]]]:
        """Of all contracts: what was placed and ended since the last look was in no list of open ones."""
        return [(self._page(endpoint, 1, **asked), reads) for endpoint, asked, reads in _ENDED]

    def _conditional(
        self, raws: list[Any], reads: Sequence[ReadConditional]
    ) -> tuple[tuple[OrderRow, ...], tuple[BadRow, ...]]:
        rows, bad = list[OrderRow](), list[BadRow]()
        for read in reads:
            good, worse = reading.rows(raws, partial(read, terms=self._term, is_hedged=self._is_hedged))
            rows += good
            bad += worse
        return tuple(rows), tuple(bad)

    def _fills(self, symbol: str, position: str, span: Span) -> Page[FillRow]:
        ask = partial(self._window, "contract_private_get_order_list_order_deals", symbol)
        read = partial(contracts.fill, terms=self._term, is_hedged=self._is_hedged)
        return walks.page_of(walks.DEALS, position, span, ask, read)

    def _window(self, endpoint: str, symbol: str, window: Window) -> list[Any]:
        """The first page of a window; of one that cannot be halved every page."""
        asked = {"symbol": symbol, "start_time": window.start, "end_time": window.end - 1}
        if window.length > 1:
            return self._page(endpoint, 1, **asked)
        return list(self._each(endpoint, **asked))

    def _leaf(self, endpoint: str, position: str, key: str, read: Callable[[Raw], _R | None]) -> Page[_R]:
        """A page of a ledger, which tells how many there are."""
        leaf = Leaf.at(position)
        told = item(self._client, endpoint, {"page_num": leaf.page, "page_size": LEDGER_PAGE})
        raws, pages = told.get("resultList"), reading.whole(told.get("totalPage"), below=10**9, default=-1)
        if not isinstance(raws, list) or pages < 0 or (not raws and leaf.page <= pages):
            raise unreadable("a page without rows")
        rows, bad = reading.rows(raws, read)
        onward, has_more = leaf.after(raws, key, pages=pages)
        return Page(rows, bad, onward, has_more, raw_count=len(raws))

    def _all(self, endpoint: str, **asked: Any) -> list[Any]:
        return list(self._each(endpoint, **asked))

    def _each(self, endpoint: str, **asked: Any) -> Iterator[Any]:
        """The rows of numbered pages, from the newest on, as far as they are looked at."""
        for number in range(1, MOST_PAGES + 1):
            rows = self._page(endpoint, number, **asked)
            yield from rows
            if len(rows) < LEDGER_PAGE:
                return
        raise unreadable("pages without an end")

    def _page(self, endpoint: str, number: int, **asked: Any) -> list[Any]:
        return items(self._client, endpoint, {**asked, "page_num": number, "page_size": LEDGER_PAGE})

    def _read_one(self, raw: Raw, read: Callable[..., OrderRow | None]) -> OrderRow:
        rows, bad = reading.rows([raw], partial(read, terms=self._term, is_hedged=self._is_hedged))
        if bad or not rows or rows[0] is None:
            reason = bad[0].reason if bad else "it has no such price"
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {reason}"[:200], code="row")
        return rows[0]

    def _term(self, symbol: str) -> Contract:
        """What a contract is. The size of one that is no longer listed is asked for; it is never guessed."""
        if self._known is None:
            self._known = market.contract_terms(self._client)
        if symbol in self._known:
            return self._known[symbol]
        if symbol not in self._terms:
            self._terms[symbol] = self._ask_term(symbol)
        return self._terms[symbol]

    def _ask_term(self, symbol: str) -> Contract:
        try:
            raw = item(self._client, "contract_public_get_detail", {"symbol": symbol})
        except ExchangeError as error:
            if error.kind is not ErrorKind.USER:
                raise
            raise UnreadableRow(f"contract {symbol!r:.40} is not listed, so its size is unknown") from None
        contract = contracts.listing(raw).contract
        if contract is None:
            raise UnreadableRow(f"contract {symbol!r:.40} has no size")
        return contract
