"""One function per stream: ask outside a transaction, store page and cursor in one. Each raises ExchangeError."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from credentials import accounts
from credentials.models import ExchangeAccount, KeyState
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BalanceRow, FillRow, MarketType, OrderRow, Page, TransferKind
from orders import forgotten, ingest
from orders.conversions import store_conversions
from orders.models import Fill, Order
from orders.touched import Touched
from pipeline.contract_scopes import follow_money, recently_traded
from pipeline.models import Stream, SyncCursor
from pipeline.quiet import OPEN, open_spot_orders
from pipeline.session import Session
from pipeline.walks import each_in_turn, end_turn, keeping_place, make_due, read_again, read_newest, walk
from portfolio import balances as reported
from portfolio.models import WalletBalance

RECHECKED: Final = timedelta(days=4)  # how far back late fills are looked for
_SPOT: Final = "spot"  # the wallet
_MOST_ASKED_ALONE: Final = 100  # orders brought up to date one by one in a run; the rest have their turn next
_KINDS: Final = {
    TransferKind.DEPOSIT: "Reading deposits",
    TransferKind.WITHDRAWAL: "Reading withdrawals",
    TransferKind.INTERNAL: "Reading transfers between wallets",
    TransferKind.REBATE: "Reading rebates",
    TransferKind.CHARGE: "Reading charges",
    TransferKind.AIRDROP: "Reading airdrops and interest",
}
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
    changed = reported.record_report(account=session.account, rows=page.rows, at=now, run_id=session.run.id)
    if changed.assets:
        session.run.counts[Stream.BALANCES.value] = len(changed.assets)
        symbols = [symbol for symbol in session.followed if _explains(session, symbol, changed.assets)]
        session.live |= set(symbols)
        make_due(session, [Stream.FILLS], symbols)
    if any(wallet != _SPOT for wallet, _ in changed.places):
        session.moved_contracts = True
        follow_money(session, now)


def _explains(session: Session, symbol: str, changed: set[str]) -> bool:
    """A trade moves both sides of its symbol."""
    base, quote = session.listings.get(symbol, ("", ""))
    return base in changed and quote in changed


def open_orders(session: Session, cursor: SyncCursor) -> None:
    """What is open now; what was open before and left the list is asked for one by one."""
    listed = open_spot_orders(session, cursor)
    if listed is None:
        with session.door("Reading open orders") as now:
            session.finish(cursor, ok_at=now)
        return
    page, moved = look_at_open(session, MarketType.SPOT, listed, session.client.order)
    with session.door() as now:
        session.mend((cursor.stream, "", ""), page.bad)
        session.keep(page, ingest.store_orders, (cursor.stream, "", ""))
        session.follow(sorted(moved | {row.symbol for row in page.rows}), due_at=session.started)
        session.live |= moved
        make_due(session, [Stream.FILLS], moved)
        session.finish(cursor, ok_at=now)


def look_at_open(
    session: Session, market_type: MarketType, page: Page[OrderRow], ask: Callable[[str, str], OrderRow]
) -> tuple[Page[OrderRow], set[str]]:
    """The page with the orders that left the list since the last look, and the symbols where something moved."""
    with session.door("Reading open orders"):
        known = _open_orders(session, market_type)
    listed = {(row.symbol, row.order_id): row for row in page.rows}
    left = [key for key in known if key not in listed]
    closed: list[OrderRow] = []
    for symbol, order_id in left[:_MOST_ASKED_ALONE]:
        if found := _ask_order(ask, symbol, order_id):
            closed += found
        else:
            session.forgotten.add((market_type, symbol, order_id))
    moved = {
        symbol
        for (symbol, _), row in listed.items()
        if known.get((symbol, row.order_id)) != row.executed_quantity
    } | {symbol for symbol, _ in left}
    return replace(page, rows=(*page.rows, *closed)), moved


def end_forgotten(session: Session) -> None:
    """Orders that are open nowhere but with us, once this run's fills are read."""
    if not session.forgotten:
        return
    with session.door("Ending orders the exchange forgot") as now:
        rows = tuple(forgotten.ended(account=session.account, keys=session.forgotten, at=now))
        page = Page(rows, (), "", has_more=False, raw_count=len(rows))
        session.keep(page, ingest.store_orders, (Stream.OPEN_ORDERS, "", ""))


