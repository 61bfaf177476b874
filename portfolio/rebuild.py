"""Folds stale books: from their tail when facts came in order, else from the last flat point before the late fact.

One transaction per book, under the book's row lock; folding from zero gives the same rows.
"""

import heapq
import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import dropwhile
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Func, Min, Q
from psycopg.errors import DeadlockDetected

from accounts.models import User
from core import clock, money
from core.django import tenancy
from core.errors import DomainError
from core.money import UNIT
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders import facts, own_transfers
from portfolio import (
    annotations,
    books,
    contract_rebuild,
    excursions,
    fees,
    leverage,
    marks,
    moved_lots,
    pools,
    receipts,
    scope_change,
    valuations,
)
from portfolio.accounting import engine
from portfolio.accounting.events import Event, Fill, fold_key, from_fill
from portfolio.accounting.results import State
from portfolio.contract_rebuild import PriceOf
from portfolio.models import AccountMark, Book, Position
from portfolio.store import Pending
from portfolio.valuations import PriceNeed

logger = logging.getLogger(__name__)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MANY = 1_000
_new = tuple.__new__  # a named tuple without its constructor's cost
_IN_MS = Func(F("opened_at"), template="to_jsonb((date_part('epoch', %(expressions)s) * 1000)::bigint)")
_IS_FIRST_OF_ITS_MOMENT = Q(checkpoint__last=None) | Q(checkpoint__last__0__lt=_IN_MS)
"""Positions before which the book saw nothing in the millisecond they opened: all from it on can be folded again."""
_ATTEMPTS = 4
_REASON_LENGTH = Book._meta.get_field("blocked_reason").max_length


@dataclass(slots=True)
class RebuildResult:
    """What a rebuild did: books folded, events folded, and what keeps a book stale, by asset."""

    books: int = 0
    facts: int = 0
    others: list[UUID] = field(default_factory=list)
    """Accounts that share books with this one: what they show may have changed, too."""
    blocked: dict[str, str] = field(default_factory=dict)


class NoPrice(DomainError):
    """A fact cannot be valued yet."""

    code = "no_price"


def rebuild_account(
    *, user_id: UUID, account_id: UUID, at: datetime, from_zero: bool = False
) -> RebuildResult:
    """Fold every stale book of an account, and of the pools it is in. Opens its own doors.

    A book that cannot be folded (no price yet, or facts that give what cannot be stored) says why and stays stale.
    """
    result = RebuildResult()
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").get(id=account_id)
        if from_zero:
            books.mark_all_stale(account=account)
        sharing = pools.sharing(account)
        since = _stale_since(account)
        if since is not None:
            _prepare(sharing, since)
        book_ids = _stale_books(account)
    for book_id in book_ids:
        _rebuild_book(user_id=user_id, book_id=book_id, at=at, result=result)
    with tenancy.acting_as(user_id):
        for each in sharing:
            mark = marks.locked(each)
            if each == account or mark.folded_from is not None:
                _follow(each, mark, since=since if each == account else None, many=result.facts > _MANY)
                result.others += [each.id] if each != account else []
    return result


def _follow(account: ExchangeAccount, mark: AccountMark, *, since: datetime | None, many: bool) -> None:
    """What hangs on rows that were folded, by this run or by one that did not get so far. `since`: the earliest fact
    that was to be folded."""
    waiting = min((at for at in (since, mark.fees_from) if at is not None), default=None)
    if waiting is not None:
        fees.refresh(account=account, since=waiting, many=many)
    annotations.refresh(account=account, since=mark.folded_from)
    leverage.refresh(account=account, since=mark.folded_from)
    if mark.folded_from is not None:
        excursions.wait(account=account, since=mark.folded_from)
        marks.followed(mark)


def _prepare(sharing: Sequence[ExchangeAccount], since: datetime) -> None:
    """Pair the accounts' transfers, and pin the prices that their facts need."""
    for account in sharing:
        matched = own_transfers.match(account=account, since=since)
        moved_lots.carry_on([one.outgoing_id for one in matched])
    for account in sharing:
        valuations.pin(
            user_id=account.user_id,
            account_id=account.id,
            exchange=account.exchange,
            currency=account.user.reporting_currency,
            since=_hour(since),
        )


def _stale_books(account: ExchangeAccount) -> list[int]:
    """Those in force first: they take what the others held with them."""
    stale = books.of(account).filter(stale_from__isnull=False).order_by("asset", "id")
    in_force = books.wanted(is_pooled=pools.is_wanted(account.user))
    rows = [*stale.filter(in_force), *stale.exclude(in_force)]
    return [book.id for book in rows]


