"""A position's tree: the results of its trades, and what came into it and left it."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db.models import Min, QuerySet, Sum

from core.errors import NotFound
from core.money import ZERO
from portfolio.models import Allocation, Fee, Position, PositionStatus, Trade
from portfolio.selectors import positions
from portfolio.selectors.trees import facts, node
from portfolio.selectors.trees.facts import Listed
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree, Rule, texts

_SUMS: Final = {"net_pnl": Sum("net_pnl"), "gross_pnl": Sum("gross_pnl")}
_NET: Final = "gross result − entry fees − exit fees + funding"
PARTS: Final = ("trades", "funding")


def position_tree(*, position_id: int, at: datetime, part: str = "", after: int = 0) -> ExplanationTree:
    """What a position made so far, trade by trade, and what an open one is worth now. Raises NotFound."""
    row = _find(position_id)
    if part and part not in PARTS:
        raise NotFound("There is no such part of a position.")
    if part == "funding":
        words = "sum over its payments"
        root = node.summed(part, "Funding", row.book.currency, words, _payments(row, after))
        return _tree(row, root)
    found = facts.listed(Trade.objects.filter(position=row), after=after, sums=_SUMS)
    currency = row.book.currency
    children = [trade_node(trade, currency) for trade in found.rows]
    children += facts.rest_of(
        found, "net_pnl", unit=currency, path=facts.path_of("position", row.pk), part="trades"
    )
    if part:
        root = node.summed("trades", "Net result of trades", currency, "sum over trades", children)
    else:
        root = ExplanationNode(
            name="net_pnl",
            title="Net result of what was closed",
            value=row.net_pnl,
            unit=currency,
            rule=Rule.SUM,
            formula="sum over the position's trades",
            children=[
                *children,
                _gross(row, found),
                *_funding(row),
                *_quantities(row),
                *_unrealised(row, at),
            ],
        )
    return _tree(row, root)


def _tree(row: Position, root: ExplanationNode) -> ExplanationTree:
    return node.tree(
        kind="position",
        row_id=str(row.pk),
        title=f"Position {row.symbol} {row.side.lower()}",
        currency=row.book.currency,
        root=root,
        details=_details(row),
    )


def trade_node(row: Trade, currency: str, *, sign: int = 1) -> ExplanationNode:
    """A trade with what makes its result; its own tree goes on from there."""
    columns = (
        ("gross_pnl", "Gross result", 1),
        ("entry_fees", "Entry fees", -1),
        ("exit_fees", "Exit fees", -1),
        ("funding", "Funding", 1),
    )
    return ExplanationNode(
        name=f"trade:{row.pk}",
        title=f"{row.symbol} {row.exit_type.lower()}",
        value=row.net_pnl,
        unit=currency,
        rule=Rule.SUM,
        formula=_NET,
        sign=sign,
        details=texts(kind=row.kind, exit_order=row.exit_order_id, exit_time=row.exit_time),
        link=facts.path_of("trade", row.pk),
        children=[
            ExplanationNode(name, title, getattr(row, name), currency, sign=each)
            for name, title, each in columns
        ],
    )


def _find(position_id: int) -> Position:
    rows: QuerySet[Position] = Position.objects.select_related("book", "opening_fill", "opening_transfer")
    row = rows.defer("checkpoint", "book__state", "opening_fill__raw", "opening_transfer__raw").filter(
        id=position_id
    )
    found = row.first()
    if found is None:
        raise NotFound("There is no such position.")
    return found


def _gross(row: Position, found: Listed) -> ExplanationNode:
    """Beside the net result: the same trades, before fees and funding."""
    currency = row.book.currency
    children = [
        ExplanationNode(f"trade:{each.pk}", each.symbol, each.gross_pnl, currency) for each in found.rows
    ]
    children += facts.rest_of(
        found, "gross_pnl", unit=currency, path=facts.path_of("position", row.pk), part="trades"
    )
    return ExplanationNode(
        "gross_pnl",
        "Gross result",
        row.gross_pnl,
        currency,
        Rule.SUM,
        "sum over the position's trades",
        0,
        children=children,
    )


def _funding(row: Position) -> list[ExplanationNode]:
    """Of contracts, beside the net result: exits share it by quantity, what is open bears the rest."""
    payments = _payments(row, 0) if row.settle_asset else []
    if not payments:
        return []
    return [
        ExplanationNode(
            "funding",
            "Funding received less paid since it opened",
            row.funding,
            row.book.currency,
            Rule.SUM,
            "sum over its payments",
            0,
            children=payments,
        )
    ]


def _payments(row: Position, after: int) -> list[ExplanationNode]:
    """What came between its close and the next position is its own."""
    paid = Fee.objects.filter(
        account_id=row.account_id,
        fee_type="FUNDING",
        funding__symbol=row.book.asset,
        funding__position_side=row.book.side,
        fee_timestamp__gte=row.opened_at,
        value__isnull=False,
    )
    later = row.book.positions.filter(opened_at__gt=row.opened_at).aggregate(at=Min("opened_at"))["at"]
    if later is not None:
        paid = paid.filter(fee_timestamp__lt=later)
    found = facts.listed(paid, after=after, sums={"funding": -1 * Sum("value")})
    currency, path = row.book.currency, facts.path_of("position", row.pk)
    children = [facts.fee(each, currency, sign=-1) for each in found.rows]
    return children + facts.rest_of(found, "funding", unit=currency, path=path, part="funding")


def _unrealised(row: Position, at: datetime) -> list[ExplanationNode]:
    """Of an open one, beside the net result, as lists of positions tell it."""
    if row.status != PositionStatus.OPEN:
        return []
    [now] = positions.valued([row], at=at)
    unit = now.currency
    price = ExplanationNode(
        "price", "Latest price", now.current_price, unit if not row.settle_asset else "",
        details=texts(source=now.price_source, of=now.price_as_of),
    )  # fmt: skip
    cost = ExplanationNode("cost", "Cost of what is held", now.total_cost, unit, sign=-1)
    title, words = "Unrealised at the latest price", "worth now − cost of what is held"
    if row.settle_asset or now.current_price is None:
        worth = ExplanationNode("worth", "Worth now", now.current_value, unit, sign=0)
        beside = [worth, replace(cost, sign=0), replace(price, sign=0)]
        return [ExplanationNode("unrealised", title, now.unrealized_pnl, unit, sign=0, children=beside)]
    quantity = ExplanationNode("quantity", "Quantity", row.quantity, row.book.asset)
    worth = ExplanationNode(
        "worth", "Worth now", now.current_value, unit, Rule.PRODUCT, "quantity × price", children=[quantity, price]
    )  # fmt: skip
    return [
        ExplanationNode(
            "unrealised", title, now.unrealized_pnl, unit, Rule.SUM, words, 0, children=[worth, cost]
        )
    ]


def _quantities(row: Position) -> list[ExplanationNode]:
    """What is open now follows from what came and went."""
    dust = Allocation.objects.filter(trade__position=row, source=Allocation.Source.DUST)
    parts = (
        ("entered_quantity", "Entered", row.entered_quantity, 1),
        (
            "dust_taken",
            "Dust of earlier positions sold with it",
            dust.aggregate(Sum("quantity"))["quantity__sum"],
            1,
        ),
        ("exited_quantity", "Exited", row.exited_quantity, -1),
        ("moved_quantity", "Withdrawn without a sale", row.moved_quantity, -1),
        ("dust_quantity", "Left as dust", row.dust_quantity, -1),
    )
    unit = "" if row.settle_asset else row.book.asset
    return [
        ExplanationNode(
            name="quantity",
            title="Open now",
            value=row.quantity,
            unit=unit,
            rule=Rule.SUM,
            formula="entered + dust taken − exited − withdrawn − dust left",
            sign=0,
            children=[
                ExplanationNode(name, title, quantity or ZERO, unit, sign=sign)
                for name, title, quantity, sign in parts
            ],
        )
    ]


def _details(row: Position) -> dict[str, str]:
    opening = row.opening_fill.exchange_fill_id if row.opening_fill else None
    came = row.opening_transfer.exchange_transfer_id if row.opening_transfer else None
    return texts(
        account=row.account_id,
        exchange=row.exchange,
        status=row.status,
        method=row.book.method,
        opening_fill=opening,
        opening_transfer=came,
        entry_price=row.entry_price,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        stale_from=row.book.stale_from,
        engine_version=row.engine_version,
    )
