"""What changed in worth outside the books on a day, asset by asset, and what of the day nothing explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import Count, Q, Sum

from core.money import ZERO, quantize
from exchanges.rows import MarketType
from portfolio import books
from portfolio.day_sums import Legs
from portfolio.models import BookDay, Fee
from portfolio.reports import read_facts
from portfolio.selectors.trees import composition, contracts, facts, node
from portfolio.selectors.trees.composition import DayEnd
from portfolio.selectors.trees.node import ExplanationNode, Rule, made, texts, total
from portfolio.selectors.trees.step import Close, Step, span

FORMULA: Final = (
    "stock × change of its close + quantity moved × close − value it was counted at, of what no book holds"
)
_WHAT: Final = {
    "traded": "Bought and sold",
    "fees": "Paid as fees",
    "unknown": "Sold at unknown cost",
    "carried": "Carried out of a book at cost, or into it",
    "network_fees": "Fees of withdrawals",
    "settled": "Settled by contracts",
    "funding": "Funding received and paid",
    "income": "Given, rebated and charged",
    "contracts": "Made by contracts, as their books count it",
    "share": "Changed in the account's share of the pool",
}


class _Moved(NamedTuple):
    """What came or went outside an asset's book in one way, and the value it was counted at."""

    what: str
    facts: int
    quantity: Decimal
    value: Decimal


@dataclass(slots=True)
class _Asset:
    """One asset's part of a day."""

    held: Decimal = ZERO
    booked: Decimal = ZERO
    """Of what was held at the day's beginning."""
    moved: list[_Moved] = field(default_factory=list)
    rounding: Decimal = ZERO
    """Of the value of all facts together, against their sums by kind."""


def revaluation(
    step: Step, ends: Sequence[DayEnd], legs: Sequence[Legs], after: int = 0
) -> list[ExplanationNode]:
    """The parts of a day's revaluation, the largest first; those of no worth are left out."""
    end, before = ends[0], ends[1] if len(ends) > 1 else None
    assets = _assets(step, end, before, legs)
    end.closes.read(assets.keys())
    if before is not None:
        before.closes.read([asset for asset, each in assets.items() if each.held != each.booked])
    nodes = [
        _of_asset(asset, each, end.closes.of(asset), before.closes.of(asset) if before else None, end)
        for asset, each in sorted(assets.items())
        if end.closes.of(asset).price is not None
    ]
    nodes = sorted((each for each in nodes if each.value), key=lambda each: -abs(each.value or ZERO))
    nodes += contracts.change_of_unsettled(
        contracts.unsettled(end.opened, end.closes),
        contracts.unsettled(before.opened, before.closes) if before else [],
        end.row.currency,
    )
    nodes = composition.drawn(nodes, end.row.revaluation, end.row)
    return nodes[after:] if len(nodes) - after <= node.LIMIT else _cut(nodes, after, step)


def _cut(nodes: list[ExplanationNode], after: int, step: Step) -> list[ExplanationNode]:
    place = after + node.LIMIT
    rest = nodes[place:]
    path = f"{facts.path_of('day', step.row.snapshot_date)}?account={step.row.account_id}"
    link = f"{path}&part=revaluation&after={place}"
    more = ExplanationNode(
        "rest", f"{len(rest)} more", total(rest), step.row.currency, count=len(rest), link=link
    )
    return [*nodes[after:place], more]


def _assets(step: Step, end: DayEnd, before: DayEnd | None, legs: Sequence[Legs]) -> dict[str, _Asset]:
    found: dict[str, _Asset] = {}

    def asset(name: str) -> _Asset:
        return found.setdefault(name, _Asset())

    if before is not None:
        for held in before.held.values():
            asset(held.asset).held = held.quantity
        for book in before.coins:
            asset(book.book.asset).booked += book.quantity
    values: dict[str, list[Decimal]] = {}
    for leg in legs:
        if leg.facts:
            asset(leg.asset).moved.append(_Moved(leg.what, leg.facts, leg.quantity, quantize(leg.value)))
            values.setdefault(leg.asset, []).append(leg.value)
    for name, exact in values.items():
        together = node.half_up(sum(exact, ZERO))
        asset(name).rounding = together - sum((quantize(value) for value in exact), ZERO)
    for day in _contract_days(step):
        asset(day.book.settle_asset).moved.append(
            _Moved("contracts", 1, day.untold, day.gross_pnl + day.funding)
        )
    for name, moved in _shared(end, before):
        asset(name).moved.append(moved)
    return found


