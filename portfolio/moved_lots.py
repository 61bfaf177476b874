"""What withdrawals took out of a book, stored; where it goes on into another account, that account's book is stale."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from core import clock, money
from orders import own_transfers
from orders.models import OwnTransfer, Transfer
from orders.touched import Touched
from portfolio import books, pools
from portfolio.accounting.results import AllocationKind, MovedRow
from portfolio.models import Book, MovedLot

_Parts = dict[int, list[tuple[Any, ...]]]
_COLUMNS = (
    *("sequence", "source", "quantity", "cost", "entry_fee", "entered_at", "moved_at"),
    *("entry_fill_id", "entry_transfer_id"),
)


def replace(
    book: Book, rows: Iterable[MovedRow], *, restart: datetime | None, sources: Mapping[int, str]
) -> set[int]:
    """Store a fold's rows; answers the transfers of which a part changed. `restart`: those from that moment on are all
    there are; None: they are added."""
    before: _Parts = defaultdict(list)
    if restart is not None:
        stored = MovedLot.objects.filter(book=book, moved_at__gte=restart).order_by("transfer_id", "sequence")
        for transfer_id, *part in stored.values_list("transfer_id", *_COLUMNS):
            before[transfer_id].append(tuple(part))
    after: _Parts = defaultdict(list)
    for row in rows:
        after[row.fact].append(_part(row, sources))
    changed = {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}
    MovedLot.objects.filter(book=book, transfer_id__in=changed & before.keys()).delete()
    MovedLot.objects.bulk_create(
        MovedLot(
            user_id=book.user_id,
            account_id=book.account_id,
            book=book,
            transfer_id=transfer_id,
            **dict(zip(_COLUMNS, part, strict=True)),
        )
        for transfer_id in sorted(changed & after.keys())
        for part in after[transfer_id]
    )
    return changed


def carry_on(changed: Collection[int]) -> None:
    """What these withdrawals took is carried on: the book it came into is stale from then on."""
    if changed:
        mark_receivers(own_transfers.confirmed().filter(outgoing_id__in=changed))


def mark_receivers(carried: QuerySet[OwnTransfer]) -> None:
    """The books that these transfers bring coins into are stale from then on; a pool is from when they left, as what
    stays in it never does."""
    rows = carried.select_related("incoming__account__user", "outgoing__account__user")
    for own in rows.order_by("incoming__account_id", "id"):
        mark_entry(own.outgoing if pools.is_wanted(own.outgoing.account.user) else own.incoming)


def mark_entry(transfer: Transfer) -> None:
    """What the transfer's coins cost may be told otherwise: its book is stale from it on."""
    touched = Touched()
    touched.note(transfer.asset, transfer.occurred_at)
    touched.days.add((transfer.asset, clock.utc_day(transfer.occurred_at)))
    books.mark_stale(account=transfer.account, touched=touched)


def _part(row: MovedRow, sources: Mapping[int, str]) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    entry, source = row.entry_fact, str(row.kind)
    if row.kind is AllocationKind.LOT and entry is not None and entry < 0:
        source = sources.get(-entry, source)
    return (
        *(row.sequence, source, money.from_units(row.quantity), money.from_units(row.cost)),
        *(money.from_units(row.fees), clock.from_ms(row.entered_ms), clock.from_ms(row.moved_ms)),
        entry if entry is not None and entry > 0 else None,
        -entry if entry is not None and entry < 0 else None,
    )
