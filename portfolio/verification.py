"""Whether the stored books are what the facts give: everything is folded from zero and compared, and nothing is kept.

The rebuild is the real one, in a transaction that is rolled back: its statements write a row only where it differs, so
books that are right cost a fold and no writes. Workers that want to mark these books wait until it is over. Snapshots
are drawn and metrics measured once more the same way; those that have something to do yet are left out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import repeat
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from core import clock
from core.django import tenancy
from core.money import ZERO
from credentials.models import ExchangeAccount
from orders import fact_days, facts
from orders.facts import AssetChange
from portfolio import books, metrics, rebuild, snapshots
from portfolio.models import AssetDay, ChangedDay, MetricMark, PortfolioSnapshot

_SUMS: Final = (
    *("traded", "deposited", "withdrawn", "withdrawal_fees", "settled", "funding", "income", "moved"),
)
_PAIRS: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Table:
    """A derived table. `book`: which book a row `r` is of; `place`: what a person finds it by; `at`: its order."""

    name: str
    what: str
    book: str
    place: str
    at: str
    ignored: tuple[str, ...] = ()
    key: str = "id"
    compared: str = "true"
    """Which rows are looked at."""


_NO_BOOK: Final = "NULL::bigint"
_POSITION: Final = "(SELECT {0} FROM portfolio_position p WHERE p.id = r.position_id)"
_TRADE: Final = (
    "(SELECT {0} FROM portfolio_trade t JOIN portfolio_position p ON p.id = t.position_id"
    " WHERE t.id = r.trade_id)"
)
_TABLES: Final = (
    _Table(
        "portfolio_position", "position", "r.book_id", "r.symbol || ' opened ' || r.opened_at", "r.opened_at",
        ("last_updated",),
    ),
    _Table(
        "portfolio_trade", "trade", _POSITION.format("p.book_id"), "r.symbol || ' of order ' || r.exit_order_id",
        "r.exit_time",
    ),
    _Table(
        "portfolio_allocation", "allocation", _TRADE.format("p.book_id"),
        "'trade ' || r.trade_id || ', exit fill ' || r.exit_fill_id", "r.exit_fill_id",
        key="trade_id, exit_fill_id, sequence",
    ),
    _Table("portfolio_bookday", "day of a book", "r.book_id", "r.day::text", "r.day"),
    _Table(
        "portfolio_fee", "fee", _NO_BOOK, "r.fee_amount || ' ' || r.fee_currency || ' at ' || r.fee_timestamp",
        "r.fee_timestamp",
    ),
    _Table(
        "portfolio_book", "book", "r.id", "r.asset", "r.id",
        # How many events were folded counts those again that a late fact made it fold again.
        ("stale_from", "leased_until", "rebuilt_at", "blocked_reason", "fact_count"),
    ),
)  # fmt: skip
_SNAPSHOTS: Final = (
    _Table(
        "portfolio_portfoliosnapshot", "snapshot", _NO_BOOK, "r.snapshot_date::text", "r.snapshot_date",
        ("computed_at",), compared="r.snapshot_date < %(until)s",
    ),
    _Table(
        "portfolio_assetsnapshot", "asset of a snapshot", _NO_BOOK, "r.asset || ' in snapshot ' || r.snapshot_id",
        "r.snapshot_id", key="snapshot_id, asset", compared=(
            "EXISTS (SELECT FROM portfolio_portfoliosnapshot s WHERE s.id = r.snapshot_id"
            " AND s.snapshot_date < %(until)s)"
        ),
    ),
)  # fmt: skip
_METRICS: Final = (
    _Table(
        "portfolio_tradeday", "day of trades", _NO_BOOK, "r.symbol || ' on ' || r.day", "r.day",
        key="account_id, day, symbol, strategy",
    ),
    _Table(
        "portfolio_performancemetric", "metric", _NO_BOOK,
        "lower(r.period_type) || ' from ' || r.period_start::date || coalesce(' of ' || r.account_id, ' of all')"
        " || CASE r.strategy WHEN '' THEN '' ELSE ', strategy ' || r.strategy END",
        "r.period_start", ("calculated_at",),
    ),
)  # fmt: skip
# A row as it was (`old`) and as it is after the rebuild (`new`); one of the two may be missing. Books that waited to be
# folded already are left out.
_DIFFERENT: Final = """
WITH differing AS MATERIALIZED (
  SELECT to_jsonb(old) AS old, to_jsonb(new) AS new
  FROM stored_{name} old FULL JOIN (SELECT * FROM {name} WHERE {whose}) new USING ({key})
  WHERE (to_jsonb(old) - %(ignored)s::text[]) IS DISTINCT FROM (to_jsonb(new) - %(ignored)s::text[])
)
SELECT {place}, (old - %(ignored)s::text[])::text, (new - %(ignored)s::text[])::text
FROM differing CROSS JOIN LATERAL jsonb_populate_record(NULL::{name}, coalesce(old, new)) r
WHERE NOT coalesce({book} = ANY(%(waiting)s), false) AND {compared}
ORDER BY {at}, r.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first row that is not as the facts give it: `stored` and `rebuilt` hold the columns that differ, or are None
    where there is no such row."""

    what: str
    place: str
    stored: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


@dataclass(slots=True)
class Verified:
    """What was looked at. `waiting`: books that are not folded yet, and so were left out; with any, days of the equity
    curve are, too. Of metrics: what changed since they were measured."""

    books: int = 0
    facts: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    mismatch: Mismatch | None = None


def verify(*, user_id: UUID, account_id: UUID, at: datetime) -> Verified:
    """Rebuild an account's books and days, and compare. Opens its own door, of which nothing stays."""
    found = Verified()
    with tenancy.acting_as(user_id), transaction.atomic():
        account = ExchangeAccount.objects.get(id=account_id)
        stale = dict(books.of(account).filter(stale_from__isnull=False).values_list("id", "asset"))
        found.waiting = sorted(stale.values())
        for table in (*_TABLES, *_SNAPSHOTS):
            found.rows[table.what] = _keep(table, account_id=account_id)
        until = _last_final_day(account, at)
        rebuilt = rebuild.rebuild_account(user_id=user_id, account_id=account_id, at=at, from_zero=True)
        found.books, found.facts = rebuilt.books - len(stale), rebuilt.facts
        days = AssetDay.objects.filter(account=account)
        found.rows["day of an asset"] = days.count()
        found.mismatch = next(_mismatches(account, list(stale)), None)
        if found.mismatch is None and until is not None and not stale:
            snapshots.refresh(user_id=user_id, account_id=account_id, at=at)
            found.mismatch = _first_of(_SNAPSHOTS, account_id=account_id, until=until)
        transaction.set_rollback(True)
    return found


