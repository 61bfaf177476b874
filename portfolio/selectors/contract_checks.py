"""Adds a contract's trade up again: from its allocations, and from the exchange's facts through the engine itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import islice, takewhile
from typing import Final

from core import clock, money
from core.money import ZERO
from orders.models import Fill
from portfolio import contract_rebuild, rebuild
from portfolio.accounting import contract_book
from portfolio.accounting.contracts import (
    BookSide,
    ContractCollector,
    ContractEvent,
    ContractKind,
    ContractTrade,
)
from portfolio.accounting.exits import exit_type
from portfolio.accounting.measure import percent
from portfolio.accounting.results import PositionKey, State, TradeKey, TradeKind
from portfolio.models import Allocation, Position, PositionSide, Trade
from portfolio.selectors.check import MAX_EVENTS, Check, check, not_checked

# The trade's columns and the engine's names for them.
_FOLDED: Final = {
    "exit_quantity": "quantity",
    "cost": "cost",
    "proceeds": "proceeds",
    "entry_fees": "entry_fees",
    "exit_fees": "exit_fees",
    "funding": "funding",
    "gross_pnl": "gross",
    "settled_pnl": "settled_gross",
    "net_pnl": "net",
    "entry_price": "entry_price",
    "exit_price": "exit_price",
    "unknown_quantity": "unknown_quantity",
    "unknown_proceeds": "unknown_proceeds",
}


def direction(row: Trade) -> int:
    """+1 where the trade gained by its value rising, else -1."""
    return 1 if (row.side == PositionSide.LONG) is not row.is_inverse else -1


def results(row: Trade, parts: Sequence[Allocation]) -> Iterator[Check]:
    """What follows from the allocations' sums, by the definitions of the accounting rules."""
    known = [part for part in parts if part.source != Allocation.Source.UNKNOWN]
    cost = sum((part.cost for part in known), ZERO)
    rise = sum((part.proceeds for part in known), ZERO) - cost
    gross = direction(row) * rise
    net = gross - sum((part.entry_fee + part.exit_fee for part in parts), ZERO) + row.funding
    formula = "proceeds - cost" if direction(row) > 0 else "cost - proceeds"
    yield check("gross_pnl", "allocations", formula, row.gross_pnl, gross)
    yield check("net_pnl", "allocations", f"{formula} - entry fees - exit fees + funding", row.net_pnl, net)
    share = percent(net, cost).value if cost > 0 else None
    yield check("pnl_percentage", "allocations", "net / cost x 100", row.pnl_percentage, share)
    if row.leverage and cost > 0:
        margin = money.CONTEXT.divide(cost, row.leverage)
        on_margin = percent(net, margin).value
        yield check(
            "roi_percentage", "allocations", "net / (cost / leverage) x 100", row.roi_percentage, on_margin
        )


def fill_quantities(row: Trade, parts: Sequence[Allocation], facts: Mapping[int, Fill]) -> Iterator[Check]:
    """The parts of each exit fill sum to the fill; of one that turned the position, to what it closed."""
    for fill_id in dict.fromkeys(part.exit_fill_id for part in parts):
        fill = facts[fill_id]
        taken = sum((part.quantity for part in parts if part.exit_fill_id == fill_id), ZERO)
        opened = ZERO
        if taken < fill.quantity and row.closes_position:
            opened = _opened_by(row, fill)
        name = f"quantity of fill {fill.exchange_fill_id}"
        formula = "sum of the fill's allocations" + (" and what it opened" if opened else "")
        yield check(name, "fills", formula, fill.quantity, taken + opened)


def _opened_by(row: Trade, fill: Fill) -> Decimal:
    """What a fill that turned the position opened on the other side: all of it but what it closed."""
    flipped = Position.objects.filter(book_id=row.position.book_id, opening_fill_id=fill.pk).exists()
    closed = sum(
        Allocation.objects.filter(exit_fill_id=fill.pk, trade=row).values_list("quantity", flat=True), ZERO
    )
    return fill.quantity - closed if flipped else ZERO