def _contract_days(step: Step) -> list[BookDay]:
    """Contracts may be older than the first balance that is known to change: the first day has all up to it."""
    day = step.row.snapshot_date
    days = BookDay.objects.filter(account_id=step.row.account_id, day__lte=day)
    days = days.exclude(book__market_type=MarketType.SPOT)
    if step.before is not None:
        days = days.filter(day=day)
    return list(days.select_related("book").defer("book__state").order_by("book_id"))


def _shared(end: DayEnd, before: DayEnd | None) -> Iterator[tuple[str, _Moved]]:
    """What came into the account's part of a pool left its other stock, at its cost."""
    stood = {each.book_id: each for each in before.shared} if before else {}
    for each in end.shared:
        if each.day == end.row.snapshot_date:
            last = stood.get(each.book_id)
            quantity, cost = (last.quantity, last.cost) if last else (ZERO, ZERO)
            value = each.gross_pnl - (each.cost - cost)
            yield each.book.asset, _Moved("share", 1, quantity - each.quantity, value)


def _of_asset(asset: str, each: _Asset, close: Close, before: Close | None, end: DayEnd) -> ExplanationNode:
    currency = end.row.currency
    children = []
    if each.held != each.booked and before is not None and before.price is not None:
        children.append(_stock(asset, each, close, before, currency))
    if each.moved:
        quantities = [_line(moved, moved.quantity, asset) for moved in each.moved if moved.quantity]
        quantity = node.summed("quantity", "Quantity moved", asset, "what came − what went", quantities)
        at_close = ExplanationNode(
            "moved", "What came less what went, at the close", None, currency, Rule.PRODUCT_EXACT,
            "quantity moved × close", children=[quantity, _close("close", "Close", close, currency)],
        )  # fmt: skip
        values = [_line(moved, moved.value, currency) for moved in each.moved if moved.value]
        if each.rounding:
            values.append(ExplanationNode("rounding", "Rounding of all together", each.rounding, currency))
        words = "what each was worth when it came or went, as the books count it"
        counted = node.summed("counted", "Counted at", currency, words, values, sign=-1)
        children += [made(at_close), counted]
    return made(
        ExplanationNode(f"asset:{asset}", asset, None, currency, Rule.SUM_ROUNDED, FORMULA, children=children)
    )


def _stock(asset: str, each: _Asset, close: Close, before: Close, currency: str) -> ExplanationNode:
    stock = node.summed(
        "stock", "Held over the day outside books", asset, "held the day before − of it in books",
        [
            ExplanationNode("held", "Held at the end of the day before", each.held, asset),
            ExplanationNode("booked", "Of it in books, told as unrealised", each.booked, asset, sign=-1),
        ],
    )  # fmt: skip
    change = node.summed(
        "change", "Change of its close", currency, "close − close of the day before",
        [
            _close("close", "Close", close, currency),
            _close("close_before", "Close of the day before", before, currency, sign=-1),
        ],
    )  # fmt: skip
    words = "held outside books × change of its close"
    return made(
        ExplanationNode(
            "stock_change", "Held over the day", None, currency, Rule.PRODUCT_EXACT, words,
            children=[stock, change],
        )
    )  # fmt: skip


def _line(moved: _Moved, value: Decimal, unit: str) -> ExplanationNode:
    return ExplanationNode(moved.what, _WHAT[moved.what], value, unit, count=moved.facts)


def _close(name: str, title: str, close: Close, currency: str, sign: int = 1) -> ExplanationNode:
    return ExplanationNode(name, title, close.price, currency, sign=sign, details=texts(source=close.source))


