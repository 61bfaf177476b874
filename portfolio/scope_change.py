"""From books of single accounts to pools and back: what is not wanted any more goes in the transaction that folds what
takes its place. Needs an open door."""

from django.db.models import Q, QuerySet

from core import clock
from exchanges.rows import MarketType
from portfolio import books
from portfolio.models import Book, BookDay, MovedLot
from portfolio.store import Pending


def lock_replaced(book: Book) -> None:
    """Whatever a fold of the book may have to give up, and itself, in the order in which others lock them."""
    if _replaced(book).filter(books.NOT_GIVEN_UP).exists():
        books.lock(Book.objects.filter(asset=book.asset, market_type=MarketType.SPOT))


def take_over(book: Book) -> None:
    """Give up what the book replaces. Facts that were not folded there yet are folded here: it is stale from then on,
    and so are the others that take the same place."""
    for other in _replaced(book).filter(books.NOT_GIVEN_UP).select_for_update(of=("self",)).order_by("id"):
        stale_from = other.stale_from
        give_up(other)
        if stale_from is not None and book.stale_from is not None:
            book.stale_from = min(book.stale_from, stale_from)


def give_up(book: Book) -> None:
    """Nothing of it stays but its row, which stands by. What waited in it waits in what its owner wants instead."""
    Pending(book).commit(restart=clock.EPOCH)
    BookDay.objects.filter(book=book).delete()
    MovedLot.objects.filter(book=book).delete()
    if book.stale_from is not None and book.pool:
        later = Q(stale_from__isnull=True) | Q(stale_from__gt=book.stale_from)
        _replaced(book).filter(later).update(stale_from=book.stale_from)
    elif book.stale_from is not None:
        books.mark_pools(book.account, {book.asset: book.stale_from})
    book.state, book.engine_version, book.fact_count = {}, 0, 0
    book.folded_to = book.stale_from = None
    book.blocked_reason = ""
    book.save()


def _replaced(book: Book) -> QuerySet[Book]:
    """Books of the same coins, kept the other way."""
    same = Book.objects.filter(asset=book.asset, market_type=MarketType.SPOT).select_related("account__user")
    return same.filter(pool="", account__mode=book.pool) if book.pool else same.filter(pool=book.account.mode)
