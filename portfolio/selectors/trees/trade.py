"""A trade's tree: its result, down to the fills of its entries and exits."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.db.models import Q, QuerySet, Sum

from core.errors import NotFound
from core.money import ZERO
from orders.models import Fill
from portfolio.models import Allocation, Fee, Trade
from portfolio.selectors import explain, trades
from portfolio.selectors.trees import facts, node
from portfolio.selectors.trees.facts import Listed
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree, Rule, texts

_KNOWN: Final = ~Q(source=Allocation.Source.UNKNOWN)
_SUMS: Final = {
    "proceeds": Sum("proceeds", filter=_KNOWN),
    "cost": Sum("cost", filter=_KNOWN),
    "entry_fees": Sum("entry_fee"),
    "exit_fees": Sum("exit_fee"),
}
PARTS: Final = ("gross_pnl", "entry_fees", "exit_fees")
"""Lists that may be too long for one answer."""


def trade_tree(*, trade_id: int, part: str = "", after: int = 0) -> ExplanationTree:
    """How a trade's net result comes about, or one of its lists from a row on. Raises NotFound."""
    row = trades.find(trade_id=trade_id)
    if part and part not in PARTS:
        raise NotFound("There is no such part of a trade.")
    found = facts.listed(_parts(row), after=after, sums=_SUMS)
    columns = _columns(row, found)
    currency = row.position.book.currency
    if part:
        title, _ = _TITLES[part]
        root = node.summed(part, title, currency, _TITLES[part][1], columns[part])
        return _tree(row, root)
    root = ExplanationNode(
        name="net_pnl",
        title="Net result",
        value=row.net_pnl,
        unit=currency,
        rule=Rule.SUM,
        formula="gross result − entry fees − exit fees + funding",
        children=[
            _sum(row, "gross_pnl", columns, sign=1),
            _sum(row, "entry_fees", columns, sign=-1),
            _sum(row, "exit_fees", columns, sign=-1),
            _funding(row, currency),
            *_percentage(row, currency),
            *_fills(found, currency),
        ],
    )
    # The whole of a long one is checked in the background only.
    checks = () if found.rest else explain.explain(trade_id=trade_id).checks
    return node.tree(
        kind="trade",
        row_id=str(row.pk),
        title=f"Trade {row.symbol}",
        currency=currency,
        root=root,
        details=_details(row),
        checks=checks,
    )


def _tree(row: Trade, root: ExplanationNode) -> ExplanationTree:
    currency = row.position.book.currency
    title = f"Trade {row.symbol}"
    details = _details(row)
    return node.tree(
        kind="trade", row_id=str(row.pk), title=title, currency=currency, root=root, details=details
    )


def _details(row: Trade) -> dict[str, str]:
    book = row.position.book
    return texts(
        account=row.account_id,
        exchange=row.exchange,
        position=row.position_id,
        side=row.side,
        method=book.method,
        entry_order=row.entry_order_id,
        exit_order=row.exit_order_id,
        exit_type=row.exit_type,
        entry_time=row.entry_time,
        exit_time=row.exit_time,
        strategy=row.strategy,
        engine_version=row.engine_version,
        stale_from=book.stale_from,
    )


def _parts(row: Trade) -> QuerySet[Allocation]:
    rows = Allocation.objects.filter(trade=row)
    return rows.select_related("entry_fill", "exit_fill", "entry_transfer").defer(
        "entry_fill__raw", "exit_fill__raw", "entry_transfer__raw"
    )


_TITLES: Final = {
    "gross_pnl": ("Gross result", "sum over the parts of exits"),
    "entry_fees": ("Entry fees", "sum of the parts' shares of their entries' fees"),
    "exit_fees": ("Exit fees", "sum of the parts' shares of their exits' fees"),
}


def _columns(row: Trade, found: Listed) -> dict[str, list[ExplanationNode]]:
    currency, way = row.position.book.currency, facts.way_of(row)
    if found.rest:
        made = way * ((found.rest["proceeds"] or ZERO) - (found.rest["cost"] or ZERO))
        found = Listed(found.rows, {**found.rest, "gross_pnl": made})
    makers: dict[str, Callable[[Any], ExplanationNode]] = {
        "gross_pnl": partial(facts.gross, way=way, currency=currency),
        "entry_fees": partial(facts.fee_share, column="entry_fee", currency=currency),
        "exit_fees": partial(facts.fee_share, column="exit_fee", currency=currency),
    }
    path = facts.path_of("trade", row.pk)
    return {
        name: facts.column(
            found.rows, make, rest=facts.rest_of(found, name, unit=currency, path=path, part=name)
        )
        for name, make in makers.items()
    }


def _sum(row: Trade, name: str, columns: dict[str, list[ExplanationNode]], *, sign: int) -> ExplanationNode:
    title, formula = _TITLES[name]
    unit = row.position.book.currency
    value: Decimal = getattr(row, name)
    return ExplanationNode(name, title, value, unit, Rule.SUM, formula, sign, children=columns[name])


def _funding(row: Trade, currency: str) -> ExplanationNode:
    """By quantity; the payments stand in the position's tree."""
    link = facts.path_of("position", row.position_id) if row.funding else None
    return ExplanationNode("funding", "Share of the position's funding", row.funding, currency, link=link)


def _percentage(row: Trade, currency: str) -> list[ExplanationNode]:
    if row.pnl_percentage is None:
        return []
    return [
        ExplanationNode(
            name="pnl_percentage",
            title="Of the entry value",
            value=row.pnl_percentage,
            unit="%",
            rule=Rule.PERCENT,
            formula="net result ÷ entry value × 100",
            sign=0,
            children=[
                ExplanationNode("net_pnl", "Net result", row.net_pnl, currency),
                ExplanationNode("cost", "Entry value", row.cost, currency),
            ],
        )
    ]


def _fills(found: Listed, currency: str) -> list[ExplanationNode]:
    """The facts beneath, each with its fee; beside the sums, for a fill may belong to several trades."""
    fills: dict[int, Fill] = {}
    for part in found.rows:
        fills |= {fill.pk: fill for fill in (part.entry_fill, part.exit_fill) if fill is not None}
    if not fills:
        return []
    prices = facts.pinned(currency, fills.values())
    nodes = [facts.fill(fill, currency, prices) for fill in sorted(fills.values(), key=explain.fold_order)]
    fees = Fee.objects.filter(fill_id__in=fills).order_by("fee_timestamp", "id")
    nodes += [facts.fee(fee, currency, sign=0) for fee in fees]
    return [
        ExplanationNode(
            name="facts",
            title="Fills and fees as reported, with the prices used",
            value=None,
            unit="",
            sign=0,
            count=len(nodes),
            children=nodes,
        )
    ]
