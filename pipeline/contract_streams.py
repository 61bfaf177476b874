"""The streams of contracts, one function each, as `pipeline.streams`."""

from collections.abc import Sequence
from functools import partial

from credentials.models import ExchangeAccount
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import FillRow, FundingRow, MarketType
from orders import ingest
from orders.touched import Touched
from pipeline.contract_scopes import derivatives, look_at, recently_traded, scopes_of
from pipeline.models import Stream, SyncCursor
from pipeline.quiet import open_contract_orders
from pipeline.session import Session
from pipeline.streams import RECHECKED, keep_missing_orders, look_at_open
from pipeline.walks import each_in_turn, end_turn, keeping_place, make_due, read_again, read_newest, walk
from portfolio import balances as reported
from portfolio.models import ReportedPosition


def positions(session: Session, cursor: SyncCursor) -> None:
    """A whole report or none: a position that cannot be read must not look like one that is closed."""
    contracts = derivatives(session)
    page = contracts.positions()
    if not page.raw_count and _had_positions(session):
        page = contracts.positions()  # all closed, or a hiccup? only twice the same is believed
    with session.door("Reading positions") as now:
        session.set_aside((cursor.stream, "", ""), page.bad)
        session.mend((cursor.stream, "", ""), page.bad)
        if not page.bad:
            changed = reported.record_positions(
                account=session.account, rows=page.rows, at=now, run_id=session.run.id
            )
            if changed:
                session.run.counts[Stream.POSITIONS.value] = len(changed)
            session.holds_contracts = any(row.quantity for row in page.rows)
            session.moved_contracts |= bool(changed)
            look_at(session, changed)
            session.finish(cursor, ok_at=now)
    if page.bad:
        words = f"A position is unreadable ({page.bad[0].reason}); the last report stays."
        raise ExchangeError(ErrorKind.DOWN, words, code="row")


def _had_positions(session: Session) -> bool:
    with session.door():
        return ReportedPosition.objects.filter(account=session.account, quantity__gt=0).exists()


def open_orders(session: Session, cursor: SyncCursor) -> None:
    """As for spot: what left the list is asked for one by one."""
    contracts = derivatives(session)
    listed = open_contract_orders(session, cursor, contracts)
    page, moved = look_at_open(session, MarketType.FUTURES, listed, contracts.order)
    with session.door() as now:
        session.mend((cursor.stream, "", ""), page.bad)
        session.keep(page, ingest.store_orders, (cursor.stream, "", ""))
        session.note_contracts(row.symbol for row in page.rows)
        look_at(session, moved)
        session.finish(cursor, ok_at=now)


def fills(session: Session, cursor: SyncCursor) -> None:
    """Fills of a scope; new ones make it live and its orders due."""

    def store(
        *, account: ExchangeAccount, rows: Sequence[FillRow], source: str, run_id: int | None
    ) -> Touched:
        touched = ingest.store_fills(account=account, rows=rows, source=source, run_id=run_id)
        if touched.stored:
            session.note_contracts(row.symbol for row in rows)
            session.contract_live.add(cursor.scope)
            make_due(session, [Stream.CONTRACT_ORDERS], [cursor.scope])
        return touched

    contracts = derivatives(session)
    ask = partial(contracts.fills, cursor.scope)
    walk(session, cursor, ask, store, f"Reading contract fills {cursor.scope}".strip())
    read_newest(session, cursor, contracts.fills_between, Stream.CONTRACT_FILLS)


def orders(session: Session, cursor: SyncCursor) -> None:
    ask = partial(derivatives(session).orders, cursor.scope)
    walk(session, cursor, ask, ingest.store_orders, f"Reading contract orders {cursor.scope}".strip())


def recheck(session: Session, cursor: SyncCursor) -> None:
    """The fills of the last days by time, once more."""
    contracts, now = derivatives(session), session.clock()
    with session.door():
        symbols = recently_traded(session, MarketType.FUTURES, now)
    first, scopes = now - RECHECKED, scopes_of(session, symbols) if symbols else set()
    for scope, since in each_in_turn(session, cursor, scopes, first):
        pages = keeping_place(session, cursor, scope, contracts.fills_between(scope, since, now))
        if read_again(session, Stream.CONTRACT_FILLS, scope, pages, is_whole=since == first):
            with session.door():
                make_due(session, [Stream.CONTRACT_ORDERS], [scope])
    keep_missing_orders(session, MarketType.FUTURES, contracts.order, now)
    end_turn(session, cursor, ok_at=now)


def funding(session: Session, cursor: SyncCursor) -> None:
    """Funding of a ledger; its contracts are asked for fills, too."""

    def store(
        *, account: ExchangeAccount, rows: Sequence[FundingRow], source: str, run_id: int | None
    ) -> Touched:
        session.note_contracts(row.symbol for row in rows)
        return ingest.store_funding(account=account, rows=rows, source=source, run_id=run_id)

    contracts, until = derivatives(session), session.clock()
    walk(
        session,
        cursor,
        lambda position: contracts.funding(cursor.scope, position, until),
        store,
        "Reading funding",
    )
