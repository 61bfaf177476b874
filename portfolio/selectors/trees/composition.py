"""What a snapshot holds: assets at their closes, and the unrealised profit of what books hold."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from portfolio import shares
from portfolio.composition import Closes
from portfolio.models import AssetSnapshot, Book, BookDay, PortfolioSnapshot
from portfolio.selectors.trees.node import ExplanationNode, Rule, texts, total

_LOOK_BACK: Final = timedelta(days=30)


class Close(NamedTuple):
    """A price and where it is from."""

    price: Decimal | None
    source: str


def assets_of(rows: Sequence[PortfolioSnapshot]) -> dict[int, dict[str, AssetSnapshot]]:
    """By snapshot and asset, in one statement."""
    found: dict[int, dict[str, AssetSnapshot]] = {row.pk: {} for row in rows}
    for each in AssetSnapshot.objects.filter(snapshot_id__in=list(found)).order_by("asset"):
        found[each.snapshot_id][each.asset] = each
    return found


def standing_books(account_id: UUID, day: date) -> list[BookDay]:
    """Every book as it stood at a day's end, closed ones left out."""
    rows = BookDay.objects.filter(account_id=account_id, day__lte=day, book__pool="").select_related("book")
    newest = rows.defer("book__state").order_by("book_id", "-day").distinct("book_id")
    return [row for row in [*newest, *shared_days(account_id, day)] if row.quantity]


def shared_days(account_id: UUID, day: date) -> list[BookDay]:
    """The account's shares of pools as they stood at a day's end, each as a day of the pool's book, with what it
    realised on the day it is of; they are not stored."""
    account = ExchangeAccount.objects.get(id=account_id)
    standing = {
        part.book_id: (changed, part)
        for changed, parts in sorted(shares.by_day(account, until=day).items())
        for part in parts
    }
    found = Book.objects.defer("state").in_bulk(list(standing))
    return [
        BookDay(book=found[book], day=changed, quantity=part.quantity, cost=part.cost, gross_pnl=part.gross)
        for book, (changed, part) in standing.items()
    ]


def closes_of(
    row: PortfolioSnapshot, assets: Sequence[str], held: Mapping[str, AssetSnapshot]
) -> dict[str, Close]:
    """Of assets on a snapshot's day: as it used them, else (nothing was left of it) as markets closed."""
    known = {asset: Close(held[asset].price, held[asset].price_source) for asset in assets if asset in held}
    gone = [asset for asset in assets if asset not in held]
    if gone:
        day = row.snapshot_date
        closes = Closes(gone, row.currency, day - _LOOK_BACK, day, exchange=row.exchange)
        known |= {asset: Close(closes.price(asset, day), closes.source(asset, day)) for asset in gone}
    return known


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


def equity(
    row: PortfolioSnapshot, assets: Mapping[str, AssetSnapshot], *, name: str, title: str, sign: int = 0
) -> ExplanationNode:
    """Everything held at the day's closes, and what contracts are worth beside the wallets."""
    children = [
        worth(f"asset:{each.asset}", each.asset, each.quantity, Close(each.price, each.price_source), row)
        for each in assets.values()
    ]
    beside = row.total_balance - total(children)
    if beside:
        words = "Open contracts: unrealised, and realised but not settled yet"
        children.append(ExplanationNode("contracts", words, beside, row.currency))
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


def unrealised(
    row: PortfolioSnapshot, assets: Mapping[str, AssetSnapshot], books: Sequence[BookDay], *, sign: int
) -> ExplanationNode:
    """Books of coins at the snapshot's closes; of contracts as the snapshot kept it."""
    spot = [each for each in books if each.book.market_type == MarketType.SPOT]
    closes = closes_of(row, [each.book.asset for each in spot], assets)
    children = [_book(each, closes[each.book.asset], row) for each in spot]
    contracts = [each for each in books if each.book.market_type != MarketType.SPOT]
    if contracts:
        children.append(_contracts(row.unrealized_pnl - total(children), contracts, row))
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


def _contracts(value: Decimal, books: Sequence[BookDay], row: PortfolioSnapshot) -> ExplanationNode:
    """Marks are kept in the snapshot's total only: what the books held stands beside it."""
    children = [
        ExplanationNode(
            name=f"book:{each.book_id}",
            title=f"{each.book.asset} {each.book.side}".strip(),
            value=each.cost,
            unit=each.book.settle_asset,
            sign=0,
            details=texts(quantity=each.quantity, since=each.day),
        )
        for each in books
    ]
    title = "Open contracts at their marks; their entry values stand below"
    return ExplanationNode("contracts", title, value or ZERO, row.currency, children=children)
