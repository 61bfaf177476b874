"""Which contracts an account has to do with, and what they are asked by."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from exchanges.base import Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import MarketType, TransferKind
from orders.models import Fill
from pipeline import cursors, schedule
from pipeline.models import Stream, SyncCursor
from pipeline.session import NEVER_ALONE, Session
from pipeline.walks import make_due
from portfolio.models import ReportedPosition

RECENT: Final = timedelta(days=14)  # contracts with a fill since then are looked at when money moves
_BY_KIND: Final = {
    TransferKind.INTERNAL: Stream.TRANSFERS,
    TransferKind.REBATE: Stream.REBATES,
    TransferKind.CHARGE: Stream.CHARGES,
    TransferKind.AIRDROP: Stream.DIVIDENDS,
}


def derivatives(session: Session) -> Derivatives:
    """The account's contracts. Raises ExchangeError where the key may not see them any more."""
    found = session.client.derivatives
    if found is None:
        raise ExchangeError(ErrorKind.PERMISSION, "The key may not read contracts.", code="contracts")
    return found


def ensure(session: Session) -> None:
    """Make the cursors that the account has because of what its client can tell: further movements, contracts."""
    wanted: list[Stream] = []
    ledgers: list[str] = []
    with _alone(session):
        wanted += [_BY_KIND[kind] for kind in session.client.transfer_kinds if kind in _BY_KIND]
        wanted += [Stream.CONVERSIONS] if session.client.has_conversions else []
        contracts = session.client.derivatives
        if contracts is not None:
            ledgers = contracts.ledger_scopes()
            wanted += cursors.OF_CONTRACTS
    with session.door():
        rows = SyncCursor.objects.filter(account=session.account, stream__in=[*wanted, Stream.FUNDING])
        known = set(rows.values_list("stream", "scope"))
        for stream, scope in [
            *((each, "") for each in wanted),
            *((Stream.FUNDING, each) for each in ledgers),
        ]:
            if (stream.value, scope) not in known:
                due_at = _first(session, stream)
                cursors.ensure(account=session.account, stream=stream, scopes=[scope], due_at=due_at)
                session.run.steps_total += due_at <= session.started


def follow_new(session: Session) -> int:
    """Follow what the contracts met so far are asked by; answers how many scopes are new."""
    scopes: list[str] = []
    if session.no_contract_is_new:
        return 0
    with _alone(session):
        contracts = session.client.derivatives
        if contracts is not None:
            scopes = contracts.trade_scopes(session.contracts())
    new = [scope for scope in scopes if scope not in session.contract_scopes]
    if new:
        with session.door("Looking for contracts"):
            for stream in cursors.BY_CONTRACT:
                cursors.ensure(account=session.account, stream=stream, scopes=new, due_at=session.started)
        session.contract_scopes |= set(new)
        session.run.steps_total += len(cursors.BY_CONTRACT) * len(new)
    return len(new)


def scopes_of(session: Session, symbols: Iterable[str]) -> set[str]:
    """What these contracts are asked by: themselves, or what stands for many."""
    symbols = set(symbols)
    listed = session.markets.contracts
    return {scope for scope in session.contract_scopes if scope in symbols or scope not in listed}


def look_at(session: Session, symbols: Iterable[str]) -> None:
    """Read the fills of these contracts in this very run. Inside an open door."""
    symbols = set(symbols)
    if not symbols:
        return
    session.note_contracts(symbols)
    scopes = scopes_of(session, symbols)
    session.contract_live |= scopes
    make_due(session, [Stream.CONTRACT_FILLS], scopes)


def follow_money(session: Session, now: datetime) -> None:
    """A wallet beside the spot wallet changed: contracts that are held or were traded lately may be why. Inside an
    open door."""
    if session.client.derivatives is None:
        return
    held = ReportedPosition.objects.filter(account=session.account, quantity__gt=0)
    symbols = {*held.values_list("symbol", flat=True), *recently_traded(session, MarketType.FUTURES, now)}
    make_due(session, [Stream.CONTRACT_FILLS], scopes_of(session, symbols))


def recently_traded(session: Session, market_type: MarketType, now: datetime) -> list[str]:
    """Symbols with a fill in the last days. Inside an open door."""
    rows = Fill.objects.filter(
        account=session.account, executed_at__gte=now - RECENT, market_type=market_type.value
    )
    return list(rows.order_by("symbol").values_list("symbol", flat=True).distinct())


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    """Contracts that cannot be asked for now do not keep the rest from being read."""
    try:
        yield
    except ExchangeError as error:
        if error.kind in NEVER_ALONE:
            raise
        session.problems.append(error)


def _first(session: Session, stream: Stream) -> datetime:
    """At once; a first walk leaves nothing to check."""
    if stream != Stream.CONTRACT_RECHECK:
        return session.started
    return schedule.next_due(stream, account_id=session.account.id, at=session.started, is_active=False)