def exit_types(
    row: Trade, role: str, facts: Mapping[int, Fill], parts: Sequence[Allocation]
) -> Iterator[Check]:
    is_liquidation = any(facts[part.exit_fill_id].is_liquidation for part in parts)
    computed = exit_type(
        role=role or None, closes_position=row.closes_position, is_liquidation=is_liquidation
    )
    formula = f"liquidation: {is_liquidation}, role {role or 'none'}, closes: {row.closes_position}"
    yield check("exit_type", "order", formula, row.exit_type, str(computed))


def exchange_opinion(row: Trade, parts: Sequence[Allocation], facts: Mapping[int, Fill]) -> Iterator[Check]:
    """The exchange's own profit is the sum of what its fills tell."""
    told = [facts[fill_id].realized_pnl for fill_id in dict.fromkeys(part.exit_fill_id for part in parts)]
    total = sum((pnl for pnl in told if pnl is not None), ZERO) if None not in told else None
    yield check("exchange_pnl", "fills", "sum of the fills' realised PnL", row.exchange_pnl, total)


def refolded(row: Trade) -> Iterator[Check]:
    """The same trade from the facts: the contract folded anew from the last flat moment before it."""
    trade, note = _fold_again(row)
    formula = "the position's facts folded anew"
    for column, name in _FOLDED.items():
        stored = getattr(row, column)
        if trade is None:
            yield not_checked(column, "facts", formula, stored, note)
            continue
        units = getattr(trade, name)
        yield check(column, "facts", formula, stored, None if units is None else money.from_units(units))


def _fold_again(row: Trade) -> tuple[ContractTrade | None, str]:
    """The trade as the engine makes it now, or why it cannot."""
    book = row.position.book
    if row.engine_version != contract_book.CONTRACT_VERSION or book.stale_from is not None:
        return None, "The book is to be folded again first: new facts or a newer engine."
    state, collector = _state_before(row), ContractCollector()
    until = clock.to_ms(row.exit_time)

    def belongs(event: ContractEvent) -> bool:
        """Funding that came after the close is the closing trade's."""
        return event.time <= until or (row.closes_position and event.kind is ContractKind.FUNDING)

    stream = contract_rebuild.events(
        book, after=contract_book.last_key(state), price_of=rebuild.contract_prices(book)
    )
    try:
        with closing(stream) as facts:
            events = list(islice(takewhile(belongs, facts), MAX_EVENTS + 1))
    except rebuild.NoPrice as reason:
        return None, str(reason)
    if len(events) > MAX_EVENTS:
        return None, f"More than {MAX_EVENTS} facts; rebuild the account to check them."
    contract_book.fold(state, events, collector.sink)
    wanted = _key(row)
    found = next((trade for trade in collector.trades if trade.key == wanted), None)
    return found, "" if found else "The facts no longer give this trade; rebuild the account."


def _state_before(row: Trade) -> State:
    """The book at the last flat moment before the trade's position: a flip has none of its own."""
    book = row.position.book
    flat = Position.objects.filter(book=book, opened_at__lte=row.position.opened_at, checkpoint__isnull=False)
    checkpoint = flat.order_by("-opened_at", "-id").values_list("checkpoint", flat=True).first()
    return checkpoint or contract_book.new_state(
        side=BookSide(book.side), is_inverse=book.is_inverse, method=book.method
    )


def _key(row: Trade) -> TradeKey:
    opening = row.position.opening_fill
    if opening is None:
        raise ValueError("A contract's position opens with a fill.")
    return TradeKey(
        PositionKey(opening.symbol, opening.exchange_fill_id),
        row.symbol,
        row.exit_order_id,
        TradeKind(row.kind),
        row.first_exit_fill.exchange_fill_id,
    )
