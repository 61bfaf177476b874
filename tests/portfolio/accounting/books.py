"""Short ways to write fills and read what a book made of them. Amounts are decimal text."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from core.money import from_units, parse, quantize, text, to_units
from portfolio.accounting import engine, events
from portfolio.accounting.events import Event, Fill
from portfolio.accounting.results import Collector, State, Trade

CASH = frozenset({"USDT", "EUR"})
MINUTE = 60_000
_Row = TypeVar("_Row")


def units(amount: str | Decimal) -> int:
    return to_units(parse(amount))


def shown(amount: int | None) -> str | None:
    """An amount in units as the shortest text."""
    return None if amount is None else text(from_units(amount))


def fill(
    number: int, side: str, quantity: str, price: str, *,
    fee: str = "0", fee_in: str = "USDT", order: str = "", pair: str = "ETH/USDT", minute: int | None = None,
) -> Fill:  # fmt: skip
    """Fill `number`, by default of an order of its own, executed `number` minutes after the epoch."""
    base, quote = pair.split("/")
    paid = quantize(Decimal(quantity) * Decimal(price))
    return Fill(
        fill_id=str(number),
        symbol=base + quote,
        base=base,
        quote=quote,
        side=side,
        price=units(price),
        quantity=units(quantity),
        quote_quantity=units(paid),
        fee_amount=units(quantize(Decimal(fee))),
        fee_currency=fee_in,
        executed_ms=(number if minute is None else minute) * MINUTE,
        order_id=order or f"order {number}",
    )


def booked(
    fills: Iterable[Fill], *, asset: str = "ETH", quote_price: str = "1", fee_price: str | None = None
) -> list[Event]:
    """The fills' events for one asset's book, in fold order."""
    priced = None if fee_price is None else units(fee_price)
    return [
        event
        for one in fills
        for event in events.from_fill(
            one, asset=asset, cash=CASH, quote_price=units(quote_price), fee_price=priced
        )
    ]


def fold(book: Sequence[Event], *, method: str = "average", step: str | int = 1) -> Collector:
    return resume(engine.new_state(method=method, step=units(step) if isinstance(step, str) else step), book)[
        1
    ]


def resume(state: State, book: Iterable[Event]) -> tuple[State, Collector]:
    collector = Collector()
    return engine.fold(state, book, collector.sink), collector


def only(rows: Sequence[_Row]) -> _Row:
    [row] = rows
    return row


def gross(trades: Sequence[Trade]) -> list[str | None]:
    return [shown(trade.gross) for trade in trades]


def net(trades: Sequence[Trade]) -> list[str | None]:
    return [shown(trade.net) for trade in trades]