def verify_metrics(*, user_id: UUID) -> Verified:
    """Measure a user's performance once more, from stored trades and days, and compare. Opens its own door, of which
    nothing stays."""
    found = Verified()
    with tenancy.acting_as(user_id), transaction.atomic():
        mark = MetricMark.objects.first()
        if mark is None or mark.drawn_to is None:
            return found
        changed = ChangedDay.objects.values_list("day", flat=True).distinct().order_by("day")
        found.waiting = [day.isoformat() for day in changed]
        for table in _METRICS:
            found.rows[table.what] = _keep(table, account_id=None)
        if not found.waiting:
            # Its present day is that of the last time: so nothing differs because time went by.
            metrics.refresh(user_id=user_id, at=clock.day_start(mark.drawn_to), from_zero=True)
            found.mismatch = _first_of(_METRICS, account_id=None)
        transaction.set_rollback(True)
    return found


def _last_final_day(account: ExchangeAccount, at: datetime) -> date | None:
    """Of snapshots, up to which the days before are compared: closes of the newest may still come."""
    final = PortfolioSnapshot.objects.filter(account=account, is_final=True)
    last = final.aggregate(last=Max("snapshot_date"))["last"]
    return None if last is None else min(last, clock.utc_day(at) - clock.DAY)


def _keep(table: _Table, *, account_id: UUID | None) -> int:
    """The rows of an account, or of all, as they are, aside; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE stored_{table.name} ON COMMIT DROP AS"
            f" SELECT * FROM {table.name} WHERE {_WHOSE[account_id is None]}",
            {"account": account_id},
        )
        count: int = cursor.rowcount
        return count


_WHOSE: Final = {False: "account_id = %(account)s", True: "true"}
"""By whether rows of all accounts are wanted."""


def _mismatches(account: ExchangeAccount, waiting: list[int]) -> Iterator[Mismatch]:
    yield from _days(account)
    found = _first_of(_TABLES, waiting, account_id=account.id)
    if found is not None:
        yield found


def _first_of(
    tables: Iterable[_Table],
    waiting: Sequence[int] = (),
    *,
    account_id: UUID | None,
    until: date | None = None,
) -> Mismatch | None:
    found = (_first(table, waiting, account_id=account_id, until=until) for table in tables)
    return next((one for one in found if one is not None), None)


def _first(
    table: _Table, waiting: Sequence[int], *, account_id: UUID | None, until: date | None
) -> Mismatch | None:
    query = _DIFFERENT.format(
        name=table.name, key=table.key, place=table.place, book=table.book, at=table.at, compared=table.compared,
        whose=_WHOSE[account_id is None],
    )  # fmt: skip
    asked: dict[str, Any] = {"account": account_id, "waiting": list(waiting) or [0], "until": until}
    with connection.cursor() as cursor:
        cursor.execute(query, asked | {"ignored": ["id", *table.ignored]})
        row = cursor.fetchone()
    if row is None:
        return None
    place, *texts = row
    old, new = (None if text is None else json.loads(text, parse_float=Decimal) for text in texts)
    if old is None or new is None:
        return Mismatch(table.what, place, old, new)
    names = [name for name in old if old[name] != new[name]]
    return Mismatch(table.what, place, {n: old[n] for n in names}, {n: new[n] for n in names})


def _days(account: ExchangeAccount) -> Iterator[Mismatch]:
    """Days of assets: counted from the facts once more."""
    rows = AssetDay.objects.filter(account=account).values_list("asset", "day", *_SUMS)
    stored = {(asset, day): tuple(sums) for asset, day, *sums in rows}
    known = stored.keys() | fact_days.pairs(account_id=account.id)
    pairs = sorted(known, key=lambda pair: (pair[1], pair[0]))
    for start in range(0, len(pairs), _PAIRS):
        part = pairs[start : start + _PAIRS]
        changes = facts.asset_changes(account_id=account.id, pairs=part)
        counted = {(one.asset, one.day): one for one in changes}
        found = (_day(stored.get(pair), counted[pair]) for pair in part)
        yield from (one for one in found if one is not None)


def _day(sums: tuple[Decimal, ...] | None, counted: AssetChange) -> Mismatch | None:
    """A day without a row is one on which nothing changed, or nothing that a row could hold."""
    if sums is None and not books.is_storable(counted):
        return None
    differ = {
        name: (amount, getattr(counted, name))
        for name, amount in zip(_SUMS, sums or repeat(ZERO), strict=False)
        if amount != getattr(counted, name)
    }
    if not differ:
        return None
    old = None if sums is None else {name: str(amount) for name, (amount, _) in differ.items()}
    new = {name: str(amount) for name, (_, amount) in differ.items()}
    return Mismatch("day of an asset", f"{counted.asset} on {counted.day}", old, new)
