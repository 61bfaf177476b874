"""Which symbols an account trades, where the exchange does not tell: assets ever touched, then a slow sweep."""

from typing import Final

from orders.models import Transfer
from pipeline import cursors, pauses, schedule
from pipeline.models import Stream
from pipeline.session import Session
from pipeline.work import work_due
from portfolio.models import AssetDay, WalletBalance

SWEPT_AT_ONCE: Final = 30


def explore(session: Session) -> None:
    """Read due fills; they bring assets, assets bring symbols: again until nothing new comes."""
    while _follow_new(session) + work_due(session, Stream.FILLS):
        continue


def sweep(session: Session) -> None:
    """A few of all other symbols, when it is their turn: what was asked is remembered by its cursor."""
    with session.door("Looking for more symbols") as now:
        claimed = cursors.claim(
            account_id=session.account.id, streams=[Stream.DISCOVERY], due_by=session.started, now=now
        )
    for cursor in claimed:
        rest = session.client.sweep_symbols(sorted(session.asked))
        turn = rest[:SWEPT_AT_ONCE] if pauses.take_sweep(exchange=session.account.exchange) else []
        with session.door() as now:
            cursors.ensure(account=session.account, stream=Stream.FILLS, scopes=turn, due_at=session.started)
            session.asked |= set(turn)
            session.run.steps_total += len(turn)
            goes_on = now + schedule.SWEEP if len(turn) < len(rest) else None
            session.finish(cursor, ok_at=now, due_at=goes_on)
    if claimed:
        explore(session)


def _follow_new(session: Session) -> int:
    """Follow the symbols that assets met since point at; answers how many."""
    with session.door("Looking for symbols"):
        assets = _assets(session)
    new = session.client.traded_symbols(sorted(assets), sorted(session.followed))
    if new:
        with session.door():
            session.follow(new, due_at=session.started)
    return len(new)


def _assets(session: Session) -> set[str]:
    """Every asset the account ever held, moved or traded."""
    return {
        asset
        for model in (AssetDay, WalletBalance, Transfer)
        for asset in model.objects.filter(account=session.account).values_list("asset", flat=True).distinct()
    }
