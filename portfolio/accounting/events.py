"""What happens to a book: the engine's input, and how an exchange fill becomes it.

Quantities are whole units of 10**-18 (`core.money.to_units`). Money is exact: it counts 10**-18 / `scale`, where scale
is 1 for whole units and `core.money.UNIT` for products of an amount and a price that are finer; so any exact split
of a fill has the same totals. Times are milliseconds since 1970.

The *carrier* of a fill is the book that bears its fee: the base asset's, or, where the base is cash, the
quote asset's (then the directions mirror). Rules:

- Buying the carrier is an ENTRY, selling it an EXIT, worth `quote_quantity x quote_price` (exact for a
  quote coin that is the reporting currency). A fee in the carrier's own coin changes the quantity (an entry
  grows by quantity less fee, an exit shrinks by quantity plus fee) and is taken out of the entry's cost, or
  added to the exit's proceeds, at the fill's price; so it stands once, as a fee. A negative fee is a rebate
  under the same rules.
- A quote asset that is not cash gets the mirrored event at the same value, without fee: paying for ADA with
  BTC is an exit of BTC, selling ETH for BTC an entry of BTC.
- A fee in a coin that is neither cash nor the carrier is a small exit of that coin's book at its value
  (kind FEE, kept out of trade statistics); a rebate paid in such a coin is an entry at its value (kind
  REBATE).
"""

from collections.abc import Collection
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from core.errors import Conflict, Invalid
from core.money import UNIT, round_product


class InvalidFact(Invalid):
    """A fill or transfer that cannot be booked: no quantity, or a fee that swallows it."""

    code = "invalid_fact"


class MissingPrice(Invalid):
    """A fill needs the price of its fee's coin and none was given."""

    code = "missing_price"


class OutOfOrder(Conflict):
    """An event at or before the last one folded: recompute from a checkpoint before it."""

    code = "out_of_order"


class EventKind(IntEnum):
    ENTRY = 0
    EXIT = 1
    FEE = 2  # an exit that pays a fee of some other book's fill
    REBATE = 3  # an entry: a negative fee of some other book's fill
    DEPOSIT = 4
    WITHDRAWAL = 5
    RECEIPT = 6  # an entry outside trading, at a known cost: given, stated, or carried from another account


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


# Members by name: looking one up on its class costs more than comparing it.
_BUY: Final = Side.BUY.value
_ENTRY, _EXIT, _FEE, _REBATE = EventKind.ENTRY, EventKind.EXIT, EventKind.FEE, EventKind.REBATE
_new: Final = tuple.__new__  # a named tuple without its constructor's cost


class Event(NamedTuple):
    """One change of one book. `value` is an entry's cost or an exit's proceeds, without `fee`; both count
    10**-18 / `scale`. `event_id` is the fill's or transfer's own id, `fact` the number a fill is stored under: the
    engine only carries it into its rows, so that a store need not look fills up."""

    time: int
    event_id: str
    symbol: str
    kind: EventKind
    order_id: str
    quantity: int
    value: int
    fee: int
    scale: int
    fact: int = 0


class Receipt(Event):
    """An entry of coins that were got at another time than they came: `entered_ms` is when."""

    entered_ms: int


class Fill(NamedTuple):
    """One execution as the exchange reported it; amounts in units, `fee_amount` < 0 is a rebate. `fact`: see Event."""

    fill_id: str
    symbol: str
    base: str
    quote: str
    side: str
    price: int
    quantity: int
    quote_quantity: int
    fee_amount: int
    fee_currency: str
    executed_ms: int
    order_id: str
    fact: int = 0


FoldKey = tuple[int, int, str, str, int]


def fold_key(event: Event) -> FoldKey:
    """The order in which a book is folded; exchange ids count up, so a longer id is a later one. Ids repeat
    across symbols, and one fill may touch a book twice (as its quote and as its fee)."""
    return event.time, len(event.event_id), event.event_id, event.symbol, event.kind


def require_later(event: Event, last: FoldKey | None) -> None:
    """Raises OutOfOrder for an event that does not sort after the last one folded."""
    if last is not None and fold_key(event) <= last:
        raise OutOfOrder(f"{event.kind.name} {event.event_id} is not later than the last event folded.")


def touched_assets(fill: Fill, *, cash: Collection[str]) -> list[str]:
    """The assets whose books a fill changes, each once."""
    assets = [fill.base, fill.quote]
    if fill.fee_amount:
        assets.append(fill.fee_currency)
    return [asset for asset in dict.fromkeys(assets) if asset not in cash]


