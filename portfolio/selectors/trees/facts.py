"""Nodes of rows: fills, parts of exits, fees, funding, prices; and lists of them, the rest of a long one summed up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet

from core import clock
from core.money import ZERO, text
from exchanges.rows import MarketType, Side
from orders.models import Fill, Transfer
from portfolio.models import Allocation, Fee, PositionSide, Trade, Valuation
from portfolio.selectors.trees import node
from portfolio.selectors.trees.node import ExplanationNode, Rule, texts

Prices = Mapping[tuple[str, datetime], Valuation]


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of a list after some id, and sums over those beyond the limit."""

    rows: Sequence[Any]
    rest: Mapping[str, Any]
    """Aggregates by name and `rows`, their number; empty where nothing is left."""

    @property
    def last_id(self) -> int:
        return int(self.rows[-1].pk) if self.rows else 0


def listed(rows: QuerySet[Any], *, after: int, sums: Mapping[str, Any]) -> Listed:
    """Two statements, however many rows: a page in the order of ids, and the sums over what follows."""
    page = list(rows.filter(id__gt=after).order_by("id")[: node.LIMIT + 1])
    if len(page) <= node.LIMIT:
        return Listed(page, {})
    page = page[: node.LIMIT]
    rest = rows.order_by().filter(id__gt=page[-1].pk).aggregate(rows=Count("id"), **sums)
    return Listed(page, rest)


def rest_of(found: Listed, column: str, *, unit: str, path: str, part: str) -> list[ExplanationNode]:
    """The one node of what a list leaves out, if anything."""
    if not found.rest:
        return []
    return [
        ExplanationNode(
            name="rest",
            title=f"{found.rest['rows']} more",
            value=found.rest[column] or ZERO,
            unit=unit,
            count=found.rest["rows"],
            link=f"{path}{'&' if '?' in path else '?'}{urlencode({'part': part, 'after': found.last_id})}",
        )
    ]


def path_of(kind: str, row_id: object) -> str:
    return f"/api/explain/{kind}/{row_id}"


def pinned(currency: str, fills: Iterable[Fill]) -> Prices:
    """Prices pinned for the fills' quotes, by coin and hour; the newest version of each."""
    facts = list(fills)
    assets = {_paid_in(fill) for fill in facts} - {currency}
    hours = {clock.floor_hour(fill.executed_at) for fill in facts}
    rows = Valuation.objects.filter(currency=currency, asset__in=assets, at__in=hours)
    return {(row.asset, row.at): row for row in rows.order_by("version")}


def fill(row: Fill, currency: str, prices: Prices, *, sign: int = 0) -> ExplanationNode:
    """A fill as the exchange reported it, at what its other leg was worth."""
    paid_in = _paid_in(row)
    price = _quote_price(row, currency, prices)
    return ExplanationNode(
        name=f"fill:{row.pk}",
        title=f"{row.side.capitalize()} {text(row.quantity)} {row.symbol} at {text(row.price)}",
        value=node.computed(_product(row, paid_in, price)),
        unit=currency,
        rule=Rule.PRODUCT,
        formula=f"what was paid in {paid_in} × the price of {paid_in}",
        sign=sign,
        details=_fill_details(row),
        children=_product(row, paid_in, price).children,
    )


def _product(row: Fill, paid_in: str, price: ExplanationNode) -> ExplanationNode:
    paid = ExplanationNode("paid", "Paid, as reported", row.quote_quantity, paid_in)
    return ExplanationNode("worth", "", None, "", Rule.PRODUCT, children=[paid, price])


def _paid_in(row: Fill) -> str:
    """What `quote_quantity` counts."""
    return row.settle_asset or row.quote_asset


def _quote_price(row: Fill, currency: str, prices: Prices) -> ExplanationNode:
    paid_in = _paid_in(row)
    if paid_in == currency:
        return ExplanationNode("price", f"{currency} is the reporting currency", Decimal(1), currency)
    pin = prices.get((paid_in, clock.floor_hour(row.executed_at)))
    details = texts(source=pin.source, of=pin.source_at, version=pin.version) if pin else {}
    return ExplanationNode(
        "price", f"{paid_in}, pinned for the hour", pin.price if pin else None, currency, details=details
    )


def _fill_details(row: Fill) -> dict[str, str]:
    return texts(
        fill=row.exchange_fill_id,
        order=row.exchange_order_id,
        symbol=row.symbol,
        side=row.side,
        price=row.price,
        quantity=row.quantity,
        executed_at=row.executed_at,
        source=row.source,
    )


def way_of(trade: Trade) -> int:
    """+1 where gross is proceeds less cost, else -1."""
    return 1 if (trade.side == PositionSide.LONG) is not trade.is_inverse else -1


