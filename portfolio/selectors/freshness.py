"""How old the books of a scope are, and a cheap version of everything its answers are made of."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max

from core import clock
from credentials.scope import Scope
from marketdata.models import Ticker
from portfolio import marks
from portfolio.models import AssetDay, Book, MetricMark, WalletBalance
from portfolio.selectors.snapshot import latest_snapshots

STALE_AFTER: Final = timedelta(hours=1)
"""Accounts are synced every 3 to 60 minutes."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """`as_of`: the exchange's last word on the oldest of the connected accounts, or when its books were drawn if that
    is longer ago; None before the first time."""

    as_of: datetime | None
    is_stale: bool


def freshness(*, scope: Scope, at: datetime) -> Freshness:
    """The age of the books: folding old facts anew makes them no younger. Closed accounts do not age: nothing new can
    come."""
    living = scope.living_ids or scope.account_ids
    heard = marks.heard_at(account_ids=living)
    times = {
        row.account_id: min(row.computed_at, heard.get(row.account_id, row.computed_at))
        for row in latest_snapshots(account_ids=living)
    }
    as_of = min(times.values(), default=None)
    closed = not scope.living_ids and bool(scope.account_ids)
    missing = any(account_id not in times for account_id in living)
    is_old = as_of is None or at - as_of > STALE_AFTER
    return Freshness(as_of=as_of, is_stale=not closed and (missing or is_old))


def version(*, scope: Scope, at: datetime, with_prices: bool) -> str:
    """Changes whenever an answer over the scope may: every sync rewrites the last snapshot, a fold its book, a
    price its ticker. With prices it also changes every minute, as prices grow stale by themselves."""
    ids = scope.account_ids
    books = (
        Book.objects.filter(account_id__in=ids).order_by("id").values_list("id", "rebuilt_at", "stale_from")
    )
    snapshots = [(row.pk, row.computed_at, row.snapshot_date) for row in latest_snapshots(account_ids=ids)]
    metrics = list(MetricMark.objects.values_list("changes", "drawn_to"))
    reports = WalletBalance.objects.filter(account_id__in=ids).aggregate(Max("id"))
    days = AssetDay.objects.filter(account_id__in=ids).aggregate(Max("updated_at"))
    parts: list[object] = [ids, scope.exchange_name, list(books), snapshots, metrics, reports, days]
    if with_prices:
        parts += [Ticker.objects.aggregate(Max("read_at")), (at - clock.EPOCH) // _MINUTE]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
