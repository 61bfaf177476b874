"""What of a pool counts for one of its accounts, day by day. Needs an open door.

What the pool holds and what that cost belong to its accounts by what their facts say they hold of the coin, never below
nothing; what it realised belongs to the account of the exit. Added up over the accounts it is the pool, to the last
digit. Coins between two accounts count for those who hold some.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import F, Sum
from django.db.models.functions import TruncDate

from core.money import ZERO, from_units, to_units
from credentials.models import ExchangeAccount
from portfolio import books, pools
from portfolio.models import Allocation, AssetDay, Book, BookDay

_MOVES: Final = F("traded") + F("deposited") - F("withdrawn") - F("withdrawal_fees") + F("income")


class Share(NamedTuple):
    """An account's part of a pool at the end of a day on which it changed."""

    book_id: int
    asset: str
    quantity: Decimal
    cost: Decimal
    gross: Decimal
    """Of the day."""


class _Pool:
    """One coin's, walked through day by day."""

    def __init__(self) -> None:
        self.stock = (0, 0)
        """Quantity and cost, in units of 10**-18."""
        self.held: dict[UUID, int] = {}

    def part_of(self, account_id: UUID, order: Sequence[UUID]) -> tuple[Decimal, Decimal]:
        """Cut so that the parts add up: each account's end less its beginning on one line of all of them."""
        known = [each for each in order if each in self.held]
        sizes = [max(self.held[each], 0) for each in known]
        if not any(sizes):
            sizes[:1] = [1]  # all of it is on its way
        whole, place = sum(sizes), known.index(account_id)
        before = sum(sizes[:place])
        after = before + sizes[place]
        quantity, cost = (amount * after // whole - amount * before // whole for amount in self.stock)
        return from_units(quantity), from_units(cost)


def by_day(account: ExchangeAccount, *, until: date | None = None) -> dict[date, list[Share]]:
    """The account's shares on every day that any of them changed; nothing where coins are not pooled."""
    pooled = _books(account)
    if not pooled:
        return {}
    members = [each.id for each in pools.members(account)]
    stocks, moves = _stocks(pooled.values(), until), _moves(members, pooled, until)
    gross = _gross(account, until)
    walked: dict[str, _Pool] = defaultdict(_Pool)
    last: dict[str, tuple[Decimal, Decimal]] = {}
    found: dict[date, list[Share]] = {}
    for day in sorted({*stocks, *moves, *gross}):
        for asset, stock in stocks.get(day, {}).items():
            walked[asset].stock = stock
        for (asset, holder), amount in moves.get(day, {}).items():
            held = walked[asset].held
            held[holder] = held.get(holder, 0) + amount
        touched = {*stocks.get(day, {}), *(asset for asset, _ in moves.get(day, {})), *gross.get(day, {})}
        for asset in sorted(touched):
            pool, made = walked[asset], gross.get(day, {}).get(asset, ZERO)
            part = pool.part_of(account.id, members) if account.id in pool.held else (ZERO, ZERO)
            if part != last.get(asset, (ZERO, ZERO)) or made:
                found.setdefault(day, []).append(Share(pooled[asset].id, asset, *part, made))
            last[asset] = part
    return found


def coins(account: ExchangeAccount) -> list[str]:
    """What is pooled of the account's mode."""
    return sorted(_books(account))


def _books(account: ExchangeAccount) -> dict[str, Book]:
    kept = Book.objects.filter(books.NOT_GIVEN_UP, pool=account.mode).defer("state")
    return {book.asset: book for book in kept}


def _stocks(of_pools: Iterable[Book], until: date | None) -> dict[date, dict[str, tuple[int, int]]]:
    rows = BookDay.objects.filter(book__in=list(of_pools), **_up_to(until))
    found: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    for day, asset, quantity, cost in rows.values_list("day", "book__asset", "quantity", "cost"):
        found[day][asset] = to_units(quantity), to_units(cost)
    return found


def _moves(
    members: Sequence[UUID], assets: Iterable[str], until: date | None
) -> dict[date, dict[tuple[str, UUID], int]]:
    """What facts changed the accounts' holdings by."""
    rows = AssetDay.objects.filter(account_id__in=members, asset__in=list(assets), **_up_to(until))
    found: dict[date, dict[tuple[str, UUID], int]] = defaultdict(dict)
    for day, asset, holder, amount in rows.annotate(amount=_MOVES).values_list(
        "day", "asset", "account_id", "amount"
    ):
        found[day][asset, holder] = to_units(amount)
    return found


def _gross(account: ExchangeAccount, until: date | None) -> dict[date, dict[str, Decimal]]:
    """Of the account's exits out of pools, by the day of the fill."""
    parts = Allocation.objects.filter(account=account, trade__position__book__pool=account.mode)
    parts = parts.exclude(source=Allocation.Source.UNKNOWN).annotate(day=TruncDate("exit_fill__executed_at"))
    sums = parts.filter(**_up_to(until)).order_by().values_list("day", "trade__position__book__asset")
    found: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for day, asset, made in sums.annotate(made=Sum(F("proceeds") - F("cost"))):
        found[day][asset] = made
    return found


def _up_to(until: date | None) -> Mapping[str, Any]:
    return {} if until is None else {"day__lte": until}
