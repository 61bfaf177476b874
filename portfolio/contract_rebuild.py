"""Folds stale contract books; what `rebuild` does for those of coins."""

import heapq
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime
from typing import Any, Final

from core import clock, money
from exchanges.rows import MarketType
from orders import facts
from orders.facts import ContractFill, FundingFact
from orders.models import Fill, FundingPayment
from portfolio.accounting import contract_book
from portfolio.accounting.contract_book import CONTRACT_VERSION
from portfolio.accounting.contracts import (
    BookSide,
    ContractEvent,
    ContractKey,
    fill_event,
    fold_key,
    funding_event,
)
from portfolio.accounting.results import State
from portfolio.contract_store import PendingContracts
from portfolio.models import Book, Position

PriceOf = Callable[[str, int], int]
"""What one coin is worth in the book's currency at a moment (milliseconds), in units. Raises NoPrice."""

BEGINNING: Final = clock.EPOCH


def fold(book: Book, price_of: PriceOf) -> tuple[int, datetime]:
    """Fold what is new, store what follows, move the tail; answers how many events, and from when on rows may differ.

    The book is left to be saved. Raises NoPrice or another DomainError, and then changes nothing.
    """
    stale_from = book.stale_from or BEGINNING
    _learn_contract(book)
    state, restart = _start(book)
    pending = PendingContracts(book)
    count = 0

    def counted() -> Generator[ContractEvent, None, None]:
        nonlocal count
        with closing(events(book, after=contract_book.last_key(state), price_of=price_of)) as each:
            for event in each:
                count += 1
                yield event

    with closing(counted()) as stream:
        after = contract_book.fold(state, stream, pending.sink)
    pending.commit(restart=restart)
    last = contract_book.last_key(after)
    book.state, book.engine_version = after, CONTRACT_VERSION
    book.folded_to = clock.from_ms(last[0]) if last else None
    book.fact_count = count if restart == BEGINNING else book.fact_count + count
    return count, restart or stale_from


def events(
    book: Book, *, after: ContractKey | None, price_of: PriceOf
) -> Generator[ContractEvent, None, None]:
    """The book's facts as events in fold order, those after a key only. Reads by a cursor: close what you leave."""
    since = clock.from_ms(after[0]) if after else None
    chosen: dict[str, Any] = {
        "account_id": book.account_id,
        "symbol": book.asset,
        "side": book.side,
        "after": since,
    }
    with closing(facts.contract_fills(**chosen)) as rows, closing(facts.contract_funding(**chosen)) as paid:
        fills = (_of_fill(row, price_of) for row in rows)
        payments = (_of_funding(row, price_of) for row in paid)
        for event in heapq.merge(fills, payments, key=fold_key):
            if after is None or fold_key(event) > after:
                yield event


def _of_fill(row: ContractFill, price_of: PriceOf) -> ContractEvent:
    has_fee = row.fee_amount != 0
    return fill_event(
        fill_id=row.fill_id,
        symbol=row.symbol,
        order_id=row.order_id,
        side=row.side,
        quantity=row.quantity,
        value=row.quote_quantity,
        time_ms=row.executed_ms,
        settle_price=price_of(row.settle_asset, row.executed_ms),
        fee_amount=row.fee_amount,
        fee_price=price_of(row.fee_currency, row.executed_ms) if has_fee else money.UNIT,
        realized=row.realized_pnl,
        is_liquidation=row.is_liquidation,
        fact=row.fact,
    )


def _of_funding(row: FundingFact, price_of: PriceOf) -> ContractEvent:
    return funding_event(
        payment_id=row.payment_id,
        symbol=row.symbol,
        amount=row.amount,
        time_ms=row.paid_ms,
        price=price_of(row.asset, row.paid_ms),
        fact=row.fact,
    )


def _learn_contract(book: Book) -> None:
    """A contract's fills say what it settles in; funding may be known before any."""
    of_contract = Fill.objects.filter(account_id=book.account_id, symbol=book.asset)
    known = of_contract.exclude(market_type=MarketType.SPOT).values_list("settle_asset", "is_inverse").first()
    if known is not None:
        book.settle_asset, book.is_inverse = known
        return
    paid = FundingPayment.objects.filter(account_id=book.account_id, symbol=book.asset)
    book.settle_asset = paid.values_list("asset", flat=True).first() or ""


def _start(book: Book) -> tuple[State, datetime | None]:
    """The state to go on from, and since when derived rows are replaced (None: only appended to).

    A position that a flip opened has no checkpoint: the last one that opened out of nothing is where to begin.
    """
    fresh = contract_book.new_state(side=BookSide(book.side), is_inverse=book.is_inverse, method=book.method)
    known = book.state and book.engine_version == CONTRACT_VERSION
    if not known or any(book.state[name] != fresh[name] for name in ("method", "is_inverse")):
        return fresh, BEGINNING
    if book.stale_from is None or book.folded_to is None or book.stale_from > book.folded_to:
        return book.state, None
    position = (
        Position.objects.filter(book=book, opened_at__lt=book.stale_from, checkpoint__isnull=False)
        .order_by("-opened_at", "-id")
        .values_list("checkpoint", "opened_at")
        .first()
    )
    if position is None:
        return fresh, BEGINNING
    checkpoint, opened_at = position
    return checkpoint or fresh, opened_at
