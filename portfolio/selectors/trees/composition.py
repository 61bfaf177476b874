"""What a snapshot holds: assets at their closes, and the unrealised profit of what books hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.money import ZERO, quantize
from exchanges.rows import MarketType
from portfolio import shares
from portfolio.models import AssetSnapshot, Book, BookDay, PortfolioSnapshot
from portfolio.selectors.trees import contracts
from portfolio.selectors.trees.contracts import OpenContract
from portfolio.selectors.trees.node import ExplanationNode, Rule, texts, total
from portfolio.selectors.trees.step import Close, DayCloses, Step, assets_of
from portfolio.shares import Share


@dataclass(frozen=True, slots=True)
class DayEnd:
    """An account at a day's end: what it held, what its books held of it, and its open contracts."""

    row: PortfolioSnapshot
    held: Mapping[str, AssetSnapshot]
    books: list[BookDay]
    """Those with something in them."""
    shared: list[BookDay]
    """Shares of pools as they stand, empty ones too."""
    closes: DayCloses
    opened: list[OpenContract]

    @property
    def coins(self) -> list[BookDay]:
        return [each for each in self.books if each.book.market_type == MarketType.SPOT]


def day_ends(step: Step) -> list[DayEnd]:
    """The day's, and that of the day before, if any."""
    held, parts = assets_of(step.rows), shares.by_day(step.row.account, until=step.row.snapshot_date)
    found = Book.objects.defer("state").in_bulk([part.book_id for each in parts.values() for part in each])
    return [
        _day_end(row, held[row.pk], _shared_days(parts, found, until=row.snapshot_date)) for row in step.rows
    ]


def _day_end(row: PortfolioSnapshot, held: Mapping[str, AssetSnapshot], shared: list[BookDay]) -> DayEnd:
    closes = DayCloses(row, held)
    books = [each for each in [*_own_days(row), *shared] if each.quantity]
    return DayEnd(row, held, books, shared, closes, contracts.open_contracts(closes, books))


def _own_days(row: PortfolioSnapshot) -> list[BookDay]:
    """Every book of the account alone, as it stood."""
    rows = BookDay.objects.filter(account_id=row.account_id, day__lte=row.snapshot_date, book__pool="")
    newest = rows.select_related("book").defer("book__state").order_by("book_id", "-day")
    return list(newest.distinct("book_id"))


def _shared_days(
    parts: Mapping[date, Sequence[Share]], found: Mapping[int, Book], *, until: date
) -> list[BookDay]:
    """The account's shares of pools as they stood at a day's end, each as a day of the pool's book, with what it
    realised on the day it is of; they are not stored."""
    standing = {
        part.book_id: (changed, part)
        for changed in sorted(parts)
        if changed <= until
        for part in parts[changed]
    }
    return [
        BookDay(book=found[book], day=changed, quantity=part.quantity, cost=part.cost, gross_pnl=part.gross)
        for book, (changed, part) in standing.items()
    ]


def worth(
    name: str,
    title: str,
    quantity: Decimal,
    close: Close | None,
    row: PortfolioSnapshot,
    *,
    sign: int = 1,
) -> ExplanationNode:
    """A quantity at a close; without a price it counts nothing, and the day says so."""
    price = close.price if close else None
    return ExplanationNode(
        name=name,
        title=title,
        value=None if price is None else quantize(quantity * price),
        unit=row.currency,
        rule=Rule.PRODUCT,
        formula="quantity × close",
        sign=sign if price is not None else 0,
        children=[
            ExplanationNode("quantity", "Quantity", quantity, ""),
            ExplanationNode(
                "close", "Close", price, row.currency, details=texts(source=close.source if close else "")
            ),
        ],
    )


def equity(end: DayEnd, *, name: str, title: str, sign: int = 0) -> ExplanationNode:
    """Everything held at the day's closes, and what contracts are worth beside the wallets."""
    row = end.row
    children = [
        worth(f"asset:{each.asset}", each.asset, each.quantity, Close(each.price, each.price_source), row)
        for each in end.held.values()
    ]
    if end.opened:
        beside = row.total_balance - total(children)
        words = "Open contracts: unrealised, and realised but not settled yet"
        parts = drawn(contracts.equity(end.opened, end.closes), beside, row)
        children.append(_of_contracts(words, beside, parts, row))
    return ExplanationNode(
        name,
        title,
        row.total_balance,
        row.currency,
        Rule.SUM,
        "sum over what is held",
        sign,
        children=children,
    )


def unrealised(end: DayEnd, *, sign: int) -> ExplanationNode:
    """Books of coins at the snapshot's closes, and contracts at their marks."""
    row = end.row
    end.closes.read([each.book.asset for each in end.coins])
    children = [_book(each, end.closes.of(each.book.asset), row) for each in end.coins]
    if end.opened:
        value = row.unrealized_pnl - total(children)
        parts = drawn(contracts.unrealised(end.opened, row.currency), value, row)
        children.append(_of_contracts("Open contracts at their marks", value, parts, row))
    return ExplanationNode(
        name=f"unrealised:{row.snapshot_date}",
        title=f"Unrealised on {row.snapshot_date}",
        value=row.unrealized_pnl,
        unit=row.currency,
        rule=Rule.SUM,
        formula="worth of what books hold − its cost",
        sign=sign,
        children=children,
    )


def drawn(children: list[ExplanationNode], stored: Decimal, row: PortfolioSnapshot) -> list[ExplanationNode]:
    """Of a day that is not final: what prices and facts changed since its snapshot was drawn stands by itself."""
    moved = stored - total(children)
    if row.is_final or not moved:
        return children
    words = f"Changed since this was drawn at {row.computed_at:%Y-%m-%d %H:%M} UTC"
    return [*children, ExplanationNode("changed_since", words, moved, row.currency)]


def _of_contracts(
    title: str, value: Decimal, parts: list[ExplanationNode], row: PortfolioSnapshot
) -> ExplanationNode:
    words = "sum over open contracts"
    return ExplanationNode("contracts", title, value or ZERO, row.currency, Rule.SUM, words, children=parts)


def _book(each: BookDay, close: Close, row: PortfolioSnapshot) -> ExplanationNode:
    held = worth("worth", "Worth", each.quantity, close, row)
    cost = ExplanationNode("cost", "Cost", each.cost, row.currency, sign=-1)
    return ExplanationNode(
        name=f"book:{each.book_id}",
        title=each.book.asset,
        value=None if held.value is None else held.value - each.cost,
        unit=row.currency,
        rule=Rule.SUM,
        formula="quantity × close − cost",
        sign=1 if held.value is not None else 0,
        details=texts(since=each.day),
        children=[held, cost],
    )
