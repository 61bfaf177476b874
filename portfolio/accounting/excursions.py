"""Maximum adverse and favourable excursion (Sweeney 1996): the worst and the best a trade stood at while it was held.

Never overstated: of candles that lie within the holding time all prices count, of the one it began in only the close,
of the one it ended in only the open; and the trade's own entry (0) and exit. Coarse candles may understate it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from core.clock import EPOCH
from core.money import CONTEXT, ZERO, quantize

MISSING: Final = "missing_candles"
TOO_SHORT: Final = "shorter_than_interval"


class Candle(NamedTuple):
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """What a trade closed, from when to when, and between which average prices. Of inverse contracts `quantity` is in
    the quote's money."""

    is_long: bool
    is_inverse: bool
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    since: datetime
    until: datetime

    def unrealised(self, price: Decimal) -> Decimal:
        """At a price, in the quote's money."""
        with localcontext(CONTEXT):
            change = price / self.entry_price - 1 if self.is_inverse else price - self.entry_price
            return quantize(change * self.quantity * (1 if self.is_long else -1))


@dataclass(frozen=True, slots=True)
class Extremes:
    """`drawdown` ≤ 0 ≤ `runup`."""

    drawdown: Decimal
    runup: Decimal


def opens(since: datetime, until: datetime, length: timedelta) -> tuple[datetime, int]:
    """The first candle that a holding time touches, and how many it does."""
    first = EPOCH + (since - EPOCH) // length * length
    return first, max(-((first - until) // length), 1)


def measure(held: Held, candles: Sequence[Candle], *, length: timedelta) -> Extremes | str:
    """From all candles the holding time touches, in order; or why there is nothing to say."""
    first, count = opens(held.since, held.until, length)
    if len(candles) != count or candles[0].opened_at != first:
        return MISSING
    prices = [price for candle in candles for price in _within(held, candle, length)]
    if not prices:
        return TOO_SHORT
    marks = [held.unrealised(price) for price in (*prices, held.exit_price)]
    return Extremes(min(ZERO, *marks), max(ZERO, *marks))


def _within(held: Held, candle: Candle, length: timedelta) -> list[Decimal]:
    """The prices of a candle that were seen while the trade was held."""
    opened, closed = candle.opened_at, candle.opened_at + length
    if held.since <= opened and closed <= held.until:
        return [candle.low, candle.high]
    seen = [candle.open] if held.since <= opened < held.until else []
    return [*seen, candle.close] if held.since < closed <= held.until else seen
