"""Coins that come into a book without a trade, and what they cost.

Airdrops and interest cost what they were worth in their hour. A deposit costs what the withdrawal from another of the
user's accounts took out there, if it is one, else what the user states; else its cost is unknown.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from uuid import UUID

from core import clock, money
from orders import facts
from orders.facts import BookTransfer
from orders.models import OwnTransfer, Transfer, TransferKind
from portfolio import pools
from portfolio.accounting import moved
from portfolio.accounting.events import Event, deposit, receipt, withdrawal
from portfolio.accounting.moved import Carried
from portfolio.models import Allocation, Book, MovedLot

PriceOf = Callable[[str, int], int]
"""What one coin is worth in the book's currency at a moment (milliseconds), in units. Raises NoPrice."""


def events(book: Book, *, account_id: UUID, since: datetime | None, price_of: PriceOf) -> Iterator[Event]:
    """The transfers of one of the book's accounts from a moment on (inclusive), in fold order.

    What went from one account of a pool to another never left it: of both ends only what exceeds the other is an event.
    """
    rows = list(facts.book_transfers(account_id=account_id, asset=book.asset, after=since))
    kept = pools.kept(book, account_id) if book.pool and rows else {}
    carried = _carried([row.carried_by for row in rows if row.carried_by is not None])
    for row in rows:
        if row.fact not in kept:
            yield from _events_of(row, book.asset, carried, price_of)
        elif (beyond := row.quantity - kept[row.fact]) > 0:
            yield from _events_of(
                row._replace(quantity=beyond, stated_cost=None, carried_by=None),
                book.asset,
                carried,
                price_of,
            )


def sources(book: Book) -> dict[int, str]:
    """What kind of entry each transfer into the book is that has a cost, by its row."""
    accounts = [account.id for account in pools.accounts_of(book)]
    into = Transfer.objects.filter(account_id__in=accounts, asset=book.asset)
    given = into.filter(kind__in=(TransferKind.AIRDROP, TransferKind.INTEREST)).values_list("id", "kind")
    arrived = OwnTransfer.objects.filter(
        state=OwnTransfer.State.CONFIRMED, incoming__account_id__in=accounts, incoming__asset=book.asset
    ).values_list("incoming_id", flat=True)
    stated = into.filter(stated_cost__isnull=False).values_list("id", flat=True)
    return {
        **dict(given),
        **dict.fromkeys(stated, Allocation.Source.STATED.value),
        **dict.fromkeys(arrived, Allocation.Source.TRANSFER.value),
    }


def _events_of(
    row: BookTransfer, asset: str, carried: dict[int, list[Carried]], price_of: PriceOf
) -> Iterator[Event]:
    name, at, quantity = row.transfer_id, row.time_ms, row.quantity
    if row.kind == TransferKind.WITHDRAWAL:
        yield withdrawal(transfer_id=name, time_ms=at, quantity=quantity, fact=row.fact)
    elif row.kind != TransferKind.DEPOSIT:
        yield receipt(
            transfer_id=name, asset=asset, time_ms=at, quantity=quantity, cost=quantity, price=price_of(asset, at),
            fact=-row.fact,
        )  # fmt: skip
    elif row.carried_by is not None:
        parts = carried.get(row.carried_by, [])
        yield from moved.arriving(
            parts, transfer_id=name, asset=asset, time_ms=at, quantity=quantity, fact=-row.fact
        )
    elif row.stated_cost is not None:
        yield receipt(
            transfer_id=name, asset=asset, time_ms=at, quantity=quantity, cost=row.stated_cost, fact=-row.fact
        )
    else:
        yield deposit(transfer_id=name, time_ms=at, quantity=quantity)


def _carried(withdrawals: Collection[int]) -> dict[int, list[Carried]]:
    """What each withdrawal took out of its book; nothing while that book is not folded."""
    found: dict[int, list[Carried]] = defaultdict(list)
    if not withdrawals:
        return found
    rows = MovedLot.objects.filter(transfer_id__in=withdrawals).order_by("transfer_id", "sequence")
    for row in rows:
        cost = None if row.source == Allocation.Source.UNKNOWN else money.to_units(row.cost)
        part = Carried(
            money.to_units(row.quantity), cost, money.to_units(row.entry_fee), clock.to_ms(row.entered_at)
        )
        found[row.transfer_id].append(part)
    return found