def residual(step: Step, ends: Sequence[DayEnd], legs: Sequence[Legs]) -> list[ExplanationNode]:
    """What came or went without a fact, and what is left: no price, or not folded yet."""
    row = step.row
    rest = row.residual - row.unexplained
    parts = _appeared(ends) if step.before is not None else []
    rule, words = (Rule.SUM, "sum over assets") if parts else (Rule.FACT, "")
    came = ExplanationNode(
        "unexplained",
        "Came or went without a fact",
        row.unexplained,
        row.currency,
        rule,
        words,
        children=parts,
    )
    unvalued = list(_unvalued(step, ends[0], legs))
    if not row.residual and not unvalued:
        return []
    title = "What is left: facts of the day that could not be valued stand below"
    left = ExplanationNode("rest", title, rest, row.currency, children=unvalued)
    return [came, left]


def _appeared(ends: Sequence[DayEnd]) -> list[ExplanationNode]:
    """By asset what is held less what was held and what facts changed; an asset's first price is no profit either."""
    end, before = ends
    changes = read_facts(end.row.account, only=end.row.snapshot_date).changes.get(end.row.snapshot_date, {})
    amounts = {}
    for asset in sorted({*end.held, *before.held, *changes}):
        held, stood = (one.held[asset].quantity if asset in one.held else ZERO for one in ends)
        amount = held - stood - changes.get(asset, ZERO)
        if asset in before.held and before.held[asset].price is None:
            amount += stood
        if amount:
            amounts[asset] = amount
    end.closes.read(amounts.keys())
    nodes = [
        composition.worth(f"asset:{asset}", asset, amount, end.closes.of(asset), end.row)
        for asset, amount in amounts.items()
        if end.closes.of(asset).price is not None
    ]
    return composition.drawn(nodes, end.row.unexplained, end.row)


def _unvalued(step: Step, end: DayEnd, legs: Sequence[Legs]) -> Iterator[ExplanationNode]:
    """Facts of the day that are in no sum of it, for want of a price, or of a fold."""
    for each in end.held.values():
        if each.price is None:
            yield _beside(
                f"unpriced:{each.asset}", f"{each.asset} held, without a price", each.quantity, each.asset
            )
    for opened in end.opened:
        if opened.valued.unrealised is None:
            quantity = opened.book.quantity
            yield _beside(
                f"unpriced:{opened.terms.symbol}", f"{opened.terms.symbol}, without a price", quantity, ""
            )
    for leg in legs:
        if leg.unvalued:
            words = f"{leg.asset}: {_WHAT[leg.what].lower()}, without a price"
            yield _beside(
                f"{leg.what}:{leg.asset}", words, leg.unvalued_quantity, leg.asset, count=leg.unvalued
            )
    yield from _fees_without_value(step)
    yield from _waiting(step)


def _fees_without_value(step: Step) -> Iterator[ExplanationNode]:
    start, until = span(step.row.snapshot_date)
    fees = Fee.objects.filter(
        account_id=step.row.account_id, fee_timestamp__gte=start, fee_timestamp__lt=until, value__isnull=True
    )
    sums = fees.values_list("fee_currency").annotate(rows=Count("id"), amount=Sum("fee_amount"))
    for coin, count, amount in sums.order_by("fee_currency"):
        yield _beside(f"fees:{coin}", f"Fees in {coin}, without a price", amount, coin, count=count)


def _waiting(step: Step) -> Iterator[ExplanationNode]:
    """Books whose facts of the day are not folded yet."""
    _, until = span(step.row.snapshot_date)
    stale = books.of(step.row.account).filter(Q(stale_from__lt=until)).defer("state")
    for book in stale.order_by("asset", "id")[: node.LIMIT]:
        words = f"{book.asset} {book.side}".strip()
        yield ExplanationNode(
            f"waiting:{book.pk}", f"{words} is not folded yet", None, "", sign=0,
            details=texts(since=book.stale_from, why=book.blocked_reason),
        )  # fmt: skip


def _beside(name: str, title: str, quantity: Decimal, unit: str, *, count: int = 1) -> ExplanationNode:
    return ExplanationNode(name, title, quantity, unit, sign=0, count=count)
