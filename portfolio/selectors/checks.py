"""Adds a trade up again: from its allocations, and from the exchange's facts through the engine itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import islice, takewhile
from typing import Final

from django.conf import settings

from core import clock, money
from core.money import CONTEXT, ZERO, quantize
from exchanges.rows import MarketType
from orders.models import Fill
from portfolio import pools, rebuild
from portfolio.accounting import engine, results
from portfolio.accounting.events import Event, EventKind, InvalidFact, MissingPrice, from_fill
from portfolio.accounting.events import Fill as FillFact
from portfolio.accounting.exits import exit_type
from portfolio.accounting.measure import percent
from portfolio.models import Allocation, Trade, TradeKind, Valuation
from portfolio.selectors import contract_checks
from portfolio.selectors.check import MAX_EVENTS, Check, check, not_checked

_MILLISECOND: Final = timedelta(milliseconds=1)
Prices = Mapping[tuple[str, datetime], Valuation]


def trade_checks(
    row: Trade, parts: Sequence[Allocation], facts: Mapping[int, Fill], *, role: str, prices: Prices
) -> list[Check]:
    """Every check of a trade."""
    with localcontext(CONTEXT):
        if row.market_type != MarketType.SPOT:
            return [
                *_sums(row, parts),
                *contract_checks.results(row, parts),
                *_times(row, parts, facts),
                *contract_checks.fill_quantities(row, parts, facts),
                *contract_checks.exit_types(row, role, facts, parts),
                *contract_checks.exchange_opinion(row, parts, facts),
                *contract_checks.refolded(row),
            ]
        return [
            *_sums(row, parts),
            *_results(row, parts),
            *_times(row, parts, facts),
            *_fill_quantities(row, parts, facts, prices),
            *_exit_type(row, role),
            *_refolded(row),
        ]


def _sums(row: Trade, parts: Sequence[Allocation]) -> Iterator[Check]:
    known = [part for part in parts if part.source != Allocation.Source.UNKNOWN]
    unknown = [part for part in parts if part.source == Allocation.Source.UNKNOWN]
    for name, column, over in (
        ("exit_quantity", "quantity", known),
        ("entry_quantity", "quantity", known),
        ("cost", "cost", known),
        ("proceeds", "proceeds", known),
        ("entry_fees", "entry_fee", parts),
        ("exit_fees", "exit_fee", parts),
        ("unknown_quantity", "quantity", unknown),
        ("unknown_proceeds", "proceeds", unknown),
    ):
        formula = f"sum of the allocations' {column}" + (", unknown ones only" if over is unknown else "")
        total = sum((getattr(part, column) for part in over), ZERO)
        yield check(name, "allocations", formula, getattr(row, name), total)


def _results(row: Trade, parts: Sequence[Allocation]) -> Iterator[Check]:
    """What follows from the allocations' sums, by the definitions of the accounting rules."""
    known = [part for part in parts if part.source != Allocation.Source.UNKNOWN]
    over = known or parts  # a trade of unknown coins only still has an average price
    quantity = sum((part.quantity for part in known), ZERO)
    cost = sum((part.cost for part in known), ZERO)
    gross = sum((part.proceeds for part in known), ZERO) - cost
    net = gross - sum((part.entry_fee + part.exit_fee for part in parts), ZERO)
    sold = sum((part.quantity for part in over), ZERO)
    exit_price = quantize(sum((part.proceeds for part in over), ZERO) / sold) if sold else None
    entry_price = quantize(cost / quantity) if quantity else None
    share = percent(net, cost).value if cost > 0 else None
    yield check("gross_pnl", "allocations", "proceeds - cost", row.gross_pnl, gross)
    yield check("net_pnl", "allocations", "proceeds - cost - entry fees - exit fees", row.net_pnl, net)
    yield check("entry_price", "allocations", "cost / quantity", row.entry_price, entry_price)
    yield check("exit_price", "allocations", "proceeds / quantity", row.exit_price, exit_price)
    yield check("pnl_percentage", "allocations", "net / cost x 100", row.pnl_percentage, share)