def gross(part: Allocation, way: int, currency: str, *, link: str | None = None) -> ExplanationNode:
    """What a part of an exit made; of unknown cost nothing is known."""
    known = part.source != Allocation.Source.UNKNOWN
    proceeds = ExplanationNode(
        "proceeds", "Exit value", part.proceeds, currency, sign=way, details=_fill_details(part.exit_fill)
    )
    cost = ExplanationNode(
        "cost", _entry_words(part), part.cost if known else None, currency, sign=-way, details=_entry(part)
    )
    return ExplanationNode(
        name=f"allocation:{part.pk}",
        title=f"{text(part.quantity)} {entered(part)}",
        value=way * (part.proceeds - part.cost) if known else None,
        unit=currency,
        rule=Rule.SUM,
        formula="exit value − entry value" if way > 0 else "entry value − exit value",
        sign=1 if known else 0,
        details=texts(source=part.source, quantity=part.quantity, sequence=part.sequence),
        link=link,
        children=[proceeds, cost],
    )


def entered(part: Allocation) -> str:
    """How what a part closed had come into its position."""
    if part.source == Allocation.Source.UNKNOWN and part.exit_fill.market_type != MarketType.SPOT:
        return "never seen entered: in no PnL"
    if part.source != Allocation.Source.LOT or part.entry_fill is None:
        return _ENTERED[part.source]
    entry = part.entry_fill
    if entry.is_conversion:
        return "from a conversion"
    words = "bought" if entry.side == Side.BUY else "taken in payment"
    if entry.market_type != MarketType.SPOT and entry.side == Side.SELL:
        words = "sold short"
    return f"{words} with {'an inferred' if entry.is_inferred else 'a'} fill"


_ENTERED: Mapping[str, str] = {
    Allocation.Source.LOT: "bought with a fill",
    Allocation.Source.DUST: "left over from an earlier position",
    Allocation.Source.UNKNOWN: "never seen bought: in no PnL",
    Allocation.Source.AIRDROP: "from an airdrop",
    Allocation.Source.INTEREST: "received as interest",
    Allocation.Source.STATED: "deposited at a cost the user stated",
    Allocation.Source.TRANSFER: "carried over from another own account",
}


def _entry_words(part: Allocation) -> str:
    return "Cost not known" if part.source == Allocation.Source.UNKNOWN else "Entry value"


def _entry(part: Allocation) -> dict[str, str]:
    if part.entry_fill is not None:
        return _fill_details(part.entry_fill)
    return transfer_details(part.entry_transfer) if part.entry_transfer is not None else {}


def transfer_details(row: Transfer) -> dict[str, str]:
    return texts(
        transfer=row.exchange_transfer_id,
        kind=row.kind,
        asset=row.asset,
        amount=row.amount,
        occurred_at=row.occurred_at,
    )


def fee_share(part: Allocation, column: str, currency: str) -> ExplanationNode:
    """A part's share of a fee: `entry_fee` or `exit_fee`."""
    row = part.exit_fill if column == "exit_fee" else part.entry_fill
    return ExplanationNode(
        name=f"allocation:{part.pk}",
        title=f"Of {text(part.quantity)}",
        value=getattr(part, column),
        unit=currency,
        details=texts(**({"fill": row.exchange_fill_id, "executed_at": row.executed_at} if row else {})),
    )


def fee(row: Fee, currency: str, *, sign: int = 1) -> ExplanationNode:
    """A fee in its own coin, at the price that was used. Funding received is a negative fee: `sign` turns it."""
    amount = ExplanationNode("amount", "In its own coin", row.fee_amount, row.fee_currency)
    price = ExplanationNode(
        "price", f"Price of {row.fee_currency}", row.price, currency, details=texts(source=row.price_source)
    )
    return ExplanationNode(
        name=f"fee:{row.pk}",
        title=f"{row.fee_type.capitalize()} {row.symbol}".strip(),
        value=row.value,
        unit=currency,
        rule=Rule.PRODUCT_HALF_UP,
        formula="amount × price",
        sign=sign if row.value is not None else 0,
        details=texts(
            type=row.fee_type, order=row.exchange_order_id, symbol=row.symbol, paid_at=row.fee_timestamp
        ),
        children=[amount, price],
    )


def column(
    rows: Iterable[Any], make: Callable[[Any], ExplanationNode], *, rest: Sequence[ExplanationNode]
) -> list[ExplanationNode]:
    """Nodes of a list's rows, zeros left out, and the rest's."""
    made = (make(row) for row in rows)
    return [*(each for each in made if each.value or each.value is None), *rest]
