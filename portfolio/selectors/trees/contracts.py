"""Open contracts at a day's end: each position at its mark, and what is realised and not settled yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.money import ZERO
from exchanges.rows import MarketType
from portfolio.contract_days import Marks, Terms, Valued, read_books, worth_of
from portfolio.models import BookDay
from portfolio.selectors.trees.node import ExplanationNode, Rule, made, texts, total
from portfolio.selectors.trees.step import DayCloses


@dataclass(frozen=True, slots=True)
class OpenContract:
    """A contract's book as it stood at a day's end, at that day's price."""

    book: BookDay
    terms: Terms
    valued: Valued


def open_contracts(closes: DayCloses, books: Sequence[BookDay]) -> list[OpenContract]:
    """Those of a snapshot's day among the books that stood then."""
    standing = [each for each in books if each.book.market_type != MarketType.SPOT]
    if not standing:
        return []
    account, day = closes.row.account, closes.row.snapshot_date
    terms = read_books(account).terms
    known = [(each, terms[each.book_id]) for each in standing if each.book_id in terms]
    closes.read({asset for _, one in known for asset in (one.base, one.quote, one.settle)})
    marks = Marks(account, {one.symbol for _, one in known})
    return [
        OpenContract(each, one, marks.value(one, each.quantity, each.cost, day=day, closes=closes))
        for each, one in known
    ]


def unrealised(opened: Sequence[OpenContract], currency: str) -> list[ExplanationNode]:
    """Each position: size × mark less what it was entered at, at the price of what it settles in."""
    return [_position(each, currency) for each in opened]


def _position(each: OpenContract, currency: str) -> ExplanationNode:
    terms, found, quantity = each.terms, each.valued, each.book.quantity
    way = 1 if (quantity > 0) is not terms.is_inverse else -1
    size_unit = terms.quote if terms.is_inverse else terms.base
    mark = ExplanationNode(
        "mark", "Mark price", found.mark.price if found.mark else None, terms.quote,
        details=texts(source=found.mark.source if found.mark else "no price is known"),
    )  # fmt: skip
    worth = ExplanationNode(
        name="worth",
        title="Worth at the mark",
        value=None,
        unit=terms.settle,
        rule=Rule.QUOTIENT_EXACT if terms.is_inverse else Rule.PRODUCT_EXACT,
        formula="size ÷ mark price" if terms.is_inverse else "size × mark price",
        sign=way,
        children=[ExplanationNode("size", "Size", abs(quantity), size_unit), mark],
    )
    entered = ExplanationNode("entered", "Entered at", each.book.cost, terms.settle, sign=-way)
    formula = "worth − what it was entered at" if way > 0 else "what it was entered at − worth"
    gain = ExplanationNode(
        "gain", "Gained", None, terms.settle, Rule.SUM, formula, children=[made(worth), entered]
    )
    price = ExplanationNode("settle_price", f"Close of {terms.settle}", found.settle_price, currency)
    return ExplanationNode(
        name=f"book:{each.book.book_id}",
        title=f"{terms.symbol} {'long' if quantity > 0 else 'short'}",
        value=found.unrealised,
        unit=currency,
        rule=Rule.PRODUCT,
        formula=f"gained × close of {terms.settle}",
        sign=0 if found.unrealised is None else 1,
        details=texts(side=each.book.book.side, quantity=quantity, since=each.book.day),
        children=[made(gain), price],
    )


def unsettled(opened: Sequence[OpenContract], closes: DayCloses) -> list[ExplanationNode]:
    """By settle asset what our method realised and the exchange settles later, at the close."""
    amounts: dict[str, Decimal] = {}
    for each in opened:
        if each.book.unsettled:
            asset = each.terms.settle
            amounts[asset] = amounts.get(asset, ZERO) + each.book.unsettled
    return [_unsettled(asset, amount, closes) for asset, amount in sorted(amounts.items())]


def _unsettled(asset: str, amount: Decimal, closes: DayCloses) -> ExplanationNode:
    close, currency = closes.of(asset), closes.row.currency
    return ExplanationNode(
        name=f"unsettled:{asset}",
        title=f"{asset} realised and not settled yet",
        value=worth_of(amount, close.price),
        unit=currency,
        rule=Rule.PRODUCT,
        formula="amount × close",
        sign=0 if close.price is None else 1,
        children=[
            ExplanationNode("amount", "Amount", amount, asset),
            ExplanationNode("close", "Close", close.price, currency, details=texts(source=close.source)),
        ],
    )


def equity(opened: Sequence[OpenContract], closes: DayCloses) -> list[ExplanationNode]:
    """What contracts add to the wallets."""
    return [*unrealised(opened, closes.row.currency), *unsettled(opened, closes)]


def change_of_unsettled(
    after: list[ExplanationNode], before: list[ExplanationNode], currency: str
) -> list[ExplanationNode]:
    """From the day before to the day."""
    children = [
        ExplanationNode(name, title, total(nodes), currency, Rule.SUM, "sum over settle assets", sign, children=nodes)
        for name, title, sign, nodes in (
            ("after", "At the day's end", 1, after),
            ("before", "The day before", -1, before),
        )
        if nodes
    ]  # fmt: skip
    if not children:
        return []
    title = "Change of what contracts realised and did not settle yet"
    return [
        ExplanationNode(
            "unsettled", title, total(children), currency, Rule.SUM, "now − before", children=children
        )
    ]
