"""One function per stream: ask outside a transaction, store page and cursor in one. Each raises ExchangeError."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from credentials import accounts
from credentials.models import ExchangeAccount, KeyState
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, BalanceRow, FillRow, OrderRow, Page, TransferKind
from orders import ingest
from orders.models import Fill, Order
from orders.touched import Touched
from pipeline import coverage, cursors, schedule
from pipeline.models import Stream, SyncCursor
from pipeline.session import Session, Store
from portfolio import balances as reported
from portfolio.models import WalletBalance

RECHECKED: Final = timedelta(days=4)  # how far back late fills are looked for
RECENT: Final = timedelta(days=14)  # symbols with a fill since then are looked at
_OPEN: Final = ("NEW", "PARTIALLY_FILLED")
_MOST_ASKED_ALONE: Final = 100  # orders brought up to date one by one in a run; the rest have their turn next
_R = TypeVar("_R")
Handler = Callable[[Session, SyncCursor], None]


class MovedOn(Exception):
    """The key belongs to an account connected earlier, which goes on with it in place of this one."""

    def __init__(self, account_id: UUID) -> None:
        super().__init__(str(account_id))
        self.account_id = account_id


def permissions(session: Session, cursor: SyncCursor) -> None:
    """Whose key it is and what it may do. Raises MovedOn, KeyReplaced."""
    info = session.client.info()
    with session.door("Checking the key") as now:
        account = accounts.note_key_check(account=session.account, info=info, at=now, version=session.key)
        session.finish(cursor, ok_at=now)
    if account.id != session.account.id:
        raise MovedOn(account.id)
    session.account = account
    if account.key_state == KeyState.DISABLED:
        raise ExchangeError(ErrorKind.AUTH, account.key_note, code="disabled")


def balances(session: Session, cursor: SyncCursor) -> None:
    """A whole report or none: an asset that cannot be read must not look like an asset that is gone."""
    asked_at = session.clock()
    page = session.client.balances()
    if not page.raw_count and _had_balances(session):
        page = session.client.balances()  # emptied, or a hiccup? only twice the same is believed
    with session.door("Reading balances") as now:
        session.set_aside((cursor.stream, "", ""), page.bad)
        session.mend((cursor.stream, "", ""), page.bad)
        if not page.bad:
            _record(session, page, now)
            session.finish(cursor, ok_at=now)
            session.reported_at = asked_at
    if page.bad:
        reason = page.bad[0].reason
        raise ExchangeError(
            ErrorKind.DOWN, f"A balance is unreadable ({reason}); the last report stays.", code="row"
        )


def _had_balances(session: Session) -> bool:
    with session.door():
        return WalletBalance.objects.filter(account=session.account).exists()


def _record(session: Session, page: Page[BalanceRow], now: datetime) -> None:
    """Keep the report; the symbols whose trading may explain a change are due at once."""
    changed = reported.record(account=session.account, rows=page.rows, at=now, run_id=session.run.id)
    if not changed:
        return
    session.run.counts[Stream.BALANCES.value] = len(changed)
    symbols = [symbol for symbol in session.followed if _explains(session, symbol, changed)]
    session.live |= set(symbols)
    _make_due(session, Stream.FILLS, symbols)


def _explains(session: Session, symbol: str, changed: set[str]) -> bool:
    """A trade moves both sides of its symbol."""
    base, quote = session.listings.get(symbol, ("", ""))
    return base in changed and quote in changed


def open_orders(session: Session, cursor: SyncCursor) -> None:
    """What is open now; what was open before and left the list is asked for one by one."""
    page = session.client.open_orders()
    with session.door("Reading open orders"):
        known = _open_orders(session)
    listed = {(row.symbol, row.order_id): row for row in page.rows}
    left = [key for key in known if key not in listed]
    closed = [
        row for symbol, order_id in left[:_MOST_ASKED_ALONE] for row in _ask_order(session, symbol, order_id)
    ]
    moved = {
        symbol
        for (symbol, _), row in listed.items()
        if known.get((symbol, row.order_id)) != row.executed_quantity
    } | {symbol for symbol, _ in left}
    with session.door() as now:
        session.mend((cursor.stream, "", ""), page.bad)
        session.keep(replace(page, rows=(*page.rows, *closed)), ingest.store_orders, (cursor.stream, "", ""))
        session.follow(sorted(moved | {symbol for symbol, _ in listed}), due_at=session.started)
        session.live |= moved
        _make_due(session, Stream.FILLS, moved)
        session.finish(cursor, ok_at=now)


def _open_orders(session: Session) -> Mapping[tuple[str, str], object]:
    """Executed quantity of the orders we believe open, by symbol and id."""
    rows = Order.objects.filter(account=session.account, status__in=_OPEN).order_by("exchange_updated_at")
    return {
        (symbol, order_id): executed
        for symbol, order_id, executed in rows.values_list("symbol", "exchange_order_id", "executed_quantity")
    }


def _ask_order(session: Session, symbol: str, order_id: str) -> list[OrderRow]:
    """The order as it ended; nothing when the exchange has forgotten it."""
    try:
        return [session.client.order(symbol, order_id)]
    except ExchangeError as error:
        if error.kind is not ErrorKind.USER:
            raise
        return []


def transfers(kind: TransferKind, session: Session, cursor: SyncCursor) -> None:
    until = session.clock()
    _walk(
        session,
        cursor,
        lambda position: session.client.transfers(kind, position, until),
        ingest.store_transfers,
        f"Reading {kind.value.lower()}s",
    )


def fills(session: Session, cursor: SyncCursor) -> None:
    """Fills of a symbol; new ones make it live and its orders due."""

    def store(
        *, account: ExchangeAccount, rows: Sequence[FillRow], source: str, run_id: int | None
    ) -> Touched:
        touched = ingest.store_fills(account=account, rows=rows, source=source, run_id=run_id)
        if touched.stored:
            session.live.add(cursor.scope)
            session.follow([cursor.scope], due_at=session.started)
            _make_due(session, Stream.ORDERS, [cursor.scope])
        return touched

    ask = partial(session.client.fills, cursor.scope)
    _walk(session, cursor, ask, store, f"Reading fills of {cursor.scope}")


def orders(session: Session, cursor: SyncCursor) -> None:
    ask = partial(session.client.orders, cursor.scope)
    _walk(session, cursor, ask, ingest.store_orders, f"Reading orders of {cursor.scope}")


def recheck(session: Session, cursor: SyncCursor) -> None:
    """The fills of the last days by time: some arrive days late, with ids the cursor has passed."""
    now = session.clock()
    for symbol in _recent_symbols(session, now):
        _recheck_symbol(session, symbol, now)
        session.check_time()
    with session.door():
        session.finish(cursor, ok_at=now)


def _recheck_symbol(session: Session, symbol: str, now: datetime) -> None:
    place, bad = (Stream.FILLS.value, symbol, Stream.RECHECK.value), list[BadRow]()
    for page in session.client.fills_between(symbol, now - RECHECKED, now):
        bad += page.bad
        if not page.raw_count:
            continue
        with session.door(f"Checking fills of {symbol} again"):
            if session.keep(page, ingest.store_fills, place).touched.stored:
                _make_due(session, Stream.ORDERS, [symbol])
    if place in session.unread:
        with session.door():
            session.mend(place, bad)


def _recent_symbols(session: Session, now: datetime) -> list[str]:
    with session.door():
        rows = Fill.objects.filter(account=session.account, executed_at__gte=now - RECENT)
        return list(rows.order_by("symbol").values_list("symbol", flat=True).distinct())


def _walk(
    session: Session, cursor: SyncCursor, ask: Callable[[str], Page[_R]], store: Store[_R], step: str
) -> None:
    """Page after page to the end. A page with rows never found unreadable before is asked again by the next walk."""
    asked, again = cursor.position, None
    while True:
        asked_at = session.clock()
        page = ask(asked)
        if page.has_more and page.next_position == asked:
            raise ExchangeError(
                ErrorKind.BUG, "The exchange sends the same page again and again.", code="page"
            )
        place = (cursor.stream, cursor.scope, asked)
        if not page.raw_count and page.has_more and place not in session.unread:
            asked = page.next_position  # an empty window long ago: the next page with rows moves the cursor
            continue
        with session.door(step) as now:
            session.mend(place, page.bad)
            kept = session.keep(page, store, place)
            if kept.unreadable and again is None:
                again = asked
            onward = page.next_position if again is None else again
            coverage.note_page(cursor=cursor, page=page, asked_at=asked_at)
            cursors.advance(cursor=cursor, position=onward, stored=kept.touched.stored, now=now)
            if not page.has_more:
                coverage.note_end(cursor=cursor)
                soon = None if again is None else now + schedule.PROMPT
                session.finish(cursor, ok_at=asked_at, due_at=soon)
        if not page.has_more:
            return
        session.check_time()
        asked = page.next_position


def _make_due(session: Session, stream: Stream, symbols: Collection[str]) -> None:
    """Read these symbols in this very run."""
    cursors.make_due(account_id=session.account.id, streams=[stream], at=session.started, scopes=symbols)
