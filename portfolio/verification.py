"""Whether the stored books are what the facts give: everything is folded from zero and compared, and nothing is kept.

The rebuild is the real one, in a transaction that is rolled back: its statements write a row only where it differs, so
books that are right cost a fold and no writes. Workers that want to mark these books wait until it is over.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import facts
from portfolio import books, rebuild
from portfolio.models import AssetDay

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
        "portfolio_fee", "fee", "NULL::bigint", "r.fee_amount || ' ' || r.fee_currency || ' at ' || r.fee_timestamp",
        "r.fee_timestamp",
    ),
    _Table(
        "portfolio_book", "book", "r.id", "r.asset", "r.id",
        # How many events were folded counts those again that a late fact made it fold again.
        ("stale_from", "leased_until", "rebuilt_at", "blocked_reason", "fact_count"),
    ),
)  # fmt: skip
# A row as it was (`old`) and as it is after the rebuild (`new`); one of the two may be missing. Books that waited to be
# folded already are left out.
_DIFFERENT: Final = """
WITH differing AS MATERIALIZED (
  SELECT to_jsonb(old) AS old, to_jsonb(new) AS new
  FROM stored_{name} old FULL JOIN (SELECT * FROM {name} WHERE account_id = %(account)s) new USING ({key})
  WHERE (to_jsonb(old) - %(ignored)s::text[]) IS DISTINCT FROM (to_jsonb(new) - %(ignored)s::text[])
)
SELECT {place}, (old - %(ignored)s::text[])::text, (new - %(ignored)s::text[])::text
FROM differing CROSS JOIN LATERAL jsonb_populate_record(NULL::{name}, coalesce(old, new)) r
WHERE NOT coalesce({book} = ANY(%(waiting)s), false)
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
    """What was looked at. `waiting`: books that are not folded yet, and so were left out."""

    books: int = 0
    facts: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    mismatch: Mismatch | None = None


def verify(*, user_id: UUID, account_id: UUID, at: datetime) -> Verified:
    """Rebuild an account's books and compare. Opens its own door, of which nothing stays."""
    found = Verified()
    with tenancy.acting_as(user_id), transaction.atomic():
        account = ExchangeAccount.objects.get(id=account_id)
        stale = dict(books.of(account).filter(stale_from__isnull=False).values_list("id", "asset"))
        found.waiting = sorted(stale.values())
        for table in _TABLES:
            found.rows[table.what] = _keep(table, account_id=account_id)
        rebuilt = rebuild.rebuild_account(user_id=user_id, account_id=account_id, at=at, from_zero=True)
        found.books, found.facts = rebuilt.books - len(stale), rebuilt.facts
        days = AssetDay.objects.filter(account=account)
        found.rows["day of an asset"] = days.count()
        found.mismatch = next(_mismatches(account, list(stale)), None)
        transaction.set_rollback(True)
    return found


def _keep(table: _Table, *, account_id: UUID) -> int:
    """The rows as they are, aside; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE stored_{table.name} ON COMMIT DROP AS"
            f" SELECT * FROM {table.name} WHERE account_id = %s",
            [account_id],
        )
        count: int = cursor.rowcount
        return count


def _mismatches(account: ExchangeAccount, waiting: list[int]) -> Iterator[Mismatch]:
    yield from _days(account)
    for table in _TABLES:
        found = _first(table, waiting, account_id=account.id)
        if found is not None:
            yield found


def _first(table: _Table, waiting: list[int], *, account_id: UUID) -> Mismatch | None:
    query = _DIFFERENT.format(name=table.name, key=table.key, place=table.place, book=table.book, at=table.at)
    with connection.cursor() as cursor:
        cursor.execute(
            query, {"account": account_id, "ignored": ["id", *table.ignored], "waiting": waiting or [0]}
        )
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
    columns = ("asset", "day", *_SUMS)
    stored = AssetDay.objects.filter(account=account).order_by("day", "asset").values_list(*columns)
    rows = list(stored)
    for start in range(0, len(rows), _PAIRS):
        part = rows[start : start + _PAIRS]
        changes = facts.asset_changes(account_id=account.id, pairs=[(asset, day) for asset, day, *_ in part])
        counted = {(one.asset, one.day): one for one in changes}
        for asset, day, *sums in part:
            one = counted[asset, day]
            differ = {
                name: (amount, getattr(one, name))
                for name, amount in zip(_SUMS, sums, strict=True)
                if amount != getattr(one, name)
            }
            if differ:
                old = {name: str(amount) for name, (amount, _) in differ.items()}
                new = {name: str(amount) for name, (_, amount) in differ.items()}
                yield Mismatch("day of an asset", f"{asset} on {day}", old, new)
