"""What need not be asked for, because the answer is known already.

Lists of all open orders are the dearest of the questions asked every few minutes. Where that is so they are asked for
only when something points at a new order, and now and then; otherwise the symbols with orders known to be open are
asked one by one.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, cast

from core import clock, money
from exchanges import registry
from exchanges.base import Account, Derivatives, OpenBySymbol
from exchanges.rows import MarketType, OrderRow, Page
from orders.models import Order
from pipeline import contract_scopes
from pipeline.models import SyncCursor
from pipeline.schedule import Pace
from pipeline.session import Session
from portfolio.balances import latest_by_wallet
from portfolio.models import ReportedPosition

OPEN: Final = ("NEW", "PARTIALLY_FILLED")
WHOLE_AGAIN: Final = timedelta(minutes=15)  # or after so many visits as usually fit into it
_VISITS: Final = 5
_SPOT: Final = "spot"


def open_spot_orders(session: Session, cursor: SyncCursor) -> Page[OrderRow] | None:
    """Open spot orders as far as they can have changed since the last look; None when there can be none.

    Where every open order locks a balance: what is locked tells of new ones, by the report of this very run. Opens
    doors.
    """
    entry = registry.supported()[session.account.exchange]
    if not entry.locks_open_orders or session.reported_at is None:
        return session.client.open_orders()
    with session.door():
        locked = _locked(session)
        known = _open(session, MarketType.SPOT)
    if not locked and not known:
        return None
    page, _ = _look(session, cursor, session.client, known, locked, {symbol for symbol, _ in known})
    return page


def open_contract_orders(session: Session, cursor: SyncCursor, contracts: Derivatives) -> Page[OrderRow]:
    """As for spot; a contract that was neither held nor traded lately shows its first order after a quarter of an
    hour. Opens doors."""
    if not registry.supported()[session.account.exchange].open_orders_alone:
        return contracts.open_orders()
    with session.door() as now:
        known = _open(session, MarketType.FUTURES)
        held = ReportedPosition.objects.filter(account=session.account, quantity__gt=0)
        symbols = {
            *(symbol for symbol, _ in known),
            *held.values_list("symbol", flat=True),
            *contract_scopes.recently_traded(session, MarketType.FUTURES, now),
        }
    page, session.looked_narrowly = _look(session, cursor, contracts, known, "", symbols)
    return page


def _look(
    session: Session,
    cursor: SyncCursor,
    source: Account | Derivatives,
    known: Collection[tuple[str, str]],
    sign: str,
    symbols: Collection[str],
) -> tuple[Page[OrderRow], bool]:
    """The symbols alone (and True); everything where the `sign` is another than at the last whole look, where that was
    long ago, where one of the orders `known` (symbol, id) left the list, or where there are too many symbols."""
    now = session.clock()
    if len(symbols) <= _most(session) and is_fresh(cursor, sign, now=now, pace=session.pace):
        page = cast(OpenBySymbol, source).open_orders_of(sorted(symbols))
        if set(known) <= {(row.symbol, row.order_id) for row in page.rows} and not page.bad:
            return page, True
    page = source.open_orders()
    with session.door():
        cursor.position = f"{sign}:{clock.to_ms(now)}"
        SyncCursor.objects.filter(id=cursor.id).update(position=cursor.position)
    return page, False


def is_fresh(cursor: SyncCursor, sign: str, *, now: datetime, pace: Pace) -> bool:
    """Whether the last whole look was lately, and the same was locked then."""
    before, _, looked = cursor.position.partition(":")
    again = max(WHOLE_AGAIN, pace.prompt * _VISITS)
    return bool(looked) and before == sign and now - clock.from_ms(int(looked)) < again


def _most(session: Session) -> int:
    return registry.supported()[session.account.exchange].open_orders_alone


def _open(session: Session, market_type: MarketType) -> set[tuple[str, str]]:
    """(symbol, id) of the orders we believe open. Inside the open door."""
    orders = Order.objects.filter(account=session.account, market_type=market_type, status__in=OPEN)
    return set(orders.values_list("symbol", "exchange_order_id"))


def _locked(session: Session) -> str:
    """A sign of what is locked in the spot wallet; "" for nothing. Inside the open door."""
    rows = [row for row in latest_by_wallet(account_ids=[session.account.id]) if row.wallet == _SPOT]
    told = ";".join(sorted(f"{row.asset}={money.text(row.locked)}" for row in rows if row.locked))
    return hashlib.sha256(told.encode()).hexdigest()[:16] if told else ""
