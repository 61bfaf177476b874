"""What the engine derives. Amounts are whole units of 10**-18 (`core.money.from_units`), times are
milliseconds.

By construction, to the last digit: allocations of a trade sum to the trade, trades of a position sum to the
position, `gross = proceeds - cost` and `net = gross - entry_fees - exit_fees` everywhere, and for a position
entry + dust in = exit + moved + dust out + open, in quantity and in cost.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from core.errors import Invalid
from core.money import DIGITS
from portfolio.accounting.events import FoldKey

State = dict[str, Any]
"""A book between two folds, as JSON holds it; amounts are text."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


_LIMIT: Final[int] = 10**DIGITS


class AmountOverflow(Invalid):
    """A result too large to be stored: 38 digits, 18 of them decimals."""

    code = "amount_overflow"


class PositionStatus(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class TradeKind(StrEnum):
    TRADE = "TRADE"
    FEE = "FEE"  # coins spent on another book's fee: no trade of the user's, kept out of statistics


class AllocationKind(StrEnum):
    LOT = "LOT"  # consumed an entry fill of the position
    DUST = "DUST"  # consumed what closed positions left behind, at the pool's average cost
    UNKNOWN = "UNKNOWN"  # nothing known was left: proceeds stand apart, no cost, no PnL


class PositionKey(NamedTuple):
    """A position's natural key within its book: the fill that opened it. Fill ids repeat across symbols."""

    symbol: str
    fill_id: str


class TradeKey(NamedTuple):
    """A trade's natural key within its book: position, exit order and kind.

    `first_fill_id` tells apart the parts of an exit order that filled again after more than
    `state.OPEN_ORDERS` other exit orders of the same position; such an order has one trade per part.
    """

    position: PositionKey
    symbol: str
    order_id: str
    kind: TradeKind
    first_fill_id: str


class Checkpoint(NamedTuple):
    """The book just before a position opened: flat, so small. `state()` is where a late event recomputes
    from.
    """

    version: int
    method: str
    step: int
    last: tuple[int, str, str, int] | None
    unknown: int
    dust: tuple[int, int, int]
    day: tuple[int, ...]

    def last_key(self) -> FoldKey | None:
        """The `events.fold_key` of the last event folded."""
        if self.last is None:
            return None
        time, event_id, symbol, kind = self.last
        return time, len(event_id), event_id, symbol, kind

    def state(self) -> State:
        return {
            "version": self.version,
            "method": self.method,
            "step": str(self.step),
            "last": list(self.last) if self.last else None,
            "unknown": str(self.unknown),
            "dust": [*map(str, self.dust)],
            "day": [*map(str, self.day)],
            "position": None,
        }


class Position(NamedTuple):
    """One episode from flat to flat.

    `exit_*` count what was sold with known cost, dust of earlier positions included. `entry_price` and
    `exit_price` are averages of fills without fees; None where nothing known was bought or sold. `entry_fees`
    and `exit_fees` are all fees paid; `realised_entry_fees` is the part of the first that exits have taken,
    `moved_fees` the part that left with withdrawals. `unknown_*` is what was sold without a known entry: its
    proceeds are in no PnL, its fee stands in `exit_fees`.
    """

    key: PositionKey
    entry_order_id: str
    side: str
    status: PositionStatus
    opened_ms: int
    closed_ms: int | None
    last_ms: int
    entry_quantity: int
    entry_cost: int
    entry_price: int | None
    exit_quantity: int
    exit_cost: int
    proceeds: int
    exit_price: int | None
    open_quantity: int
    open_cost: int
    entry_fees: int
    exit_fees: int
    realised_entry_fees: int
    realised_gross: int
    realised_net: int
    unknown_quantity: int
    unknown_proceeds: int
    moved_quantity: int
    moved_cost: int
    moved_fees: int
    dust_in_quantity: int
    dust_in_cost: int
    dust_out_quantity: int
    dust_out_cost: int
    checkpoint: Checkpoint
    opening_fact: int

    @property
    def symbol(self) -> str:
        return self.key.symbol

    @property
    def cost_unknown(self) -> bool:
        return self.unknown_quantity > 0


class Trade(NamedTuple):
    """All fills of one exit order against one position.

    `entry_ms` is the earliest entry fill consumed, or its own first fill where none was; `exit_ms` the last
    fill. `entry_price = cost / quantity`, `exit_price = proceeds / quantity`. A trade of unknown coins only
    has quantity 0, no entry price, and its fills' average as exit price. `pnl_percent = net / cost x 100`,
    rounded to four places, None without cost.
    """

    key: TradeKey
    entry_ms: int
    exit_ms: int
    quantity: int
    cost: int
    proceeds: int
    entry_price: int | None
    exit_price: int | None
    gross: int
    entry_fees: int
    exit_fees: int
    net: int
    pnl_percent: int | None
    unknown_quantity: int
    unknown_proceeds: int
    closes_position: bool
    first_fact: int

    @property
    def cost_unknown(self) -> bool:
        return self.unknown_quantity > 0


class Allocation(NamedTuple):
    """A part of an exit fill and the entry fill it consumed; a fill's parts sum to its quantity.

    Key within the book: `trade.symbol`, `exit_fill_id`, `trade.kind`, `sequence`. `entry_*` is None for
    dust and unknown parts. Proceeds of an UNKNOWN part belong to `unknown_proceeds` and to no PnL. `*_fact`: see
    `events.Event`.
    """

    trade: TradeKey
    exit_fill_id: str
    sequence: int
    kind: AllocationKind
    entry_symbol: str | None
    entry_fill_id: str | None
    quantity: int
    cost: int
    proceeds: int
    entry_fees: int
    exit_fees: int
    exit_ms: int
    entry_fact: int | None
    exit_fact: int

    @property
    def gross(self) -> int:
        return 0 if self.kind is AllocationKind.UNKNOWN else self.proceeds - self.cost


AllocationRow = tuple[
    TradeKey, str, int, AllocationKind, str | None, str | None, int, int, int, int, int, int, int | None, int
]
"""The fields of an `Allocation` in its order, unnamed: `Allocation._make(row)` names them. The one row there is for
every fill leaves so, because naming it would cost more than making it."""


class Mark(NamedTuple):
    """A book at the end of a UTC day that had events; days between carry the stock forward.

    Stock: `open_*` of the open position, `dust_*`, and `unknown_quantity` (deposits of unknown cost not yet
    out). Flow of the day: `realised_gross`, `fees` as paid, `unknown_proceeds`, `moved_*` (withdrawn at
    cost less received at cost).
    """

    day: int
    open_quantity: int
    open_cost: int
    dust_quantity: int
    dust_cost: int
    unknown_quantity: int
    realised_gross: int
    fees: int
    unknown_proceeds: int
    moved_quantity: int
    moved_cost: int

    @property
    def date(self) -> date:
        """The UTC day; `day` counts from 1970-01-01."""
        return date.fromordinal(_EPOCH_ORDINAL + self.day)


class MovedRow(NamedTuple):
    """A part of what a withdrawal took, in the order it was taken; a withdrawal's parts sum to what was known to be
    there. `fact` is the withdrawal's, `entry_fact` that of the entry, `entered_ms` when the coins were got; of UNKNOWN
    and DUST both are the withdrawal's own time and None."""

    fact: int
    sequence: int
    kind: AllocationKind
    quantity: int
    cost: int
    fees: int
    entered_ms: int
    moved_ms: int
    entry_fact: int | None


def _kept_nowhere(_: MovedRow) -> None:
    """Of folds that nobody asks what left."""


class Sink(NamedTuple):
    """Where results go as they finish. Within one fold each key comes at most once; across folds a key that
    comes again replaces the earlier row."""

    position: Callable[[Position], object]
    trade: Callable[[Trade], object]
    allocation: Callable[[AllocationRow], object]
    mark: Callable[[Mark], object]
    moved: Callable[[MovedRow], object] = _kept_nowhere


def storable(sink: Sink) -> Sink:
    """The same sink behind a check that what it is given fits NUMERIC(38,18). Its functions raise AmountOverflow.

    Allocations are parts of their trade and pass unchecked.
    """

    def position(row: Position) -> None:
        fees = row.entry_fees + row.exit_fees
        _require_fit((*row[7:30], fees), row.key.fill_id, row.key.symbol, "The position opened by")
        sink.position(row)

    def trade(row: Trade) -> None:
        _require_fit(row[3:15], row.key.first_fill_id, row.key.symbol, "The trade that began with")
        sink.trade(row)

    def mark(row: Mark) -> None:
        if not _fits((*row[1:], row.open_quantity + row.dust_quantity, row.open_cost + row.dust_cost)):
            raise AmountOverflow(f"The sums of {row.date} have more digits than can be stored.")
        sink.mark(row)

    return Sink(position, trade, sink.allocation, mark, sink.moved)


def _require_fit(amounts: tuple[Any, ...], fill_id: str, symbol: str, whose: str) -> None:
    if not _fits(amounts):
        raise AmountOverflow(
            f"{whose} fill {fill_id} of {symbol} has an amount or price of more digits than can be stored.",
            fill_id=fill_id,
            symbol=symbol,
        )


def _fits(amounts: tuple[int | None, ...]) -> bool:
    known = [amount for amount in amounts if amount is not None]
    return max(known) < _LIMIT and min(known) > -_LIMIT


class Collector:
    """A sink that keeps everything in lists."""

    def __init__(self) -> None:
        self.positions: list[Position] = []
        self.trades: list[Trade] = []
        self.allocations: list[Allocation] = []
        self.marks: list[Mark] = []
        self.moved: list[MovedRow] = []
        self.sink = Sink(
            self.positions.append, self.trades.append, self._allocation, self.marks.append, self.moved.append
        )

    def _allocation(self, row: AllocationRow) -> None:
        self.allocations.append(Allocation._make(row))


def quotient(numerator: int, denominator: int) -> int:
    """Rounded half-even; the denominator is positive."""
    whole, rest = divmod(numerator, denominator)
    if rest:
        rest *= 2
        if rest > denominator or (rest == denominator and whole & 1):
            return whole + 1
    return whole