def price_needs(*, user_id: UUID, account_id: UUID) -> list[PriceNeed]:
    """Candles that stale books wait for, hourly. Opens its own door."""
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").get(id=account_id)
        sharing = pools.sharing(account)
        since = _stale_since(account)
        return [] if since is None else [need for each in sharing for need in _needs_of(each, since)]


def _needs_of(account: ExchangeAccount, since: datetime) -> list[PriceNeed]:
    currency = account.user.reporting_currency
    missing = valuations.needed_hours(
        user_id=account.user_id, account_id=account.id, currency=currency, since=_hour(since)
    )
    return valuations.as_needs(missing, exchange=account.exchange, currency=currency)


def _stale_since(account: ExchangeAccount) -> datetime | None:
    """From when on facts wait to be folded, or fees to be valued."""
    stale = books.of(account).filter(stale_from__isnull=False)
    moments = (stale.aggregate(at=Min("stale_from"))["at"], fees.waiting_since(account=account))
    return min((at for at in moments if at is not None), default=None)


def _rebuild_book(*, user_id: UUID, book_id: int, at: datetime, result: RebuildResult) -> None:
    """Of two books that send coins to each other and changed at once, the database ends one's transaction: it is
    folded once the other is done."""
    for attempt in range(_ATTEMPTS):
        try:
            with tenancy.acting_as(user_id):
                _fold_locked(book_id, at, result, waits=attempt > 0)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            logger.info("Book %s: another one, which it sends coins to or gets them from, changed.", book_id)
        except DomainError as error:
            _block(user_id, book_id, error, result)
            return


def _fold_locked(book_id: int, at: datetime, result: RebuildResult, *, waits: bool) -> None:
    """Needs an open door. `waits` for whoever has the book, else leaves it to them."""
    known = Book.objects.select_related("account").defer("state").get(id=book_id)
    if known.market_type == MarketType.SPOT:
        scope_change.lock_replaced(known)
    book = (
        Book.objects.select_for_update(of=("self",), skip_locked=not waits)
        .select_related("account__user")
        .filter(id=book_id, stale_from__isnull=False)
        .first()
    )
    if book is not None:
        # Before any row of it: what hangs on rows is written by whoever holds these.
        accounts = [marks.locked(each).account_id for each in pools.accounts_of(book)]
        stale_from = book.stale_from
        count, restart = _fold(book, at)
        marks.folded(book=book, account_ids=accounts, stale_from=stale_from, folded_from=restart)
        result.facts += count
        result.books += 1


def _block(user_id: UUID, book_id: int, error: DomainError, result: RebuildResult) -> None:
    """The book says why it cannot be folded."""
    reason = pools.readable(error.message)[:_REASON_LENGTH]
    with tenancy.acting_as(user_id):
        Book.objects.filter(id=book_id).update(blocked_reason=reason)
        asset = Book.objects.values_list("asset", flat=True).get(id=book_id)
    result.blocked[asset] = reason


def _fold(book: Book, at: datetime) -> tuple[int, datetime]:
    """Fold what is new, store what follows, move the tail; answers how many events, and from when on.

    Raises NoPrice, AmountOverflow, InvalidFact or another DomainError, and then changes nothing.
    """
    # Looked at once more: what was read while another transaction held the book may be older than the book.
    owner = User.objects.get(id=book.user_id)
    book.method, book.currency = owner.cost_method, owner.reporting_currency
    if not pools.is_in_force(book, owner):
        book.rebuilt_at = at
        scope_change.give_up(book)
        return 0, _BEGINNING
    if book.market_type == MarketType.SPOT:
        scope_change.take_over(book)
        count, since = _fold_coin(book)
    else:
        count, since = contract_rebuild.fold(book, contract_prices(book))
    book.stale_from, book.blocked_reason, book.rebuilt_at = None, "", at
    book.save()
    return count, since


def _fold_coin(book: Book) -> tuple[int, datetime]:
    """A coin's book; it is left to be saved."""
    stale_from = book.stale_from or _BEGINNING
    state, restart = _start(book)
    pending = Pending(book)
    with closing(events(book, after=engine.last_key(state))) as facts_in_order:
        counter = _Counter(facts_in_order)
        state = engine.fold(state, counter, pending.sink)
    pending.commit(restart=restart)
    if not book.pool:
        moved_lots.carry_on(pending.moved)
    book.state = state
    book.folded_to = clock.from_ms(last[0]) if (last := engine.last_key(state)) else None
    book.fact_count = counter.count if restart == _BEGINNING else book.fact_count + counter.count
    book.engine_version = engine.ENGINE_VERSION
    return counter.count, restart or stale_from