def from_fill(
    fill: Fill, *, asset: str, cash: Collection[str], quote_price: int, fee_price: int | None = None
) -> list[Event]:
    """The events of one fill for one asset's book, in fold order.

    `quote_price` and `fee_price` are what one quote coin and one fee coin are worth in the reporting
    currency, in units; the second is needed only for a fee paid in neither base nor quote. `cash` lists
    assets without a book.
    """
    fill_id, symbol, base, quote, side, _, quantity, paid, fee, fee_currency, time, order_id, fact = fill
    if quantity <= 0 or paid < 0:
        raise InvalidFact(f"Fill {fill_id} of {symbol} has no quantity.")
    if fee_currency == quote != base == asset and quote_price == UNIT and base not in cash:
        # By far the most fills: the base's book, fee and value in the reporting currency as they stand.
        kind = _ENTRY if side == _BUY else _EXIT
        return [_new(Event, (time, fill_id, symbol, kind, order_id or fill_id, quantity, paid, fee, 1, fact))]
    carrier = fill.quote if fill.base in cash else fill.base
    events = []
    if asset == carrier:
        events.append(_carry(fill, carrier, quote_price, fee_price))
    elif asset == fill.quote and asset not in cash and fill.quote_quantity:
        kind = _EXIT if fill.side == _BUY else _ENTRY
        events.append(_event(fill, kind, fill.quote_quantity, _priced(fill.quote_quantity, quote_price)))
    if fill.fee_amount and asset == fill.fee_currency and asset != carrier and asset not in cash:
        kind = _FEE if fill.fee_amount > 0 else _REBATE
        value, scale = _fee_value(fill, quote_price, fee_price)
        events.append(_event(fill, kind, abs(fill.fee_amount), (abs(value), scale)))
    return events


def deposit(*, transfer_id: str, time_ms: int, quantity: int) -> Event:
    """Coins that came in at unknown cost."""
    if quantity <= 0:
        raise InvalidFact(f"Deposit {transfer_id} has no quantity.")
    return Event(time_ms, transfer_id, "", EventKind.DEPOSIT, "", quantity, 0, 0, 1)


def withdrawal(*, transfer_id: str, time_ms: int, quantity: int, fact: int = 0) -> Event:
    """Coins that left without a trade; `quantity` is all that left, the network's fee included."""
    if quantity <= 0:
        raise InvalidFact(f"Withdrawal {transfer_id} has no quantity.")
    return Event(time_ms, transfer_id, "", EventKind.WITHDRAWAL, "", quantity, 0, 0, 1, fact)


def receipt(
    *,
    transfer_id: str,
    asset: str,
    time_ms: int,
    quantity: int,
    cost: int,
    price: int = UNIT,
    fee: int = 0,
    entered_ms: int | None = None,
    fact: int = 0,
) -> Receipt:
    """Coins that came in without a trade and cost `cost` x `price` (units, the product exact), `fee` of entry fees
    beside it. `fact` < 0 is a transfer's number."""
    if quantity <= 0:
        raise InvalidFact(f"Transfer {transfer_id} has no quantity.")
    value, scale = _priced(cost, price)
    event = Receipt(
        time_ms, transfer_id, asset, EventKind.RECEIPT, "", quantity, value, fee * scale, scale, fact
    )
    event.entered_ms = time_ms if entered_ms is None else entered_ms
    return event


def at_place(event: Event, symbol: str) -> Event:
    """The same event under another symbol: that of a place among several whose facts one book takes in."""
    if symbol == event.symbol:
        return event
    moved = event._replace(symbol=symbol)
    if isinstance(event, Receipt) and isinstance(moved, Receipt):
        moved.entered_ms = event.entered_ms
    return moved


# Money and its scale.
_Money = tuple[int, int]


def _event(fill: Fill, kind: EventKind, quantity: int, value: _Money, fee: int = 0) -> Event:
    # An exit order without an id stands for itself: fills of different orders must never share a trade.
    order_id = fill.order_id or fill.fill_id
    return Event(
        fill.executed_ms,
        fill.fill_id,
        fill.symbol,
        kind,
        order_id,
        quantity,
        value[0],
        fee,
        value[1],
        fill.fact,
    )


def _carry(fill: Fill, carrier: str, quote_price: int, fee_price: int | None) -> Event:
    """The entry or exit that bears the fill's fee."""
    by_base = carrier == fill.base
    is_entry = (fill.side == _BUY) == by_base
    quantity = fill.quantity if by_base else fill.quote_quantity
    value, scale = _priced(fill.quote_quantity, quote_price)
    fee = 0
    if fill.fee_amount:
        fee, fee_scale = _fee_value(fill, quote_price, fee_price)
        if fee_scale != scale:
            value, fee, scale = value * (UNIT // scale), fee * (UNIT // fee_scale), UNIT
        if fill.fee_currency == carrier:
            quantity += -fill.fee_amount if is_entry else fill.fee_amount
            value += -fee if is_entry else fee
    if quantity <= 0:
        raise InvalidFact(f"Fill {fill.fill_id} of {fill.symbol}: its fee swallows its quantity.")
    return _event(fill, _ENTRY if is_entry else _EXIT, quantity, (value, scale), fee)


def _priced(amount: int, price: int) -> _Money:
    """What an amount is worth at a price, exactly; in whole units where it has no finer part."""
    if price == UNIT:
        return amount, 1
    product = amount * price
    whole, rest = divmod(product, UNIT)
    return (product, UNIT) if rest else (whole, 1)


def _fee_value(fill: Fill, quote_price: int, fee_price: int | None) -> _Money:
    """The fee in the reporting currency.

    A base-coin fee is worth the fill's price, in reporting currency rounded to 18 places first: one price for all
    parts of a split fill keeps their fees' sum exact.
    """
    if fill.fee_currency == fill.quote:
        return _priced(fill.fee_amount, quote_price)
    if fill.fee_currency == fill.base:
        return _priced(fill.fee_amount, round_product(fill.price * quote_price))
    if fee_price is None:
        raise MissingPrice(f"Fill {fill.fill_id} of {fill.symbol}: no price for {fill.fee_currency}.")
    return _priced(fill.fee_amount, fee_price)
