"""Pools: the coins of all accounts of a mode in one book, where their owner wants it (`User.cost_scope`). Needs an open
door.

A pool's book hangs on one of the accounts, whichever; what is read into it are the facts of all. In it symbols bear the
account they were traded at: ids of fills and orders repeat across accounts, and rows hang on the account of their fill.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from core import money
from credentials.models import DATA_SOURCES, ExchangeAccount
from exchanges.rows import MarketType
from orders import own_transfers
from orders.models import Transfer
from portfolio.accounting.events import Event, at_place
from portfolio.models import Book

ALL: Final = "all"
_MARK: Final = ":"
_TAGS: Final = re.compile(r"\b[0-9a-f]{32}:")
_LENGTH: Final = len(UUID(int=0).hex) + len(_MARK)


def is_wanted(owner: User) -> bool:
    return owner.cost_scope == ALL


def members(account: ExchangeAccount) -> list[ExchangeAccount]:
    """All that pool their coins with this account if any do, itself included: of one mode, closed ones too."""
    rows = ExchangeAccount.objects.filter(mode=account.mode).exclude(exchange__in=DATA_SOURCES)
    return list(rows.select_related("user").order_by("created_at", "id"))


def sharing(account: ExchangeAccount) -> list[ExchangeAccount]:
    """The accounts that the account's facts count for: itself, unless its coins are pooled."""
    return members(account) if is_wanted(account.user) else [account]


def accounts_of(book: Book) -> list[ExchangeAccount]:
    """Whose facts a book is made of."""
    return members(book.account) if book.pool else [book.account]


def is_in_force(book: Book, owner: User) -> bool:
    """Whether its owner has coins kept so; contracts are never pooled."""
    return book.market_type != MarketType.SPOT or bool(book.pool) is is_wanted(owner)


def symbol_in(book: Book, account_id: UUID, symbol: str) -> str:
    """How a book calls a symbol traded at one of its accounts."""
    return f"{account_id.hex}{_MARK}{symbol}" if book.pool else symbol


def parted(symbol: str) -> tuple[str, str]:
    """Of a symbol within a pool: the account's id in hex, and what the exchange calls it."""
    return symbol[: _LENGTH - len(_MARK)], symbol[_LENGTH:]


def readable(message: str) -> str:
    """Words about a symbol within a pool, without the account's id."""
    return _TAGS.sub("", message)


def placed(book: Book, account_id: UUID, events: Iterable[Event]) -> Iterator[Event]:
    """Events of one of a book's accounts, as the book takes them."""
    return (at_place(event, symbol_in(book, account_id, event.symbol)) for event in events)


def kept(book: Book, account_id: UUID) -> dict[int, int]:
    """Of an account's transfers that only went from one account of the pool to another (the row's number), how much of
    each was in the pool before and after, in units of 10**-18: coins on their way belong to it."""
    ids = [each.id for each in accounts_of(book)]
    pairs = own_transfers.inside(account_ids=ids).filter(incoming__asset=book.asset)
    pairs = pairs.filter(Q(outgoing__account_id=account_id) | Q(incoming__account_id=account_id))
    rows = list(pairs.select_related("outgoing", "incoming").defer("outgoing__raw", "incoming__raw"))
    arrived = {row.outgoing_id: _total(row.incoming) for row in rows if row.outgoing.account_id == account_id}
    left = {
        row.incoming_id: 0 if row.outgoing.status == "failed" else _total(row.outgoing)
        for row in rows
        if row.incoming.account_id == account_id
    }
    return arrived | left


def _total(transfer: Transfer) -> int:
    return money.to_units(transfer.amount + transfer.fee_amount)