def _start(book: Book) -> tuple[State, datetime | None]:
    """The state to go on from, and since when derived rows are replaced (None: only appended to)."""
    step = money.to_units(book.step)
    fresh = engine.new_state(method=book.method, step=step)
    known = (
        book.state and book.engine_version == engine.ENGINE_VERSION and book.state["method"] == book.method
    )
    if not known or book.stale_from is None:
        return fresh, _BEGINNING
    if book.folded_to is None or book.stale_from > book.folded_to:
        return book.state, None
    # Of what opened in the same millisecond as something before it, the moment is no place to begin.
    position = (
        Position.objects.filter(_IS_FIRST_OF_ITS_MOMENT, book=book, opened_at__lt=book.stale_from)
        .order_by("-opened_at", "-id")
        .values_list("checkpoint", "opened_at")
        .first()
    )
    if position is None:
        return fresh, _BEGINNING
    checkpoint, opened_at = position
    return checkpoint or fresh, opened_at


class _Counter:
    """Counts what passes."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.count = 0

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            self.count += 1
            yield event


def events(book: Book, *, after: tuple[Any, ...] | None) -> Generator[Event, None, None]:
    """The book's facts as events in fold order, those after a key only.

    Reads by a cursor of the open transaction: whoever may stop early closes the generator before leaving it.
    """
    since = clock.from_ms(after[0]) if after else None
    prices = _prices(book, since)

    def price_of(asset: str, at: int) -> int:
        return _price_at(asset, at, book.currency, prices)

    with ExitStack() as opened:
        streams: list[Iterable[Event]] = []
        for account in pools.accounts_of(book):
            fills = opened.enter_context(closing(_fill_events(book, account.id, since, prices)))
            moves = receipts.events(book, account_id=account.id, since=since, price_of=price_of)
            streams.append(pools.placed(book, account.id, fills) if book.pool else fills)
            if moved := sorted(pools.placed(book, account.id, moves), key=fold_key):
                streams.append(moved)
        merged = heapq.merge(*streams, key=fold_key) if len(streams) > 1 else iter(*streams)
        yield from dropwhile(lambda event: after is not None and fold_key(event) <= after, merged)


def _prices(book: Book, since: datetime | None) -> dict[tuple[str, int], int]:
    """Pinned prices in units by asset and hour (in whole hours since 1970)."""
    pinned = valuations.pinned(
        user_id=book.user_id, currency=book.currency, since=_hour(since) if since else _BEGINNING
    )
    return {
        (asset, clock.to_ms(at) // _HOUR_MS): money.to_units(price) for (asset, at), price in pinned.items()
    }


_HOUR_MS = 3_600_000


def _fill_events(
    book: Book, account_id: UUID, since: datetime | None, prices: dict[tuple[str, int], int]
) -> Generator[Event, None, None]:
    asset, currency, cash = book.asset, book.currency, settings.CASH_ASSETS
    for row in facts.book_fills(account_id=account_id, asset=asset, after=since):
        fill = _new(Fill, row)
        quote = fill.quote
        yield from from_fill(
            fill,
            asset=asset,
            cash=cash,
            quote_price=UNIT if quote == currency else _price(quote, fill, currency, prices),
            fee_price=None if fill.fee_currency == quote else _fee_price(fill, currency, prices),
        )


def _fee_price(fill: Fill, currency: str, prices: dict[tuple[str, int], int]) -> int | None:
    if not fill.fee_amount or fill.fee_currency in (fill.base, fill.quote):
        return None
    return _price(fill.fee_currency, fill, currency, prices)


def _price(asset: str, fill: Fill, currency: str, prices: dict[tuple[str, int], int]) -> int:
    return _price_at(asset, fill.executed_ms, currency, prices)


def _price_at(asset: str, time_ms: int, currency: str, prices: dict[tuple[str, int], int]) -> int:
    if asset == currency:
        return money.UNIT
    price = prices.get((asset, time_ms // _HOUR_MS))
    if price is None:
        moment = clock.from_ms(time_ms)
        raise NoPrice(f"No price of {asset} in {currency} for {moment:%Y-%m-%d %H}:00 UTC yet.")
    return price


def contract_prices(book: Book) -> PriceOf:
    """Pinned prices as a contract book asks for them: none are read before it needs one, nor older ones than that."""
    prices: dict[tuple[str, int], int] = {}
    since_ms: int | None = None

    def price_of(asset: str, time_ms: int) -> int:
        nonlocal prices, since_ms
        if asset == book.currency:
            return money.UNIT
        if since_ms is None or time_ms < since_ms:
            prices, since_ms = _prices(book, clock.from_ms(time_ms)), time_ms
        return _price_at(asset, time_ms, book.currency, prices)

    return price_of


def _hour(moment: datetime) -> datetime:
    return clock.floor_hour(moment)
