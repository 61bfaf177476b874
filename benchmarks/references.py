"""What the engine is measured and checked against; shares no code with it."""

import decimal
from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.money import UNIT
from portfolio.accounting.events import Fill

_EXTRA = 10**40


def decimal_fifo(fills: Iterable[tuple[bool, Decimal, Decimal]]) -> list[Decimal]:
    """Realised PnL of each sale in (is buy, quantity, price), by the plainest FIFO there is."""
    lots: deque[list[Decimal]] = deque()
    realised = []
    for is_buy, quantity, price in fills:
        if is_buy:
            lots.append([quantity, price])
            continue
        left, gross = quantity, Decimal(0)
        while left and lots:
            lot = lots[0]
            part = lot[0] if lot[0] <= left else left
            gross += part * (price - lot[1])
            left -= part
            lot[0] -= part
            if not lot[0]:
                lots.popleft()
        realised.append(gross)
    return realised


# A fill as a script would read it: its id, whether it buys, quantity, price, fee in the quote coin.
PlainFill = tuple[str, bool, Decimal, Decimal, Decimal]
# What a sale took out of an entry: entry id, sale id, quantity, cost, proceeds, fees of both sides.
Part = tuple[str, str, Decimal, Decimal, Decimal, Decimal]


def decimal_fifo_with_fees(fills: Iterable[PlainFill]) -> tuple[list[Decimal], list[Part]]:
    """Net PnL of each sale and the parts it is made of, by a FIFO that shares fees of entries and sales by quantity.

    In Python's usual 28 digits, as such a script would run: its shares of fees are rounded, so parts need not sum up.
    """
    lots: deque[tuple[str, Decimal, Decimal, Decimal]] = deque()
    left = Decimal(0)  # of the first lot
    realised, parts = [], []
    with decimal.localcontext(decimal.Context()):
        for fill_id, is_buy, quantity, price, fee in fills:
            if is_buy:
                lots.append((fill_id, quantity, price, fee))
                if len(lots) == 1:
                    left = quantity
                continue
            wanted, net = quantity, Decimal(0)
            while wanted and lots:
                entry_id, size, entry_price, entry_fee = lots[0]
                part = left if left <= wanted else wanted
                cost, proceeds = part * entry_price, part * price
                fees = entry_fee * part / size + fee * part / quantity
                parts.append((entry_id, fill_id, part, cost, proceeds, fees))
                net += proceeds - cost - fees
                wanted -= part
                left -= part
                if not left:
                    lots.popleft()
                    left = lots[0][1] if lots else left
            realised.append(net)
    return realised, parts


def fifo_reference(fills: Sequence[Fill]) -> dict[str, int]:
    """Realised gross in units of each exit fill; exact, as no part of these fills needs more than 18 places."""
    lots: deque[list[int]] = deque()
    realised: dict[str, int] = {}
    for fill in fills:
        if fill.side == "BUY":
            lots.append([fill.quantity, fill.price])
            continue
        left, gross = fill.quantity, fill.quote_quantity * UNIT
        while left:
            part = min(left, lots[0][0])
            gross -= part * lots[0][1]
            left -= part
            lots[0][0] -= part
            if not lots[0][0]:
                lots.popleft()
        realised[fill.fill_id], rest = divmod(gross, UNIT)
        assert rest == 0
    return realised


def average_reference(fills: Sequence[Fill]) -> dict[str, int]:
    """The same by running average, carried with 40 more digits; running totals of each episode rounded."""
    quantity = cost = proceeds = sold = published = 0
    realised: dict[str, int] = {}
    for fill in fills:
        if fill.side == "BUY":
            quantity += fill.quantity
            cost += fill.quote_quantity * _EXTRA
            continue
        part = cost if fill.quantity == quantity else cost * fill.quantity // quantity
        quantity -= fill.quantity
        cost -= part
        sold += part
        proceeds += fill.quote_quantity
        total = proceeds - (sold + _EXTRA // 2) // _EXTRA
        realised[fill.fill_id] = total - published
        published = total
        if not quantity:
            proceeds = sold = published = 0
    return realised
