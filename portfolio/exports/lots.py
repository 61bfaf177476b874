"""Tax lots: what was disposed of, each part with the entry it consumed, and what is held.

They tell dates and days held, and judge nothing: what is short or long, and which method a law allows, differs.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from core import clock, money
from core.django.fields import MoneyField
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders.models import OwnTransfer
from portfolio import pools, receipts
from portfolio.accounting.open_lots import OpenLot, open_contract_lots, open_lots
from portfolio.exports.sections import OF_ACCOUNT, Section, Selection, amount, integer, text, time
from portfolio.exports.tables import Row
from portfolio.models import Allocation, Book, MovedLot, PositionSide

_SOURCE: Final = Allocation.Source
LOTS: Final = Section(
    "tax_lot",
    *OF_ACCOUNT,
    text("state"),
    text("market_type", "trade__market_type"),
    text("asset", "trade__position__book__asset"),
    text("side", "trade__side"),
    text("method", "trade__position__book__method"),
    text("source"),
    time("acquired_at"),
    time("disposed_at", "exit_fill__executed_at"),
    integer("held_days"),
    amount("quantity"),
    text("currency", "trade__position__book__currency"),
    amount("cost", "known_cost"),
    amount("proceeds"),
    amount("gain"),
    amount("entry_fee"),
    amount("exit_fee"),
    amount("net_gain"),
    text("disposed_by", "trade__kind"),
    text("entry_id"),
    text("exit_id", "exit_fill__exchange_fill_id"),
    integer("trade_id"),
)
_RISES: Final = Q(trade__side=PositionSide.LONG, trade__is_inverse=False) | Q(
    trade__side=PositionSide.SHORT, trade__is_inverse=True
)


def lots(selection: Selection) -> Iterator[Row]:
    """Disposed of in the span, by the time of the exit; then, where the span has no end, what is held."""
    yield from LOTS.rows(_disposed(selection))
    if selection.until is None:
        for book in _books(selection):
            yield from _held(book, selection)


def _disposed(selection: Selection) -> QuerySet[Any]:
    carried = OwnTransfer.objects.filter(
        incoming_id=OuterRef(OuterRef("entry_transfer_id")), state=OwnTransfer.State.CONFIRMED
    )
    bought = (
        MovedLot.objects.filter(transfer_id=Subquery(carried.values("outgoing_id")[:1]))
        .values("transfer_id")
        .annotate(first=Min("entered_at"))
        .values("first")
    )
    known = ~Q(source=_SOURCE.UNKNOWN)
    rows = Allocation.objects.filter(**selection.within("exit_fill__executed_at")).annotate(
        state=Value("disposed"),
        entry_id=Coalesce("entry_fill__exchange_fill_id", "entry_transfer__exchange_transfer_id"),
        acquired_at=Coalesce(
            "entry_fill__executed_at",
            Case(When(source=_SOURCE.TRANSFER, then=Subquery(bought)), output_field=DateTimeField()),
            "entry_transfer__occurred_at",
        ),
        known_cost=Case(When(known, then=F("cost")), output_field=MoneyField()),
        gain=Case(
            When(known & _RISES, then=F("proceeds") - F("cost")),
            When(known, then=F("cost") - F("proceeds")),
            output_field=MoneyField(),
        ),
    )
    rows = rows.annotate(
        net_gain=F("gain") - F("entry_fee") - F("exit_fee"),
        held_days=Func(
            F("exit_fill__executed_at"),
            F("acquired_at"),
            template="floor(extract(epoch FROM %(expressions)s) / 86400)::bigint",
            arg_joiner=" - ",
            output_field=BigIntegerField(),
        ),
    )
    return rows.order_by("exit_fill__executed_at", "exit_fill_id", "trade_id", "sequence")


def _books(selection: Selection) -> Iterator[Book]:
    """Pools too, whoever's account their book hangs on: their lots are of the account that bought them. So their place
    does not depend on that account."""
    of_accounts = Q(account_id__in=selection.account_ids) | ~Q(pool="")
    rows = Book.objects.filter(of_accounts).select_related("account__user")
    return rows.order_by("market_type", "asset", "side", "account__created_at", "account_id").iterator(
        chunk_size=20
    )


def _held(book: Book, selection: Selection) -> Iterator[Row]:
    is_coin = book.market_type == MarketType.SPOT
    held = open_lots(book.state) if is_coin else open_contract_lots(book.state, book.method)
    accounts = {each.id.hex: each for each in pools.accounts_of(book)}
    sources = None
    for lot in held:
        account = book.account
        if book.pool and lot.symbol is not None:
            account = accounts[pools.parted(lot.symbol)[0]]
        if account.id not in selection.account_ids:
            continue
        if lot.fact is not None and lot.fact < 0 and sources is None:
            sources = receipts.sources(book)
        yield _row(book, account, lot, _source(lot, sources or {}))


def _source(lot: OpenLot, sources: dict[int, str]) -> str:
    if lot.fact is None:
        return _SOURCE.DUST.value
    return sources.get(-lot.fact, _SOURCE.LOT.value) if lot.fact < 0 else _SOURCE.LOT.value


def _row(book: Book, account: ExchangeAccount, lot: OpenLot, source: str) -> Row:
    entered = None if lot.entered_ms is None else clock.from_ms(lot.entered_ms)
    told = {
        "account": account.label,
        "exchange": account.exchange,
        "state": "held",
        "market_type": book.market_type,
        "asset": book.asset,
        "side": lot.side,
        "method": book.method,
        "source": source,
        "acquired_at": None if entered is None else f"{entered:%Y-%m-%dT%H:%M:%S.%fZ}",
        "quantity": money.text(money.from_units(lot.quantity)),
        "currency": book.settle_asset or book.currency,
        "cost": money.text(money.from_units(lot.cost)),
        "entry_fee": money.text(money.from_units(lot.entry_fee)),
        "entry_id": lot.entry_id,
    }
    return [told.get(name) for name in LOTS.table.names]
