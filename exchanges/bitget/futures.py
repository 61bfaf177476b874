"""The contracts of a classic account: one wallet, ledger and history for each product."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from exchanges import reading
from exchanges.bitget import client as wire
from exchanges.bitget import contracts, walks
from exchanges.bitget.client import Listed
from exchanges.bitget.contracts import PLANS, PRODUCTS
from exchanges.bitget.listings import KnownMarkets
from exchanges.bitget.walks import Window, below
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
from exchanges.transport import CcxtClient
from exchanges.windows import MILLISECOND

_ACCOUNTS: Final = "private_mix_get_v2_mix_account_accounts"
_BILLS: Final = "private_mix_get_v2_mix_account_bill"
_POSITIONS: Final = "private_mix_get_v2_mix_position_all_position"
_FILLS: Final = "private_mix_get_v2_mix_order_fills"
_HISTORY: Final = "private_mix_get_v2_mix_order_orders_history"
_OPEN: Final = "private_mix_get_v2_mix_order_orders_pending"
_ORDER: Final = "private_mix_get_v2_mix_order_detail"
_PLANS: Final = "private_mix_get_v2_mix_order_orders_plan_pending"
_PLAN_HISTORY: Final = "private_mix_get_v2_mix_order_orders_plan_history"
R = TypeVar("R")


class ClassicFutures:
    """Implements `exchanges.base.Derivatives`; its scopes are products."""

    def __init__(self, client: CcxtClient, markets: KnownMarkets) -> None:
        self._client = client
        self._markets = markets

    def balances(self) -> Page[BalanceRow]:
        raws = self._wallets()
        rows, bad = reading.rows(raws, contracts.balance)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def coins(self) -> set[str]:
        """The coins of the wallets."""
        coins = {raw.get("marginCoin") for raw in self._wallets() if isinstance(raw, Mapping)}
        return {coin.upper() for coin in coins if isinstance(coin, str) and coin}

    def is_used(self) -> bool:
        """Whether the key may see contracts and there is anything to see: money, or a movement that is told."""
        try:
            rows, _ = reading.rows(self._wallets(), contracts.balance)
        except ExchangeError as error:
            if error.kind is not ErrorKind.PERMISSION:
                raise
            return False
        return bool(rows) or any(self._has_moved(product) for product in PRODUCTS)

    def positions(self) -> Page[PositionRow]:
        raws = self._each(lambda product, coin: wire.rows(self._client, _POSITIONS, _asked(product, coin)))
        return self._whole(raws, contracts.position)

    def open_orders(self) -> Page[OrderRow]:
        """Orders in the book and conditional orders that wait."""
        placed = self._each(lambda product, _: wire.whole(self._pages(_OPEN, _asked(product))))
        waiting = self._each(
            lambda product, _: [
                raw
                for kind in PLANS
                for raw in wire.whole(self._pages(_PLANS, {**_asked(product), "planType": kind}))
            ]
        )
        rows, bad = reading.rows((raw for _, raw in placed), contracts.order)
        more, unread = reading.rows((raw for _, raw in waiting), contracts.plan)
        count = len(placed) + len(waiting)
        return Page((*rows, *more), (*bad, *unread), "", has_more=False, raw_count=count)

    def order(self, symbol: str, order_id: str) -> OrderRow:
        product = contracts.product(symbol, self._markets.contracts)
        kind = next((kind for kind, prefix in PLANS.items() if order_id.startswith(prefix)), "")
        if kind:
            found = self._plan(product, symbol, kind, order_id.removeprefix(PLANS[kind]))
            rows, bad = reading.rows(found, contracts.plan)
        else:
            asked = {**_asked(product), "symbol": symbol, "orderId": order_id}
            rows, bad = reading.rows([wire.record(self._client, _ORDER, asked)], contracts.order)
        if bad:
            raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
        if not rows:
            raise ExchangeError(ErrorKind.USER, "Bitget knows no such order any more.", code="40109")
        return rows[0]

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """Products, whatever was traded: no contract need be named."""
        return list(PRODUCTS)

    def ledger_scopes(self) -> list[str]:
        return list(PRODUCTS)

    def fills(self, scope: str, position: str) -> Page[FillRow]:
        span = walks.reaching(self._client.now())
        ask = self._asking(_FILLS, scope, "fillList")
        return walks.read_page(walks.MIX_FILLS, position, span, ask, self._reading(contracts.fill, scope))

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        span = walks.between(self._client.now(), since, until)
        ask, read = self._asking(_FILLS, scope, "fillList"), self._reading(contracts.fill, scope)
        for page in walks.read_all(walks.MIX_FILLS, span, ask, read):
            yield walks.within(page, since, until, lambda row: row.executed_at)

    def orders(self, scope: str, position: str) -> Page[OrderRow]:
        """By the time they were placed; those still open are read as a list."""
        span = walks.reaching(self._client.now())
        ask = self._asking(_HISTORY, scope, "entrustedList")
        return walks.read_page(walks.MONTHLY, position, span, ask, contracts.order)

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        span = walks.reaching(self._client.now(), until)
        ask = self._asking(_BILLS, scope, "bills", businessType=contracts.FUNDING)
        page = walks.read_page(walks.MONTHLY, position, span, ask, contracts.funding)
        return walks.within(page, walks.OPENED, until, lambda row: row.paid_at)

    def incomes(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        """What the exchange gave or took beside fills, product after product within one window."""
        span = walks.reaching(self._client.now(), until)

        def ask(window: Window) -> Listed:
            raws = [raw for product in PRODUCTS for raw in self._bills(product, window)]
            return Listed(raws, "")

        page = walks.read_page(walks.MONTHLY, position, span, ask, partial(_income, kind))
        return walks.within(page, walks.OPENED, until, lambda row: row.occurred_at)

    def _bills(self, product: str, window: Window) -> list[Any]:
        ask = self._asking(_BILLS, product, "bills")
        return walks.collect(walks.MONTHLY, walks.span_of(window), ask)

    def _has_moved(self, product: str) -> bool:
        """Newest first: where money moved lately, the first page tells it."""
        span = walks.reaching(self._client.now())
        ask = self._asking(_BILLS, product, "bills")
        edges = range(span.until, span.floor, -(walks.MONTHLY.longest // MILLISECOND))
        starts = (max(end - walks.MONTHLY.longest // MILLISECOND, span.floor) for end in edges)
        return any(ask(Window(start, end)).rows for start, end in zip(starts, edges, strict=True))

    def _wallets(self) -> list[Any]:
        return [raw for product in PRODUCTS for raw in wire.rows(self._client, _ACCOUNTS, _asked(product))]

    def _each(self, ask: Callable[[str, str], list[Any]]) -> list[tuple[str, Any]]:
        """Rows of every product, each with its product."""
        return [(product, raw) for product, coin in PRODUCTS.items() for raw in ask(product, coin)]

    def _whole(self, raws: list[tuple[str, Any]], read: Callable[..., R | None]) -> Page[R]:
        rows: list[R] = []
        bad: list[Any] = []
        for product, raw in raws:
            good, worse = reading.rows([raw], self._reading(read, product))
            rows, bad = [*rows, *good], [*bad, *worse]
        return Page(tuple(rows), tuple(bad), "", has_more=False, raw_count=len(raws))

    def _asking(self, endpoint: str, product: str, member: str, **more: str) -> Callable[[Window], Listed]:
        def ask(window: Window) -> Listed:
            asked = {**_asked(product), **more, **window.times, **below(window.cursor)}
            return wire.page_with_end(self._client, endpoint, asked, member=member)

        return ask

    def _pages(self, endpoint: str, asked: Mapping[str, Any]) -> Iterator[Listed]:
        """Lists that are read as a whole."""
        page = Listed([], "")
        while True:
            told = {**asked, **below(page.cursor)}
            page = wire.page_with_end(self._client, endpoint, told, member="entrustedList")
            yield page
            if not page.cursor:
                return

    def _plan(self, product: str, symbol: str, kind: str, order_id: str) -> list[Any]:
        """A conditional order is looked for among those that wait, then among those that ended."""
        span = walks.reaching(self._client.now())
        asked = {**_asked(product), "planType": kind, "orderId": order_id, "symbol": symbol}
        ended = {**asked, "startTime": span.floor, "endTime": span.until}
        for endpoint, told in ((_PLANS, asked), (_PLAN_HISTORY, ended)):
            raws = wire.page_with_end(self._client, endpoint, told, member="entrustedList").rows
            found = [raw for raw in raws if isinstance(raw, Mapping) and raw.get("orderId") == order_id]
            if found:
                return found[:1]
        return []

    def _reading(self, read: Callable[..., R | None], product: str) -> Callable[[Raw], R | None]:
        return partial(read, terms=partial(self._term, product))

    def _term(self, product: str, symbol: str) -> Contract:
        return self._markets.contracts.get(symbol) or contracts.delisted(symbol, PRODUCTS[product])


def _asked(product: str, coin: str = "") -> dict[str, str]:
    return {"productType": product, **({"marginCoin": coin} if coin else {})}


def _income(kind: TransferKind, raw: Raw) -> TransferRow | None:
    row = contracts.income(raw)
    return row if row is not None and row.kind is kind else None
