"""How old the books of a scope are, and a cheap version of everything its answers are made of."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Max

from core import clock
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from marketdata.models import Ticker
from portfolio.models import Position, PositionStatus, ReportedPosition
from portfolio.selectors import standing
from portfolio.selectors.standing import Standing

STALE_AFTER: Final = timedelta(hours=1)
"""Accounts are synced every 3 to 60 minutes."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """`as_of`: the exchange's last word on the oldest of the connected accounts, or when its books were drawn if that
    is longer ago; None before the first time."""

    as_of: datetime | None
    is_stale: bool


def freshness(*, scope: Scope, at: datetime, stands: Standing | None = None) -> Freshness:
    """The age of the books: folding old facts anew makes them no younger. Closed accounts do not age: nothing new can
    come. `stands` saves reading it again."""
    stands = stands or standing.read(scope)
    living = scope.living_ids or scope.account_ids
    heard = {mark.account_id: mark.heard_at for mark in stands.marks if mark.heard_at is not None}
    times = {
        row.account_id: min(row.computed_at, heard.get(row.account_id, row.computed_at))
        for row in stands.snapshots
        if row.account_id in living
    }
    as_of = min(times.values(), default=None)
    closed = not scope.living_ids and bool(scope.account_ids)
    missing = any(account_id not in times for account_id in living)
    is_old = as_of is None or at - as_of > STALE_AFTER
    return Freshness(as_of=as_of, is_stale=not closed and (missing or is_old))


def version(*, scope: Scope, at: datetime, with_prices: bool, stands: Standing | None = None) -> str:
    """Changes whenever an answer over the scope may: every sync rewrites the last snapshot, a fold its book, a
    price its ticker; and whenever what is told of its trust or of excursions does. With prices it also changes every
    minute, as prices grow stale by themselves."""
    stands, ids = stands or standing.read(scope), scope.account_ids
    snapshots = [(row.id, row.computed_at, row.snapshot_date) for row in stands.snapshots]
    marks = [
        (mark.is_compared, mark.coverage, mark.cost_unknown_trades, mark.excursions_told)
        for mark in stands.marks
    ]
    parts: list[object] = [ids, scope.exchange_name, stands.books, snapshots, stands.changes]
    parts += [marks, stands.differences]
    if with_prices:
        parts += [*_moving(ids), [mark.heard_at for mark in stands.marks], (at - clock.EPOCH) // _MINUTE]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _moving(account_ids: Sequence[UUID]) -> Iterator[object]:
    """What balances and open positions at current prices are made of, beside the books."""
    yield Ticker.objects.aggregate(Max("read_at"))
    yield list(
        ExchangeAccount.objects.filter(id__in=account_ids).order_by("id").values_list("label", flat=True)
    )
    yield ReportedPosition.objects.filter(account_id__in=account_ids).aggregate(Max("reported_at"))
    opened = Position.objects.filter(account_id__in=account_ids, status=PositionStatus.OPEN).order_by("id")
    yield list(opened.values_list("id", "leverage", "stop_loss_price", "take_profit_prices"))
