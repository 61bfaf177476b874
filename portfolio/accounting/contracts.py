"""Contract positions: what happens to them, and the rows they give.

One book is one (account, contract, side): `BOTH` is the one signed net position of one-way mode, `LONG` and `SHORT` are
kept apart in hedge mode. Quantities are whole units of 10**-18 of the base asset (linear) or of the quote asset
(inverse); a fill's `value` is the other leg, in the settle asset: quantity x price (linear), quantity / price
(inverse). So for both kinds

    gross = direction x (exit value - entry value), direction +1 for linear longs and inverse shorts, else -1

Values stay in the settle asset until an exit realises them; they are then worth what one settle coin is worth in the
reporting currency at the exit (1 for the reporting currency itself). Fees and funding are worth their price when paid.
Money comes in "fine" parts of 10**-36, so that products with a price are exact, and is published in units of 10**-18.
"""

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from core.money import DIGITS, UNIT, round_product
from portfolio.accounting.events import InvalidFact
from portfolio.accounting.results import (
    AllocationRow,
    AmountOverflow,
    PositionKey,
    State,
    TradeKey,
    quotient,
)

_LIMIT: Final[int] = 10**DIGITS


class BookSide(StrEnum):
    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class ContractStatus(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    LIQUIDATED = "LIQUIDATED"


class ContractKind(IntEnum):
    FUNDING = 0  # first in its millisecond: it is paid on what was held before
    FILL = 1


class ContractEvent(NamedTuple):
    """One change of a contract book; `realized` is the exchange's own PnL of the fill in settle units, None where it
    tells none. `fee` and `funding` are fine, in the reporting currency (rebates < 0, funding received > 0)."""

    time: int
    kind: ContractKind
    event_id: str
    symbol: str
    order_id: str
    is_buy: bool
    quantity: int
    value: int
    settle_price: int
    fee: int
    realized: int | None
    is_liquidation: bool
    funding: int
    fact: int = 0


ContractKey = tuple[int, int, int, str]


def fold_key(event: ContractEvent) -> ContractKey:
    """The order in which a book is folded; exchange ids count up, so a longer id is a later one."""
    return event.time, event.kind, len(event.event_id), event.event_id


def fill_event(
    *,
    fill_id: str,
    symbol: str,
    order_id: str,
    side: str,
    quantity: int,
    value: int,
    time_ms: int,
    settle_price: int = UNIT,
    fee_amount: int = 0,
    fee_price: int = UNIT,
    realized: int | None = None,
    is_liquidation: bool = False,
    fact: int = 0,
) -> ContractEvent:
    """An execution. `settle_price` and `fee_price`: one settle coin and one fee coin in the reporting currency."""
    if quantity <= 0 or value < 0:
        raise InvalidFact(f"Fill {fill_id} of {symbol} has no quantity.")
    # An order without an id stands for itself: fills of different orders must never share a trade.
    return ContractEvent(
        time_ms, ContractKind.FILL, fill_id, symbol, order_id or fill_id, side == "BUY", quantity, value,
        settle_price, fee_amount * fee_price, realized, is_liquidation, 0, fact,
    )  # fmt: skip


def funding_event(
    *, payment_id: str, symbol: str, amount: int, time_ms: int, price: int = UNIT, fact: int = 0
) -> ContractEvent:
    """A funding payment: `amount` > 0 was received; `price` is its coin in the reporting currency."""
    return ContractEvent(
        time_ms, ContractKind.FUNDING, payment_id, symbol, "", False, 0, 0, UNIT, 0, None, False, amount * price,
        fact,
    )  # fmt: skip


class Contract(NamedTuple):
    """What a book must know of its contract."""

    side: BookSide
    is_inverse: bool

    def direction(self, *, is_long: bool) -> int:
        return 1 if is_long is not self.is_inverse else -1

    def price(self, quantity: int, value: int) -> int | None:
        """The average price of a quantity with that value, in units; None where there is none."""
        numerator, denominator = (quantity, value) if self.is_inverse else (value, quantity)
        return quotient(numerator * UNIT, denominator) if denominator and quantity else None


class ContractPosition(NamedTuple):
    """One episode from flat to flat, or from flip to flip.

    `entry_value`, `open_value` and `settled_gross` are in the settle asset, the rest of the money in the reporting
    currency. `net = gross - used_fees - exit_fees + used_funding`: of entry fees and funding only the part that exits
    have taken. `exchange_pnl` is the exchange's own gross in the settle asset, None where a fill does not tell it.
    `checkpoint` is the book just before, None where it was not flat then or not for a whole millisecond.
    """

    key: PositionKey
    entry_order_id: str
    side: BookSide
    status: ContractStatus
    opened_ms: int
    closed_ms: int | None
    entry_quantity: int
    entry_value: int
    entry_price: int | None
    exit_quantity: int
    exit_price: int | None
    open_quantity: int
    open_value: int
    entry_fees: int
    exit_fees: int
    used_fees: int
    funding: int
    used_funding: int
    gross: int
    settled_gross: int
    net: int
    unknown_quantity: int
    unknown_proceeds: int
    exchange_pnl: int | None
    checkpoint: State | None
    opening_fact: int


class ContractTrade(NamedTuple):
    """All fills of one exit order against one position. `cost` is the entry value, `proceeds` the exit value of what it
    closed, in the reporting currency: gross = direction x (proceeds - cost)."""

    key: TradeKey
    side: BookSide
    entry_ms: int
    exit_ms: int
    quantity: int
    cost: int
    proceeds: int
    entry_price: int | None
    exit_price: int | None
    gross: int
    settled_gross: int
    entry_fees: int
    exit_fees: int
    funding: int
    net: int
    pnl_percent: int | None
    unknown_quantity: int
    unknown_proceeds: int
    exchange_pnl: int | None
    closes_position: bool
    is_liquidation: bool
    first_fact: int


class ContractMark(NamedTuple):
    """A book at the end of a UTC day that had events.

    Stock: `quantity` (signed), `value` (what it was entered at, settle asset), `unsettled` (gross that our method
    realised in the open episode less what the exchange settled, settle asset). Flow of the day: `gross`, `fees`,
    `funding`, and `untold`: gross in the settle asset of fills of which the exchange tells no PnL.
    """

    day: int
    quantity: int
    value: int
    unsettled: int
    gross: int
    fees: int
    funding: int
    untold: int


class ContractSink(NamedTuple):
    """Where results go as they finish; a key that comes again replaces the earlier row."""

    position: Callable[[ContractPosition], object]
    trade: Callable[[ContractTrade], object]
    allocation: Callable[[AllocationRow], object]
    mark: Callable[[ContractMark], object]


class ContractCollector:
    """A sink that keeps everything in lists."""

    def __init__(self) -> None:
        self.positions: list[ContractPosition] = []
        self.trades: list[ContractTrade] = []
        self.allocations: list[AllocationRow] = []
        self.marks: list[ContractMark] = []
        self.sink = ContractSink(
            self.positions.append, self.trades.append, self.allocations.append, self.marks.append
        )


def storable(sink: ContractSink) -> ContractSink:
    """The same sink behind a check that what it is given fits NUMERIC(38,18). Its functions raise AmountOverflow."""

    def position(row: ContractPosition) -> None:
        _require_fit(row, row.key.symbol)
        sink.position(row)

    def trade(row: ContractTrade) -> None:
        _require_fit(row, row.key.symbol)
        sink.trade(row)

    return ContractSink(position, trade, sink.allocation, sink.mark)


def _require_fit(row: tuple[Any, ...], symbol: str) -> None:
    if any(isinstance(amount, int) and abs(amount) >= _LIMIT for amount in row):
        raise AmountOverflow(
            f"A position of {symbol} has an amount or price of more digits than can be stored."
        )


class Published:
    """A running total of fine money: what is published of it is always the total rounded half-even."""

    __slots__ = ("shown", "total")

    def __init__(self, total: int = 0) -> None:
        self.total, self.shown = total, round_product(total)

    def add(self, fine: int) -> int:
        """How much more is published now."""
        before = self.shown
        self.total += fine
        self.shown = round_product(self.total)
        return self.shown - before
