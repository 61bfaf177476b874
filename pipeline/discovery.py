"""Which symbols an account trades, where the exchange does not tell.

Three ways: every asset ever touched points at its symbols; all other symbols are swept slowly; and a balance that
known facts do not explain means fills nobody asked for yet, so every symbol is asked once more.
"""

import hashlib
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from core import clock, money
from core.money import ZERO
from exchanges.rows import MarketType
from orders.models import Fill, FundingPayment, Side, Transfer
from pipeline import contract_scopes, cursors, pauses, schedule
from pipeline.models import Stream, SyncCursor
from pipeline.session import Session
from pipeline.work import work_due
from portfolio.balances import computed_totals, latest_rows
from portfolio.models import AssetDay, WalletBalance

ASKED_AT_ONCE: Final = 30
SEARCHED_AGAIN: Final = timedelta(hours=1)
_LATELY: Final = 10  # symbols asked between two searches: a round trip moves no balance of its own coin
_LATEST: Final = 200  # fills that tell which were traded last


def explore(session: Session) -> None:
    """Read due fills; they bring assets, assets bring symbols: again until nothing new comes."""
    while _follow_new(session) + work_due(session, Stream.FILLS):
        continue


def explore_contracts(session: Session) -> None:
    """Read due fills of contracts; where the exchange wants symbols named, one tells the next."""
    while contract_scopes.follow_new(session) + work_due(session, Stream.CONTRACT_FILLS):
        continue


def search(session: Session) -> None:
    """Ask some of the symbols that were never asked, or not since balances stopped adding up."""
    with session.door("Looking for more symbols") as now:
        lately = _notice(session)
        _ask(session, lately)
        claimed = cursors.claim(
            account_id=session.account.id, streams=[Stream.DISCOVERY], due_by=session.started, now=now
        )
    for cursor in claimed:
        others = session.client.sweep_symbols(sorted(session.followed))
        with session.door() as now:
            left = _unasked(session, [*sorted(session.followed), *others], searched_since(cursor))
            turn = left[:ASKED_AT_ONCE] if left and pauses.take_sweep(session.account.exchange) else []
            _ask(session, turn)
            goes_on = now + schedule.SWEEP if len(turn) < len(left) else None
            session.finish(cursor, ok_at=now, due_at=goes_on)
    if claimed or lately:
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


def _notice(session: Session) -> list[str]:
    """Begin a search when balances differ from the facts otherwise than at the last one, once in an hour; between, the
    symbols traded last that may explain another difference."""
    if session.reported_at is None:
        return []
    cursor = SyncCursor.objects.get(account=session.account, stream=Stream.DISCOVERY)
    digest = _digest(_unexplained(session, session.reported_at + session.client.clock_offset))
    since, lately = searched_since(cursor), []
    before = cursor.position.split(":")
    if digest in (before[0], before[-1]):
        return []
    if not digest:
        cursor.position = ""
    elif since is None or session.reported_at - since >= SEARCHED_AGAIN:
        cursor.position = f"{digest}:{clock.to_ms(session.reported_at)}"
        cursor.due_at = min(cursor.due_at, session.started)
    else:
        cursor.position = ":".join([*before[:2], digest])
        lately = _unasked(session, _traded_last(session), session.reported_at)
    cursor.save(update_fields=["position", "due_at"])
    return lately


def searched_since(cursor: SyncCursor) -> datetime | None:
    """The moment of the report that a symbol must have been asked after. A position is what differed then, this
    moment, and what differed when symbols were asked without a search."""
    _, _, rest = cursor.position.partition(":")
    since, _, _ = rest.partition(":")
    return clock.from_ms(int(since)) if since else None


def _traded_last(session: Session) -> list[str]:
    rows = Fill.objects.filter(account=session.account, market_type=MarketType.SPOT).order_by("-executed_at")
    symbols = dict.fromkeys(rows.values_list("symbol", flat=True)[:_LATEST])
    return [symbol for symbol in symbols if symbol in session.followed][:_LATELY]


def _unexplained(session: Session, at: datetime) -> dict[str, Decimal]:
    """Reported less computed, by facts up to `at` (the report, by the exchange's clock), where they differ."""
    account = session.account
    differences: dict[str, Decimal] = defaultdict(Decimal)
    for row in latest_rows(account_ids=[account.id]):
        differences[row.asset] += row.available + row.locked
    for (_, asset), total in computed_totals(account_ids=[account.id]).items():
        differences[asset] -= total
    for fill in Fill.objects.filter(account=account, executed_at__gt=at).defer("raw"):
        if fill.market_type == MarketType.SPOT:
            sign = 1 if fill.side == Side.BUY else -1
            differences[fill.base_asset] += sign * fill.quantity
            differences[fill.quote_asset] -= sign * fill.quote_quantity
        else:
            differences[fill.settle_asset] += fill.realized_pnl or ZERO
        differences[fill.fee_currency] -= fill.fee_amount
    for payment in FundingPayment.objects.filter(account=account, paid_at__gt=at).defer("raw"):
        differences[payment.asset] += payment.amount
    return {asset: difference for asset, difference in differences.items() if difference != ZERO}


def _digest(differences: dict[str, Decimal]) -> str:
    """ "" for none."""
    told = ";".join(f"{asset}={money.text(differences[asset])}" for asset in sorted(differences))
    return hashlib.sha256(told.encode()).hexdigest()[:16] if told else ""


def _unasked(session: Session, symbols: list[str], since: datetime | None) -> list[str]:
    """Of these, the symbols without a cursor, and those read last before `since`."""
    rows = SyncCursor.objects.filter(account=session.account, stream=Stream.FILLS)
    read_at = dict(rows.values_list("scope", "last_ok_at"))
    return [
        symbol
        for symbol in symbols
        if symbol not in read_at or (since is not None and ((at := read_at[symbol]) is None or at < since))
    ]


def _ask(session: Session, symbols: list[str]) -> None:
    """Read the fills of these symbols in this run; a cursor remembers that each was asked."""
    account = session.account
    cursors.ensure(account=account, stream=Stream.FILLS, scopes=symbols, due_at=session.started)
    cursors.make_due(account_id=account.id, streams=[Stream.FILLS], at=session.started, scopes=symbols)
    session.asked |= set(symbols)
    session.run.steps_total += len(symbols)