def _times(row: Trade, parts: Sequence[Allocation], facts: Mapping[int, Fill]) -> Iterator[Check]:
    exits = [_moment(facts[part.exit_fill_id]) for part in parts]
    entries = [_moment(facts[part.entry_fill_id]) for part in parts if part.entry_fill_id]
    if any(part.entry_transfer_id for part in parts):
        entries.append(row.entry_time)  # coins that came without a fill may be older than their transfer
    first, last = min([*entries, *exits], default=None), max(exits, default=None)
    held = last - first if first and last else None
    seconds = Decimal(held // _MILLISECOND) / 1000 if held is not None else None
    stored = Decimal(row.hold_duration // _MILLISECOND) / 1000
    yield check("entry_time", "fills", "earliest entry fill consumed", row.entry_time, first)
    yield check("exit_time", "fills", "last exit fill", row.exit_time, last)
    yield check("hold_duration", "fills", "exit time - entry time, in seconds", stored, seconds)


def _moment(fill: Fill) -> datetime:
    """Books keep time in milliseconds."""
    return clock.from_ms(clock.to_ms(fill.executed_at))


def _fill_quantities(
    row: Trade, parts: Sequence[Allocation], facts: Mapping[int, Fill], prices: Prices
) -> Iterator[Check]:
    """The parts of each exit fill sum to what the fill took out of the book."""
    for fill_id in dict.fromkeys(part.exit_fill_id for part in parts):
        fill = facts[fill_id]
        taken = sum((part.quantity for part in parts if part.exit_fill_id == fill_id), ZERO)
        name, formula = f"quantity of fill {fill.exchange_fill_id}", "sum of the fill's allocations"
        event = _exit_event(row, fill, prices)
        if event is None:
            yield not_checked(name, "fills", formula, taken, "A price this fill needs is not pinned.")
        else:
            yield check(name, "fills", formula, money.from_units(event.quantity), taken)


def _exit_event(row: Trade, fill: Fill, prices: Prices) -> Event | None:
    """How a fill took coins out of the trade's book; None while a price is missing."""
    book = row.position.book
    fact = FillFact(
        fill_id=fill.exchange_fill_id,
        symbol=fill.symbol,
        base=fill.base_asset,
        quote=fill.quote_asset,
        side=fill.side,
        price=money.to_units(fill.price),
        quantity=money.to_units(fill.quantity),
        quote_quantity=money.to_units(fill.quote_quantity),
        fee_amount=money.to_units(fill.fee_amount),
        fee_currency=fill.fee_currency,
        executed_ms=clock.to_ms(fill.executed_at),
        order_id=fill.exchange_order_id,
    )
    quote_price = _price(fill.quote_asset, fill, book.currency, prices)
    if quote_price is None:
        return None
    kind = EventKind.FEE if row.kind == TradeKind.FEE else EventKind.EXIT
    try:
        events = from_fill(
            fact,
            asset=book.asset,
            cash=settings.CASH_ASSETS,
            quote_price=quote_price,
            fee_price=_price(fill.fee_currency, fill, book.currency, prices),
        )
    except (InvalidFact, MissingPrice):
        return None
    return next((event for event in events if event.kind is kind), None)


def _price(asset: str, fill: Fill, currency: str, prices: Prices) -> int | None:
    if asset == currency:
        return money.UNIT
    pinned = prices.get((asset, clock.floor_hour(fill.executed_at)))
    return money.to_units(pinned.price) if pinned else None


def _exit_type(row: Trade, role: str) -> Iterator[Check]:
    computed = str(exit_type(role=role or None, closes_position=row.closes_position))
    yield check(
        "exit_type", "order", f"role {role or 'none'}, closes: {row.closes_position}", row.exit_type, computed
    )


# The trade's columns and the engine's names for them.
_FOLDED: Final = {
    "exit_quantity": "quantity",
    "cost": "cost",
    "proceeds": "proceeds",
    "entry_fees": "entry_fees",
    "exit_fees": "exit_fees",
    "gross_pnl": "gross",
    "net_pnl": "net",
    "entry_price": "entry_price",
    "exit_price": "exit_price",
    "unknown_quantity": "unknown_quantity",
    "unknown_proceeds": "unknown_proceeds",
}


def _refolded(row: Trade) -> Iterator[Check]:
    """The same trade from the facts: the position folded anew from before it opened up to the trade's last fill."""
    trade, note = _fold_again(row)
    for column, name in _FOLDED.items():
        stored = getattr(row, column)
        formula = "the position's facts folded anew"
        if trade is None:
            yield not_checked(column, "facts", formula, stored, note)
            continue
        units = getattr(trade, name)
        computed = None if units is None else money.from_units(units)
        yield check(column, "facts", formula, stored, computed)


def _fold_again(row: Trade) -> tuple[results.Trade | None, str]:
    """The trade as the engine makes it now, or why it cannot."""
    book, position = row.position.book, row.position
    if row.engine_version != engine.ENGINE_VERSION or book.stale_from is not None:
        return None, "The book is to be folded again first: new facts or a newer engine."
    state = position.checkpoint or engine.new_state(method=book.method, step=money.to_units(book.step))
    collector = results.Collector()
    until = clock.to_ms(row.exit_time)
    try:
        with closing(rebuild.events(book, after=engine.last_key(state))) as facts:
            events = list(islice(takewhile(lambda event: event.time <= until, facts), MAX_EVENTS + 1))
    except rebuild.NoPrice as reason:
        return None, str(reason)
    if len(events) > MAX_EVENTS:
        return None, f"More than {MAX_EVENTS} facts; rebuild the account to check them."
    engine.fold(state, events, collector.sink)
    wanted = _key(row, pools.symbol_in(book, row.account_id, row.symbol))
    found = next((trade for trade in collector.trades if trade.key[1:] == wanted), None)
    return found, "" if found else "The facts no longer give this trade; rebuild the account."


def _key(row: Trade, symbol: str) -> tuple[str, str, results.TradeKind, str]:
    """Of a trade within its book, its position left out: an exit fill begins one trade of a kind."""
    first = row.first_exit_fill.exchange_fill_id
    return symbol, row.exit_order_id, results.TradeKind(row.kind), first