def _open_orders(session: Session, market_type: MarketType) -> Mapping[tuple[str, str], object]:
    """Executed quantity of the orders we believe open, by symbol and id."""
    rows = Order.objects.filter(account=session.account, market_type=market_type, status__in=OPEN)
    return {
        (symbol, order_id): executed
        for symbol, order_id, executed in rows.order_by("exchange_updated_at").values_list(
            "symbol", "exchange_order_id", "executed_quantity"
        )
    }


def _ask_order(ask: Callable[[str, str], OrderRow], symbol: str, order_id: str) -> list[OrderRow]:
    """The order as it ended; nothing when the exchange has forgotten it."""
    try:
        return [ask(symbol, order_id)]
    except ExchangeError as error:
        if error.kind is not ErrorKind.USER:
            raise
        return []


def transfers(kind: TransferKind, session: Session, cursor: SyncCursor) -> None:
    until = session.clock()
    walk(
        session,
        cursor,
        lambda position: session.client.transfers(kind, position, until),
        ingest.store_transfers,
        _KINDS[kind],
    )


def conversions(session: Session, cursor: SyncCursor) -> None:
    until = session.clock()
    walk(
        session,
        cursor,
        lambda position: session.client.conversions(position, until),
        store_conversions,
        "Reading conversions",
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
            make_due(session, [Stream.ORDERS], [cursor.scope])
        return touched

    ask = partial(session.client.fills, cursor.scope)
    walk(session, cursor, ask, store, f"Reading fills of {cursor.scope}")
    read_newest(session, cursor, session.client.fills_between, Stream.FILLS)


def orders(session: Session, cursor: SyncCursor) -> None:
    ask = partial(session.client.orders, cursor.scope)
    walk(session, cursor, ask, ingest.store_orders, f"Reading orders of {cursor.scope}")


def recheck(session: Session, cursor: SyncCursor) -> None:
    """The fills of the last days by time: some arrive days late, with ids the cursor has passed."""
    now = session.clock()
    with session.door():
        symbols = recently_traded(session, MarketType.SPOT, now)
    first = now - RECHECKED
    for symbol, since in each_in_turn(session, cursor, symbols, first):
        pages = keeping_place(session, cursor, symbol, session.client.fills_between(symbol, since, now))
        if read_again(session, Stream.FILLS, symbol, pages, is_whole=since == first):
            with session.door():
                make_due(session, [Stream.ORDERS], [symbol])
    keep_missing_orders(session, MarketType.SPOT, session.client.order, now)
    end_turn(session, cursor, ok_at=now)


def keep_missing_orders(
    session: Session, market_type: MarketType, ask: Callable[[str, str], OrderRow], now: datetime
) -> None:
    """Ask for the orders of late fills one by one: they ended before what the walks of orders read again."""
    with session.door():
        order = Order.objects.filter(
            account=OuterRef("account"),
            market_type=OuterRef("market_type"),
            symbol=OuterRef("symbol"),
            exchange_order_id=OuterRef("exchange_order_id"),
        )
        orphans = Fill.objects.filter(
            ~Exists(order),
            account=session.account,
            market_type=market_type,
            executed_at__gte=now - RECHECKED,
            is_conversion=False,
        )
        missing = list(
            orphans.order_by().values_list("symbol", "exchange_order_id").distinct()[:_MOST_ASKED_ALONE]
        )
    rows = tuple(row for symbol, order_id in missing for row in _ask_order(ask, symbol, order_id))
    if rows:
        page = Page(rows, (), "", has_more=False, raw_count=len(rows))
        with session.door("Reading orders of late fills"):
            session.keep(page, ingest.store_orders, (Stream.ORDERS, "", Stream.RECHECK))
